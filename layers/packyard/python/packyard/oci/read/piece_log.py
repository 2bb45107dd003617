"""Which parts of a gzip layer can be inflated without what is before them, found out while the layer is inflated.

Those are gzip members (RFC 1952, section 2.2), and within the only member of a layer what starts after a full flush. A
flush leaves an empty stored block (RFC 1951, section 3.2.4), whose last four bytes are always the same. Whether it was
a full one, and not four bytes of the content, is found out by inflating what follows by itself as well.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from isal import igzip_lib, isal_zlib

from packyard.oci.content import LayerForm, Piece
from packyard.oci.read.checkpoints import WINDOW_BYTES, CheckpointLog

_MARKER: Final = b"\0\0\xff\xff"
# Our largest layers have two thirds of that: two for the headers and two for the content of each of 20,000 files.
_MAX_MARKERS: Final = 1 << 17
# Our own largest layers had a tenth of that. 16 bytes each.
_MAX_NOTED: Final = 1 << 20
# What may follow a file in its last piece: reading it alone is still cheap then.
_MAX_EXCESS: Final = 1 << 20
_PIECE_BYTES: Final = 256 << 10
# What tar's headers and files start at.
_BLOCK: Final = 512
# Two inflaters that have been given the same bytes may have returned a little more or less of them.
_MAX_AHEAD: Final = 4 << 10
# The stub declares an instance.
_ISAL_ERROR: Final[type[Exception]] = igzip_lib.IsalError  # type: ignore[assignment]


class PieceLog:
    """Where pieces of a layer start: what can be read alone later on.

    Args:
        checkpoints: Collects the checkpoints of a layer that is one gzip member, if the system has zlib; None for none.

    Attributes:
        plain: Whether the layer is not compressed at all.
        checkpoints: As passed in.
    """

    def __init__(self, *, checkpoints: CheckpointLog | None = None) -> None:
        self.plain = False
        self.checkpoints = checkpoints
        self._members = _Starts()
        self._flushed = _Starts()

    @property
    def form(self) -> LayerForm:
        """What kind of pieces they are."""
        if self.plain:
            return LayerForm.PLAIN
        # The start of the only member, and its end.
        only = len(self._members.offsets) <= 2  # noqa: PLR2004
        return LayerForm.FLUSHED if only and self._flushed.offsets else LayerForm.MEMBERS

    def note_member(self, offset: int, raw_offset: int) -> None:
        """Note the start of a member, or the end of the last one: in the blob, and in the tar."""
        self._members.note(offset, raw_offset)

    def note_flushed(self, offset: int, raw_offset: int) -> None:
        """Note where something starts after a full flush, or where the last of it ends."""
        self._flushed.note(offset, raw_offset)

    def note_dependent(self, offset: int, raw_offset: int) -> None:
        """Note where something starts after a flush that can be inflated neither alone nor after the last piece."""
        self._flushed.note_dependent(offset, raw_offset)

    def pieces(self, at: int, size: int) -> tuple[Piece, ...]:
        """Return the pieces that give what stands at `at` in the tar; none unless it starts with the first of them.

        Args:
            at: Bytes from the start of the tar.
            size: Bytes, at least 1.
        """
        starts = self._flushed if self.form is LayerForm.FLUSHED else self._members
        return starts.pieces(at, size)


class _Starts:
    """Where pieces start, in the blob and in the tar."""

    def __init__(self) -> None:
        self.offsets = array("Q")
        self._raw_offsets = array("Q")
        # The numbers of those where the piece before them ends, and none starts.
        self._breaks: set[int] = set()

    def note_dependent(self, offset: int, raw_offset: int) -> None:
        self._breaks.add(len(self.offsets))
        self.note(offset, raw_offset)

    def note(self, offset: int, raw_offset: int) -> None:
        if len(self.offsets) <= _MAX_NOTED:
            self.offsets.append(offset)
            self._raw_offsets.append(raw_offset)

    def pieces(self, at: int, size: int) -> tuple[Piece, ...]:
        found: list[Piece] = []
        starts, end = self._raw_offsets, at + size
        number = bisect_right(starts, at) - 1
        if number < 0 or starts[number] != at:
            return ()
        while starts[number] < end:
            if number + 1 == len(starts) or number in self._breaks:
                return ()
            offset, length = self.offsets[number], self.offsets[number + 1] - self.offsets[number]
            found.append(Piece(offset, length, starts[number + 1] - starts[number]))
            number += 1
        return tuple(found) if starts[number] - end <= _MAX_EXCESS else ()


class FlushWatch:
    """Finds the full flushes of a gzip member while that is inflated part by part.

    Args:
        log: Is told of them.
    """

    def __init__(self, log: PieceLog) -> None:
        self._log = log
        self._markers_left = _MAX_MARKERS
        self._at_marker = False
        # What may be the start of a piece, and what is inflated from there on.
        self._start: tuple[int, int] | None = None
        self._alone: _Alone | None = None
        # What is inflated from the start of the last piece on, until that is so long that nothing refers to what is
        # before it: deflate refers to the last 32 KiB of output (RFC 1951, section 2).
        self._piece: _Alone | None = None

    def split(self, feeds: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the parts of a blob so that one ends wherever a flush may have ended.

        Args:
            feeds: The blob.
        """
        before = b""
        for feed in feeds:
            done = 0
            text = before + feed
            found = text.find(_MARKER)
            while found >= 0 and self._markers_left:
                end = found + len(_MARKER) - len(before)
                self._at_marker = True
                self._markers_left -= 1
                yield feed[done:end]
                done = end
                found = text.find(_MARKER, found + len(_MARKER))
            self._at_marker = False
            if done < len(feed):
                yield feed[done:]
            before = text[1 - len(_MARKER) :]

    def note_fed(self, feed: bytes) -> None:
        """Note a part that is about to be inflated."""
        for inflated in self._inflated():
            inflated.feed(feed)

    def note_made(self, raw: bytes) -> None:
        """Note something of what a part inflates to."""
        for inflated in self._inflated():
            inflated.compare(raw)

    def note_end_of_part(self, offset: int, raw_offset: int) -> None:
        """Note that a part has been inflated: where the next one starts, in the blob and in the tar."""
        self._catch_up()
        if self._at_marker and raw_offset % _BLOCK == 0:
            self._settle()
            self._start, self._alone = (offset, raw_offset), _Alone()

    def note_end_of_member(self, offset: int, raw_offset: int) -> None:
        """Note that the member has ended; of later ones there is nothing to find out."""
        self._catch_up()
        if self._settle():
            self._log.note_flushed(offset, raw_offset)
        self._start = self._alone = self._piece = None
        self._markers_left = 0

    def _settle(self) -> bool:
        """Tell the log of the last start. Return whether what followed it could be inflated alone."""
        if self._start is None or self._alone is None:
            return False
        if self._alone.is_same():
            self._log.note_flushed(*self._start)
            self._piece = self._alone
            return True
        if self._piece is not None and not self._piece.is_same():
            self._log.note_dependent(*self._start)
            self._piece = None
        return False

    def _inflated(self) -> list["_Alone"]:
        return [inflated for inflated in (self._alone, self._piece) if inflated is not None]

    def _catch_up(self) -> None:
        for inflated in self._inflated():
            inflated.catch_up()
        if self._piece is not None and self._piece.size >= WINDOW_BYTES and self._piece.is_same():
            self._piece = None


