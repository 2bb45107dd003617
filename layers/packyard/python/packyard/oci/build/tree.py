"""The files and directories that a layer holds, in the one order that it may hold them."""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packyard.oci.content import Content

FIRST = "pack.yaml"


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory; `path` is relative, without a slash at its end."""

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

    `pack.yaml` comes first, so that whoever needs only the manifest need not read on. The rest is sorted by
    path, compared segment by segment as UTF-8 bytes: a directory precedes what it holds, and what it holds
    follows without a break. Every parent directory has an entry, whether or not the archive bothered to name
    it: two archives of the same tree give the same layer.

    Args:
        directories: Relative paths without a slash at the end; parents may be missing, repeats are harmless.
        files: In any order, each path once and none of them a directory's.
    """
    regular = list(files)
    wanted = set(directories)
    for path in [*wanted, *(file.path for file in regular)]:
        wanted.update(_parents(path))
    return sorted([*map(Directory, wanted), *regular], key=_rank)


def with_file(entries: Iterable[Entry], new: File) -> list[Entry]:
    """Return the entries of a layer with one file among them, in canonical order.

    Args:
        entries: In canonical order.
        new: A file that is not there, or in place of the one of its path; not in place of a directory.
    """
    order = [entry for entry in entries if entry.path != new.path]
    there = {entry.path for entry in order}
    for parent in _parents(new.path):
        if parent not in there:
            insort(order, Directory(parent), key=_rank)
    insort(order, new, key=_rank)
    return order


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _rank(entry: Entry) -> tuple[bool, list[bytes]]:
    return entry.path != FIRST, entry.path.encode().split(b"/")
