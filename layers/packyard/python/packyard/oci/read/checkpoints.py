"""Checkpoints: places in a gzip stream where inflating can start, so that what comes before need not be read.

A checkpoint lies between two blocks of deflate data (RFC 1951, section 3.2.3). To start there takes the 32 KiB of
output before it, its *window*, because later blocks refer to them. zlib's example `zran.c` and the ztoc of AWS's SOCI
snapshotter use the same method.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from isal import igzip, igzip_lib

from packyard.oci.image_fault import CORRUPT_LAYER, ImageFault

# How far back deflate refers, in bytes (RFC 1951, section 2).
WINDOW_BYTES: Final = 32 << 10
MAX_CHECKPOINTS: Final = 256
# Bytes of output before the first checkpoint. Inflating this much takes no longer than reading a window from S3.
FIRST_AT: Final = 4 << 20
# Bytes of output between two checkpoints: what one read inflates in vain, at most.
SPACING_BYTES: Final = 1 << 20
# The most bytes that a window has as it is stored: compression adds little to what it cannot make smaller.
MAX_KEPT_BYTES: Final = WINDOW_BYTES + 1024
_PIECE_BYTES: Final = 256 << 10
# The stub declares an instance.
_ISAL_ERROR: Final[type[Exception]] = igzip_lib.IsalError  # type: ignore[assignment]


class Checkpoint(NamedTuple):
    """A place between two blocks, and where its window is stored. An index has hundreds; tuples are made quickly.

    Attributes:
        at: The number of bytes of output before it.
        offset: The number of bytes of the layer blob before it. The last of them may hold the first bits of the next
            block.
        bits: How many bits of that byte belong to the next block, 0 to 7. They are its highest bits.
        kept_at: Where its window starts in the stored windows of the layer, in bytes.
        kept_size: The size of its window there, compressed, in bytes.
    """

    at: int
    offset: int
    bits: int
    kept_at: int
    kept_size: int

    @property
    def start(self) -> int:
        """The offset of the first byte of the layer blob that is needed to start here."""
        return self.offset - (self.bits > 0)


class CheckpointLog:
    """Collects the checkpoints of one layer while it is inflated, at most `MAX_CHECKPOINTS` of them.

    When there are too many, it drops every second one and doubles the spacing. Windows are held compressed.

    Args:
        first_at: The least bytes of output before the first checkpoint.
        spacing: The least bytes of output between two checkpoints.
    """

    def __init__(self, *, first_at: int = FIRST_AT, spacing: int = SPACING_BYTES) -> None:
        self._first_at = first_at
        self._spacing = spacing
        self._found: list[tuple[int, int, int, bytes]] = []

    @property
    def next_at(self) -> int:
        """The least bytes of output before the next checkpoint."""
        return self._found[-1][0] + self._spacing if self._found else self._first_at

    def note(self, *, at: int, offset: int, bits: int, window: bytes) -> None:
        """Add a checkpoint. The arguments are as for `Checkpoint`; `window` is the output before it, uncompressed."""
        self._found.append((at, offset, bits, igzip.compress(window, mtime=0)))
        if len(self._found) > MAX_CHECKPOINTS:
            self._found = self._found[1::2]
            self._spacing *= 2

    def clear(self) -> None:
        """Drop all checkpoints."""
        self._found = []

    def finish(self) -> tuple[tuple[Checkpoint, ...], bytes]:
        """Return the checkpoints in order, and their windows as they are to be stored."""
        checkpoints: list[Checkpoint] = []
        kept_at = 0
        for at, offset, bits, kept in self._found:
            checkpoints.append(Checkpoint(at, offset, bits, kept_at, len(kept)))
            kept_at += len(kept)
        return tuple(checkpoints), b"".join(kept for *_, kept in self._found)


def checkpoint_before(checkpoints: Sequence[Checkpoint], at: int) -> Checkpoint | None:
    """Return the last checkpoint with at most `at` bytes of output before it, or None."""
    number = bisect_right(checkpoints, at, key=_at)
    return checkpoints[number - 1] if number else None


def checkpoint_behind(checkpoints: Sequence[Checkpoint], end: int) -> Checkpoint | None:
    """Return the first checkpoint with at least `end` bytes of output before it, or None."""
    number = bisect_left(checkpoints, end, key=_at)
    return checkpoints[number] if number < len(checkpoints) else None


def kept_window(kept: bytes) -> bytes:
    """Return a window, uncompressed.

    Args:
        kept: A checkpoint's part of the stored windows.

    Raises:
        ValueError: This is not a window.
    """
    inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    try:
        window = inflater.decompress(kept, WINDOW_BYTES + 1)
    except _ISAL_ERROR as error:
        raise ValueError("the window is damaged") from error
    if not inflater.eof or len(window) > WINDOW_BYTES:
        raise ValueError("the window is damaged")
    return window


def inflate_from(checkpoint: Checkpoint, window: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a layer's tar from a checkpoint on, in pieces of at most 256 KiB. Some pieces may be empty.

    The content is not verified: neither the window nor the layer is checked here.

    Args:
        checkpoint: Where to start.
        window: The checkpoint's window, uncompressed.
        chunks: The layer blob from `checkpoint.start` on. Exceptions from the iteration are passed on.

    Raises:
        ImageFault: The bytes cannot be inflated.
    """
    inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE, zdict=window)
    try:
        for chunk in _from_a_whole_byte(chunks, checkpoint.bits):
            yield inflater.decompress(chunk, _PIECE_BYTES)
            while not (inflater.needs_input or inflater.eof):
                yield inflater.decompress(b"", _PIECE_BYTES)
            if inflater.eof:
                return
    except _ISAL_ERROR as error:
        raise ImageFault(CORRUPT_LAYER) from error


