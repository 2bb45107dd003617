"""Cutting the files of a pack into what one request to the scanner takes.

Files travel compressed, as they lie in a spool: raw deflate in pieces that each inflate alone. A file that is too large
for one request is cut between its pieces. Each part begins with the last piece of the part before, so that what lies
across a cut is seen whole.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

# Of one request, as JSON with base64. A synchronous invocation takes 6 MB (Lambda quotas, "Invocation payload").
_REQUEST_CHARACTERS: Final = 5_400_000
# Inflated content of one request, so that little that inflates to much is scanned in bounded time and memory.
_REQUEST_RAW_BYTES: Final = 32 << 20
# Of the entry of a part beside its path and content.
_ENTRY_CHARACTERS: Final = 160


class RawPiece(NamedTuple):
    """A piece of a file: its deflate stream, and how many bytes it inflates to."""

    compressed: bytes
    raw_size: int


@dataclass(frozen=True, slots=True)
class ScannableFile:
    """A file to scan.

    Attributes:
        path: Relative to the pack's root.
        size: Bytes. The pieces may inflate to more, which is padding.
        pieces: Returns its pieces in order, each time it is called.
    """

    path: str
    size: int
    pieces: Callable[[], Iterable[RawPiece]]


@dataclass(frozen=True, slots=True)
class FilePart:
    """What of a file goes into one request.

    Attributes:
        path: Of the file.
        compressed: Its pieces, one after the other.
        raw_size: Bytes that they inflate to.
        size: How many of these are the file's; padding follows.
        first_line: The number of the line that the part begins in, from 1.
    """

    path: str
    compressed: bytes
    raw_size: int
    size: int
    first_line: int = 1

    @property
    def characters(self) -> int:
        """About how much of a request it takes."""
        return _characters(self.path, len(self.compressed))


def requests(
    files: Iterable[ScannableFile], *, inflate: Callable[[bytes, int], bytes]
) -> Iterator[list[FilePart]]:
    """Yield the parts of files for one request after the other.

    Args:
        files: The files. Of one after the other, at most one request is in memory.
        inflate: Returns what a piece inflates to, given its size.
    """
    parts: list[FilePart] = []
    characters = raw = 0
    for file in files:
        for part in _parts(file, inflate):
            if parts and (
                characters + part.characters > _REQUEST_CHARACTERS or raw + part.raw_size > _REQUEST_RAW_BYTES
            ):
                yield parts
                parts, characters, raw = [], 0, 0
            parts.append(part)
            characters += part.characters
            raw += part.raw_size
    if parts:
        yield parts


def _parts(file: ScannableFile, inflate: Callable[[bytes, int], bytes]) -> Iterator[FilePart]:
    held: list[RawPiece] = []
    left, line = file.size, 1
    for piece in file.pieces():
        if held and not _fit_together(file.path, [*held, piece]):
            yield _part(file.path, held, left, line)
            # The last piece is in the next part too. What comes before it is done with.
            for done in held[:-1]:
                line += inflate(done.compressed, done.raw_size).count(b"\n")
                left -= done.raw_size
            held = held[-1:]
        held.append(piece)
    yield _part(file.path, held, left, line)


def _fit_together(path: str, pieces: list[RawPiece]) -> bool:
    compressed = sum(len(piece.compressed) for piece in pieces)
    raw_size = sum(piece.raw_size for piece in pieces)
    return _characters(path, compressed) <= _REQUEST_CHARACTERS and raw_size <= _REQUEST_RAW_BYTES


def _part(path: str, pieces: list[RawPiece], left: int, line: int) -> FilePart:
    raw_size = sum(piece.raw_size for piece in pieces)
    compressed = b"".join(piece.compressed for piece in pieces)
    return FilePart(path, compressed, raw_size, min(left, raw_size), line)


def _characters(path: str, compressed: int) -> int:
    # JSON writes a character outside of ASCII with up to twelve.
    return _ENTRY_CHARACTERS + 6 * len(path) + compressed * 4 // 3
