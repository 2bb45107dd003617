"""`python -m local.popular_packages`: writes the lists of popular packages that the scanner compares names with.

The sources are public and both are lists of names by use:

- PyPI: `top-pypi-packages.min.json` of https://hugovk.dev/top-pypi-packages/ (15,000 by downloads of 30 days, monthly).
- npm: the package `npm-high-impact` (by downloads and by dependents), from the npm registry, at a fixed version.

A list has the names that are protected and, after an empty line, the known packages that are one letter away from one
of these: they are no typing errors. Other names of the sources are not kept.
"""

import argparse
import io
import json
import re
import tarfile
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from local.environments import PROJECT
from packyard.scanning.detectors.nearness import deletions, is_near

_LISTS: Final = PROJECT / "layers/packyard/python/packyard/scanning/lists"
_PYPI: Final = "https://hugovk.dev/top-pypi-packages/top-pypi-packages.min.json"
_NPM: Final = "https://registry.npmjs.org/npm-high-impact/-/npm-high-impact-1.13.0.tgz"
_PROTECTED: Final = 1000
_SHORTEST: Final = 5


def near_ones(protected: Sequence[str], known: Iterable[str]) -> list[str]:
    """Return the known names that are one letter away from a protected one."""
    by_deletion: dict[str, list[str]] = {}
    for name in protected:
        for spelling in (name, *deletions(name)):
            by_deletion.setdefault(spelling, []).append(name)
    chosen = set(protected)
    return sorted(
        name
        for name in set(known) - chosen
        if len(name) >= _SHORTEST
        and any(
            is_near(name, other)
            for spelling in (name, *deletions(name))
            for other in by_deletion.get(spelling, ())
        )
    )


def _read(source: str) -> bytes:
    if Path(source).is_file():
        return Path(source).read_bytes()
    with urllib.request.urlopen(source, timeout=60) as answer:  # noqa: S310 - the addresses above, or the caller's own
        content: bytes = answer.read()
    return content


def _write(registry: str, source: str, protected: Sequence[str], known: Iterable[str]) -> None:
    others = near_ones(protected, known)
    text = "\n".join([f"# {source}", *protected, "", *others, ""])
    (_LISTS / f"{registry}.txt").write_text(text, encoding="utf-8")
    print(f"{registry}: {len(protected)} protected, {len(others)} near them")


def _pypi(source: str) -> None:
    document = json.loads(_read(source))
    names = [re.sub(r"[-_.]+", "-", row["project"].lower()) for row in document["rows"]]
    _write("pypi", f"{_PYPI}, {document['last_update'][:10]}", names[:_PROTECTED], names)


def _npm(source: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(_read(source))) as archive:
        lists = {}
        for name in ("top-download", "top-dependent", "top"):
            member = archive.extractfile(f"package/lib/{name}.js")
            text = member.read().decode() if member else ""
            lists[name] = [entry for entry in re.findall(r"'([^']+)'", text) if not entry.startswith("@")]
    protected = dict.fromkeys(
        [*lists["top-download"][:_PROTECTED], *lists["top-dependent"][: _PROTECTED // 2]]
    )
    _write("npm", _NPM, list(protected), lists["top"])


def main() -> None:
    """Write both lists."""
    arguments = argparse.ArgumentParser(
        prog="local.popular_packages", description="Write the lists of packages."
    )
    arguments.add_argument("--pypi", default=_PYPI, metavar="URL", help="or a file (%(default)s)")
    arguments.add_argument("--npm", default=_NPM, metavar="URL", help="or a file (%(default)s)")
    options = arguments.parse_args()
    _pypi(options.pypi)
    _npm(options.npm)


if __name__ == "__main__":
    main()
