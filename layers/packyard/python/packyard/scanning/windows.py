"""A file's bytes in windows of bounded size, each with the end of the one before it."""

import codecs
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_SIZE: Final = 1 << 20
# A match that is longer than this may be missed where two windows meet.
_OVERLAP: Final = 4 << 10
_BREAK: Final = re.compile(rb"\n")
# Byte order marks; the longer ones first, since UTF-32's begins with UTF-16's (Unicode Standard, section 23.8).
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Window(NamedTuple):
    """A part of a file.

    Attributes:
        data: Its bytes, as UTF-8 where the file is text in UTF-16 or UTF-32.
        line: The number of the line in which it begins, from 1.
        first: Whether the file begins with it.
        repeated: How many of its bytes the window before it has had.
    """

    data: bytes
    line: int
    first: bool
    repeated: int


class LineNumbers:
    """The numbers of the lines of a text.

    Args:
        data: The text.
        first: The number of the line in which it begins.
    """

    def __init__(self, data: bytes, first: int) -> None:
        self._data = data
        self._first = first
        self._breaks: list[int] | None = None

    def of(self, offset: int) -> int:
        """Return the number of the line at an offset."""
        if self._breaks is None:
            self._breaks = [match.start() for match in _BREAK.finditer(self._data)]
        return self._first + bisect_left(self._breaks, offset)


def windows_of(content: bytes | Iterable[bytes]) -> Iterator[Window]:
    """Yield a file's windows. An empty file has one."""
    pieces = _recoded(_pieces(content))
    held = bytearray()
    line, first = 1, True
    for piece in pieces:
        held += piece
        if len(held) >= _SIZE + _OVERLAP:
            yield Window(bytes(held), line, first, 0 if first else _OVERLAP)
            line += held.count(b"\n", 0, len(held) - _OVERLAP)
            del held[: len(held) - _OVERLAP]
            first = False
    if first or len(held) > _OVERLAP:
        yield Window(bytes(held), line, first, 0 if first else _OVERLAP)


def _pieces(content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    for piece in (content,) if isinstance(content, bytes) else content:
        if len(piece) <= _SIZE:
            yield piece
        else:
            for start in range(0, len(piece), _SIZE):
                yield piece[start : start + _SIZE]


def _recoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces, as UTF-8 where the first ones begin with the mark of another Unicode encoding."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= len(codecs.BOM_UTF32_LE):
            break
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            decoder = codecs.getincrementaldecoder(encoding)("replace")
            yield decoder.decode(start[len(mark) :]).encode("utf-8", "replace")
            for piece in pieces:
                yield decoder.decode(piece).encode("utf-8", "replace")
            yield decoder.decode(b"", final=True).encode("utf-8", "replace")
            return
    yield start.removeprefix(codecs.BOM_UTF8)
    yield from pieces
