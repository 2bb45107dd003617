"""Which files of a pack name packages, and what they name. Everything about them is bounded."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from packyard.attestations.node_packages import (
    from_package_json,
    from_package_lock,
    from_pnpm_lock,
    from_yarn_lock,
)
from packyard.attestations.package_url import Package
from packyard.attestations.requirements import (
    from_cargo_lock,
    from_pipfile_lock,
    from_pyproject,
    from_requirements,
    from_toml_lock,
)

# Of one file, and of all files of a pack together.
MAX_FILE_BYTES: Final = 2 << 20
MAX_BYTES: Final = 8 << 20
MAX_FILES: Final = 64
MAX_PACKAGES: Final = 10_000

Reader = Callable[[str], Iterator[Package]]

_READERS: Final[dict[str, Reader]] = {
    "pyproject.toml": from_pyproject,
    "uv.lock": from_toml_lock,
    "poetry.lock": from_toml_lock,
    "pdm.lock": from_toml_lock,
    "pylock.toml": from_toml_lock,
    "Pipfile.lock": from_pipfile_lock,
    "Cargo.lock": from_cargo_lock,
    "package.json": from_package_json,
    "package-lock.json": from_package_lock,
    "npm-shrinkwrap.json": from_package_lock,
    "yarn.lock": from_yarn_lock,
    "pnpm-lock.yaml": from_pnpm_lock,
}
# requirements.txt, requirements-dev.txt, dev_requirements.txt, requirements/base.txt; uv's script.py.lock.
_REQUIREMENTS: Final = re.compile(
    r"(?:.*/)?(?:requirements/[^/]+|(?:[^/]*[-_.])?requirements(?:[-_.][^/]*)?)\.txt"
)
_NAMED_LOCK: Final = re.compile(r"(?:.*/)?(?:pylock\.[^./]+\.toml|[^/]+\.py\.lock)")


@dataclass(frozen=True, slots=True)
class Named:
    """A package, and a file that names it.

    Attributes:
        package: The package.
        path: The file's path in the pack.
    """

    package: Package
    path: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the files of a pack name.

    Attributes:
        named: Each package once for each file that names it, sorted.
        left_out: The paths of files that were not read, or not to their end: they are too large, too many, or not of
            the form that their name promises. Sorted.
    """

    named: tuple[Named, ...] = ()
    left_out: tuple[str, ...] = ()


def names_packages(path: str) -> bool:
    """Return whether a file is one that names packages, by its path."""
    return _reader(path) is not None


def readable(files: Iterable[tuple[str, int]]) -> tuple[list[str], list[str]]:
    """Return which files to read for the packages that they name, and which are too large or too many.

    Args:
        files: The path and the size in bytes of each file of a pack.
    """
    chosen: list[str] = []
    left_out: list[str] = []
    total = 0
    # The files nearest to the pack's root first, which say most about it.
    for path, size in sorted(files, key=lambda file: (file[0].count("/"), file[0])):
        if not names_packages(path):
            continue
        if size > MAX_FILE_BYTES or total + size > MAX_BYTES or len(chosen) == MAX_FILES:
            left_out.append(path)
        else:
            chosen.append(path)
            total += size
    return chosen, left_out


def dependencies_of(files: Iterable[tuple[str, bytes]], left_out: Iterable[str] = ()) -> Dependencies:
    """Return the packages that files name.

    Args:
        files: The path and the content of each file; those that `readable` has chosen.
        left_out: The paths of those that are not read.
    """
    named: set[Named] = set()
    unread = set(left_out)
    for path, content in files:
        reader = _reader(path)
        if reader is None:
            continue
        try:
            for found in reader(content.decode("utf-8-sig")):
                if len(named) == MAX_PACKAGES:
                    unread.add(path)
                    break
                named.add(Named(found, path))
        # A file of any content may have such a name. RecursionError: values nested too deeply.
        except (ValueError, RecursionError):
            unread.add(path)
    return Dependencies(tuple(sorted(named, key=lambda one: (one.package, one.path))), tuple(sorted(unread)))


def _reader(path: str) -> Reader | None:
    name = path.rpartition("/")[2]
    if name in _READERS:
        return _READERS[name]
    if _NAMED_LOCK.fullmatch(path):
        return from_toml_lock
    return from_requirements if _REQUIREMENTS.fullmatch(path) else None
