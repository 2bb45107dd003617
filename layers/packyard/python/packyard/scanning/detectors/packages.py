"""Packages whose names are nearly those of popular ones (typosquats).

The lists are `lists/pypi.txt` and `lists/npm.txt`. `local/popular_packages.py` makes them, and says from what.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from packyard.scanning.detectors.nearness import deletions, is_near
from packyard.scanning.excerpt import shown_text
from packyard.scanning.finding import Severity
from packyard.scanning.sighting import Sighting
from packyard.scanning.windows import LineNumbers

_LISTS: Final = Path(__file__).parents[1] / "lists"
PYPI: Final = "pypi"
NPM: Final = "npm"

_INSTALLS: Final = re.compile(
    rb"(?:(?P<tool>pip3?|pipx|uv pip|uv tool|poetry|uv|npm|pnpm|yarn|bun)[ \t]+(?P<verb>install|add|i|dlx)"
    rb"|(?P<runner>npx|bunx|uvx|pipx run|uv tool run))[ \t]+(?P<names>[^\n`|;&#<>]{2,300})"
)
_NAME: Final = re.compile(
    r"^(@[a-z0-9._-]{1,60}/)?([A-Za-z0-9][A-Za-z0-9._-]{2,60})(?:\[[^\]]{0,60}\])?(?:@[\w^~.*-]{1,30}|[=<>~!].{0,40})?$"
)
_REQUIREMENT: Final = re.compile(
    r"^\s*[\"']?([A-Za-z0-9][A-Za-z0-9._-]{2,60})\s*(?:\[[^\]]{0,60}\])?\s*(?:[=<>~!;@ ].{0,80})?[\"']?,?\s*(?:#.*)?$"
)
_NPM_TOOLS: Final = frozenset({"npm", "pnpm", "yarn", "bun", "npx", "bunx"})
# Two names this short are near each other by chance.
_SHORTEST: Final = 5
_MAX_NAMES: Final = 2000
_ALIKE: Final = (("1", "l"), ("i", "l"), ("0", "o"), ("rn", "m"), ("vv", "w"))


class _List(NamedTuple):
    popular: frozenset[str]
    others: frozenset[str]
    by_deletion: Mapping[str, str]


def sightings_of_packages(
    path: str, data: bytes, installs: Iterable[int], *, first: bool
) -> Iterator[Sighting]:
    """Yield the packages that a file names, and that nearly have the name of a popular one.

    Args:
        path: The file.
        data: The bytes of one of its windows.
        installs: The offsets at which commands begin that install packages.
        first: Whether it is the first one; manifests are read in theirs alone.
    """
    seen: set[tuple[str, str]] = set()
    for registry, name, line in _named(path, data, installs, first=first):
        if (registry, name) in seen:
            continue
        seen.add((registry, name))
        if len(seen) > _MAX_NAMES:
            return
        meant = look_alike(registry, name)
        if meant is not None:
            severity = Severity.HIGH if _looks_equal(_plain(registry, name), meant) else None
            yield Sighting(
                "package.look-alike", line, shown_text(f"{name} ({registry}) looks like {meant}"), severity
            )


def look_alike(registry: str, name: str) -> str | None:
    """Return the popular package that a name nearly is; None if it is known itself, or near none.

    Args:
        registry: `pypi` or `npm`.
        name: The package's name.
    """
    known = _known(registry)
    plain = _plain(registry, name)
    if len(plain) < _SHORTEST or plain in known.popular or plain in known.others:
        return None
    for candidate in {plain, *deletions(plain)}:
        meant = known.by_deletion.get(candidate)
        if meant is not None and meant != plain and is_near(plain, meant):
            return meant
    for one, other in _ALIKE:
        for spelling in (plain.replace(one, other), plain.replace(other, one)):
            if spelling != plain and spelling in known.popular:
                return spelling
    return None


def _named(path: str, data: bytes, installs: Iterable[int], *, first: bool) -> Iterator[tuple[str, str, int]]:
    name = path.rpartition("/")[2].lower()
    if first and name == "package.json":
        yield from _of_package_json(data)
    elif first and re.fullmatch(r"(?:.*requirements.*|constraints.*)\.(?:txt|in)", name):
        yield from _of_lines(data)
    elif first and name == "pyproject.toml":
        yield from _of_pyproject(data)
    lines = LineNumbers(data, 1)
    for start in installs:
        if match := _INSTALLS.match(data, start):
            yield from _of_command(match, lines.of(start))


def _of_command(match: re.Match[bytes], line: int) -> Iterator[tuple[str, str, int]]:
    tool = (match["tool"] or match["runner"]).decode()
    registry = NPM if tool in _NPM_TOOLS else PYPI
    taken = 0
    skip = False
    for word in match["names"].decode("utf-8", "replace").replace('"', " ").replace("'", " ").split():
        if skip or word.startswith("-"):
            skip = word in ("-r", "-c", "-i", "--index-url", "-p", "--python", "-t", "--target", "-e")
            continue
        named = _NAME.match(word)
        if named is None:
            return
        if named[1] is None:
            yield registry, named[2], line
        taken += 1
        if match["runner"] or match["verb"] == b"dlx" or taken == 40:  # noqa: PLR2004 - long enough
            return


def _of_lines(data: bytes) -> Iterator[tuple[str, str, int]]:
    for line, text in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        if match := _REQUIREMENT.match(text):
            yield PYPI, match[1], line


def _of_pyproject(data: bytes) -> Iterator[tuple[str, str, int]]:
    inside = False
    for line, text in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        if re.match(r"\s*(?:dependencies|[\w-]+)\s*=\s*\[", text):
            inside = "dependenc" in text or inside
        if inside:
            for quoted in re.findall(r"[\"']([^\"']{3,100})[\"']", text):
                if match := _REQUIREMENT.match(quoted):
                    yield PYPI, match[1], line
        if text.rstrip().endswith("]"):
            inside = False


def _of_package_json(data: bytes) -> Iterator[tuple[str, str, int]]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(document, dict):
        return
    for field in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
        listed = document.get(field)
        for name in listed if isinstance(listed, dict) else ():
            if not name.startswith("@"):
                at = data.find(json.dumps(name).encode())
                yield NPM, name, data.count(b"\n", 0, max(at, 0)) + 1


def _plain(registry: str, name: str) -> str:
    """Return a name in the form in which its registry compares names (PyPA, "Name normalization")."""
    lower = name.lower()
    return re.sub(r"[-_.]+", "-", lower) if registry == PYPI else lower


@cache
def _known(registry: str) -> _List:
    text = _LISTS.joinpath(f"{registry}.txt").read_text(encoding="utf-8")
    protected, _, others = text.partition("\n\n")
    popular = [line for line in protected.split("\n") if not line.startswith("#")]
    by_deletion: dict[str, str] = {}
    for name in reversed([name for name in popular if len(name) >= _SHORTEST]):  # the most popular one counts
        for spelling in (name, *deletions(name)):
            by_deletion[spelling] = name
    return _List(frozenset(popular), frozenset(others.split()), by_deletion)


def _looks_equal(name: str, meant: str) -> bool:
    folded = [name, meant]
    for one, other in _ALIKE:
        folded = [text.replace(one, other) for text in folded]
    return folded[0] == folded[1]