class _Alone:
    """What a possible piece inflates to by itself, beside what it should."""

    def __init__(self) -> None:
        self._inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)
        self._part = b""
        self._failed = False
        self._made = self._wanted = 0
        self._made_crc = self._wanted_crc = 0

    @property
    def size(self) -> int:
        return self._made

    def feed(self, part: bytes) -> None:
        self._part = part

    def catch_up(self) -> None:
        """Inflate the part that was fed last, but hardly more of it than it gave with what precedes it.

        Content that only looks like a piece could inflate to a thousand times as much.
        """
        rest = self._part
        try:
            while not (self._failed or self._inflater.eof):
                most = self._wanted - self._made + _MAX_AHEAD
                raw = self._inflater.decompress(rest, min(_PIECE_BYTES, most))
                self._made += len(raw)
                self._made_crc = isal_zlib.crc32(raw, self._made_crc)
                if self._made >= self._wanted + _MAX_AHEAD:
                    self._failed = True
                if self._inflater.needs_input:
                    break
                rest = b""
        except _ISAL_ERROR:
            self._failed = True

    def compare(self, raw: bytes) -> None:
        self._wanted += len(raw)
        self._wanted_crc = isal_zlib.crc32(raw, self._wanted_crc)

    def is_same(self) -> bool:
        return not self._failed and (self._made, self._made_crc) == (self._wanted, self._wanted_crc)