def _at(checkpoint: Checkpoint) -> int:
    return checkpoint.at


def _from_a_whole_byte(chunks: Iterable[bytes], bits: int) -> Iterator[bytes]:
    """Yield the blocks that start in the highest `bits` bits of the first byte, as a stream that starts with a byte.

    Decompressors start at a whole byte. (zlib's `inflatePrime` helps, but Python does not offer it.) So empty blocks
    are put in front, which fill the lower bits of the first byte.
    """
    started = bits == 0
    for chunk in chunks:
        if started or not chunk:
            yield chunk
            continue
        filling = _empty_blocks(8 - bits)
        yield filling[:-1] + bytes([filling[-1] | chunk[0] >> (8 - bits) << (8 - bits)]) + chunk[1:]
        started = True


# Blocks without content, as fields: the value, and its number of bits; the lowest bit comes first (RFC 1951, 3.2.3).
# With fixed codes, in 10 bits: not the last block, type 1, end of block.
_FIXED_BLOCK: Final = ((0, 1), (1, 2), (0, 7))
# With codes of its own (section 3.2.7), in 97 bits, an odd number: not the last block, type 2; 257 + 0 literal codes,
# 1 + 0 distance codes, 4 + 15 code length codes. Of the latter, in the RFC's order, 18 (repeat zero) has one bit, 0 and
# 1 have two bits each. The code lengths follow: 1 for the first literal; 0 for 138 + 117 others; 1 for the end of
# block; 0 for the distance. Then comes the end of block.
_CODED_BLOCK: Final = (
    *((0, 1), (2, 2), (0, 5), (0, 5), (15, 4)),
    *((length, 3) for length in (0, 0, 1, 2, *(0,) * 13, 2, 0)),
    *((3, 2), (0, 1), (138 - 11, 7), (0, 1), (117 - 11, 7), (3, 2), (1, 2)),
    (1, 1),
)


def _empty_blocks(count: int) -> bytes:
    """Return blocks without content whose last byte has `count` bits in use, 1 to 7. Its other bits are 0."""
    fields = (_CODED_BLOCK if count % 2 else ()) + _FIXED_BLOCK * (count // 2)
    value = size = 0
    for field, bits in fields:
        value |= field << size
        size += bits
    return value.to_bytes((size + 7) // 8, "little")
