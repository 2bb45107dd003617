"""The files and directories of a layer, in canonical order."""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packyard.oci.content import Content

FIRST = "pack.yaml"


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory; `path` is relative to the image's root, without a slash at its end."""

    path: str


@dataclass(frozen=True, slots=True)
class File:
    """A regular file; `path` is relative to the image's root."""

    path: str
    executable: bool
    content: Content


Entry = Directory | File


def canonical_order(*, directories: Iterable[str], files: Iterable[File]) -> list[Entry]:
    """Return the entries of a layer in canonical order (API contract, section 4).

    `pack.yaml` comes first, so that a reader that needs only the manifest can stop after it. The rest is sorted by
    path, compared segment by segment as UTF-8 bytes. So a directory comes directly before its contents. Every parent
    directory has an entry, even if the archive has none for it, so two archives of the same files give the same layer.

    Args:
        directories: Relative paths without a slash at the end. Parents may be missing, and paths may be repeated.
        files: In any order. Each path occurs once and is not a directory's.
    """
    regular = list(files)
    wanted = set(directories)
    for path in [*wanted, *(file.path for file in regular)]:
        wanted.update(_parents(path))
    return sorted([*map(Directory, wanted), *regular], key=_rank)


def with_file(entries: Iterable[Entry], new: File) -> list[Entry]:
    """Return the entries of a layer after adding or replacing one file, in canonical order.

    Args:
        entries: In canonical order.
        new: The file. It replaces a file with the same path; its path must not be a directory's.
    """
    order = [entry for entry in entries if entry.path != new.path]
    paths = {entry.path for entry in order}
    for parent in _parents(new.path):
        if parent not in paths:
            insort(order, Directory(parent), key=_rank)
    insort(order, new, key=_rank)
    return order


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _rank(entry: Entry) -> tuple[bool, list[bytes]]:
    return entry.path != FIRST, entry.path.encode().split(b"/")
