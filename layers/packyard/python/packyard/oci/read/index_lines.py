"""A file index as text, and how two of them differ.

Two revisions of a pack have most files in common. A line begins with the path, the size, the mode and the digest of a
file; what follows says where its content lies. So only lines whose beginnings differ are parsed. For a pack of
thousands of files, this takes a small part of the time.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from packyard.oci.read.file_index import FileIndex, IndexedLayer, line_of
from packyard.oci.read.index_parser import WITH_HARD_LINKS, index_errors, inflated_index, parse_head

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class IndexLines:
    """A file index whose files are not parsed.

    Attributes:
        layers: Those that hold any of the files.
        lines: For each file the beginning of its line, up to the end of its digest.
    """

    layers: tuple[IndexedLayer, ...]
    lines: frozenset[bytes]


class ComparedFile(Protocol):
    """A file, as far as it can differ between two revisions."""

    @property
    def path(self) -> str:
        """Relative to the image's root."""
        ...

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    @property
    def mode(self) -> int:
        """Permission bits."""
        ...

    @property
    def sha256(self) -> str:
        """Of its content, in hex."""
        ...


class StatedFile(NamedTuple):
    """A file of which nothing else has been parsed; see `ComparedFile`.

    Attributes:
        path: Relative to the image's root.
        size: In bytes.
        mode: Permission bits.
        sha256: Of its content, in hex.
    """

    path: str
    size: int
    mode: int
    sha256: str


File = TypeVar("File", bound=ComparedFile)


@dataclass(frozen=True, slots=True)
class FileDifference(Generic[File]):
    """What differs between two sets of files, each part sorted by path.

    Attributes:
        added: Files that only the new set has.
        removed: Files that only the old set has.
        changed: Pairs of the old and the new file, where content or mode differs.
    """

    added: Sequence[File] = ()
    removed: Sequence[File] = ()
    changed: Sequence[tuple[File, File]] = ()


def parse_lines(document: bytes, *, oldest: int = WITH_HARD_LINKS) -> IndexLines:
    """Return the lines of a document.

    Args:
        document: As `FileIndex.to_bytes` has made it.
        oldest: As for `parse_index`.

    Raises:
        ValueError: It is not a document of such a format, or not whole.
    """
    with index_errors():
        _, layers, lines = parse_head(inflated_index(document), oldest)
        return IndexLines(layers, frozenset(map(_beginning, lines.split(b"\n"))) if lines else frozenset())


def lines_of(index: FileIndex) -> IndexLines:
    """Return the lines of an index."""
    return IndexLines(index.layers, frozenset(_beginning(line_of(file)) for file in index.files))


def line_difference(old: IndexLines, new: IndexLines) -> FileDifference[StatedFile]:
    """Return how the files of two indexes differ.

    Raises:
        ValueError: A line is not one of an index.
    """
    with index_errors():
        return file_difference(map(_file, old.lines - new.lines), map(_file, new.lines - old.lines))


def file_difference(old: Iterable[File], new: Iterable[File]) -> FileDifference[File]:
    """Return how two sets of files differ. Files that are alike may be missing from both."""
    before = {file.path: file for file in old}
    after = {file.path: file for file in new}
    return FileDifference(
        added=[after[path] for path in sorted(after.keys() - before.keys())],
        removed=[before[path] for path in sorted(before.keys() - after.keys())],
        changed=[
            (before[path], after[path])
            for path in sorted(before.keys() & after.keys())
            if (before[path].mode, before[path].sha256) != (after[path].mode, after[path].sha256)
        ],
    )


def _beginning(line: bytes) -> bytes:
    """Return a line up to the end of its digest, behind which it has numbers only, and so no quote."""
    return line[: line.rfind(b'"') + 1]


def _file(beginning: bytes) -> StatedFile:
    row: Any = json.loads(beginning + b"]")
    path, size, mode, sha256 = row
    right = isinstance(path, str) and path and type(size) is int and type(mode) is int
    if not right or size < 0 or mode < 0 or _SHA256.fullmatch(sha256) is None:
        raise ValueError("the index states no file where it has to")
    return StatedFile(path, size, mode, sha256)
