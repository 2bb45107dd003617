"""Decompressing layers: gzip, zstd or plain tar, detected by their first bytes (RFC 1952; RFC 8878, section 3.1).

A layer's media type often states the wrong compression, so runtimes look at the bytes too.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, Protocol

from isal import igzip_lib

from packyard.oci.image_fault import CORRUPT_LAYER, ImageFault
from packyard.oci.read.checkpoints import CheckpointLog
from packyard.oci.read.piece_log import FlushWatch, PieceLog

_GZIP: Final = b"\x1f\x8b"
# The other flags of a gzip header must be zero (RFC 1952, section 2.3.1.2). zlib checks that, isal does not.
_ALL_FLAGS: Final = b"\x1f"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# A zstd file may begin with a skippable frame: 0x184D2A50 to 0x184D2A5F in little-endian. These are the last three
# bytes.
_SKIPPABLE_FRAME_END: Final = b"\x2a\x4d\x18"
# Compressions that are not supported, by their first bytes. A tar begins with a file's name, so it is not mistaken.
_NOT_SUPPORTED: Final = {
    "xz": b"\xfd7zXZ\0",
    "bzip2": b"BZh",
    "lz4": b"\x04\x22\x4d\x18",
    "lzip": b"LZIP\x01",
    "compress (.Z)": b"\x1f\x9d",
    "zip": b"PK\x03\x04",
    "7z": b"7z\xbc\xaf\x27\x1c",
}
# "BZh" and a digit could begin a file's name. In bzip2, the digits of pi follow or, in an empty file, those of its
# square root.
_BZIP2: Final = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
_MAGIC_BYTES: Final = 10
_PIECE_BYTES: Final = 256 << 10
# The decompressors return the input after a member's end as a copy. With small inputs, the total time stays linear even
# for thousands of members.
_FEED_BYTES: Final = 32 << 10
# The default limit of the zstd program: a window of 128 MiB. It is allocated only for a layer that needs it.
_ZSTD_WINDOW_LOG: Final = 27
# The stub declares an instance.
_GZIP_ERRORS: Final[tuple[type[Exception], ...]] = (igzip_lib.IsalError,)  # type: ignore[assignment]


class _Decompressor(Protocol):
    """The common interface of isal's and zstd's decompressors, for one gzip member or one zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def inflate_layer(chunks: Iterable[bytes], *, log: PieceLog | None = None) -> Iterator[bytes]:
    """Yield a layer's tar in pieces of at most 256 KiB, whatever the compression ratio. Some pieces may be empty.

    Args:
        chunks: The layer blob. Exceptions from the iteration are passed on.
        log: Receives the positions of gzip members, and whether the layer is not compressed.

    Raises:
        ImageFault: The compression is not supported, is corrupt, or ends too early.
    """
    pending = iter(chunks)
    start = b""
    while len(start) < _MAGIC_BYTES and (chunk := next(pending, None)) is not None:
        start += chunk
    feeds = (
        chunk[at : at + _FEED_BYTES]
        for chunk in chain((start,), pending)
        for at in range(0, len(chunk), _FEED_BYTES)
    )
    if start.startswith(_GZIP):
        if start[3:4] > _ALL_FLAGS:
            raise ImageFault(CORRUPT_LAYER)
        if log is None:
            return _inflate(feeds, _gzip_member, corrupt=_GZIP_ERRORS)
        return _inflate_and_note(feeds, log)
    if start.startswith(_ZSTD) or start[1:].startswith(_SKIPPABLE_FRAME_END):
        return _inflate_zstd(feeds)
    _require_supported(start)
    if log is not None:
        log.plain = True
    return feeds


def inflate_flushed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what pieces that end with a full flush inflate to, in parts of at most 256 KiB; some are empty.

    Args:
        chunks: One or more pieces, one after the other; what raises there passes through.

    Raises:
        ImageFault: They are corrupt.
    """
    decompressor: _Decompressor = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)
    try:
        for chunk in chunks:
            if decompressor.eof:
                raise ImageFault(CORRUPT_LAYER)
            yield from _pieces(decompressor, chunk)
    except _GZIP_ERRORS as error:
        raise ImageFault(CORRUPT_LAYER) from error


def _require_supported(start: bytes) -> None:
    for name, magic in _NOT_SUPPORTED.items():
        if start.startswith(magic) and (name != "bzip2" or start[4:].startswith(_BZIP2)):
            raise ImageFault(f"has a layer compressed with {name}; push it again with gzip or zstd")


def _inflate_zstd(feeds: Iterator[bytes]) -> Iterator[bytes]:
    # Imported here because most layers are gzip. Since Python 3.14 the standard library has it.
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415

    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    return _inflate(feeds, lambda: zstd.ZstdDecompressor(options=options), corrupt=(zstd.ZstdError,))


def _gzip_member() -> _Decompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


def _noting(checkpoints: CheckpointLog) -> Callable[[], _Decompressor]:
    """Return a function that makes the decompressors of one layer. Only that of the first member notes checkpoints.

    A layer with a second member gets none: `PieceLog` notes where its members start.
    """
    # Loaded here because it takes time, and most requests do not scan a layer.
    try:
        from packyard.oci.read.block_inflater import BlockInflater  # noqa: PLC0415
    except ImportError:
        return _gzip_member

    is_first = True

    def member() -> _Decompressor:
        nonlocal is_first
        if is_first:
            is_first = False
            return BlockInflater(checkpoints)
        checkpoints.clear()
        return _gzip_member()

    return member


def _inflate(
    feeds: Iterator[bytes],
    member: Callable[[], _Decompressor],
    *,
    corrupt: tuple[type[Exception], ...],
) -> Iterator[bytes]:
    """Decompress gzip members or zstd frames, one after the other."""
    decompressor = member()
    rest = b""
    try:
        while feed := rest or next(feeds, b""):
            if decompressor.eof:
                decompressor = member()
            yield from _pieces(decompressor, feed)
            rest = decompressor.unused_data if decompressor.eof else b""
    except corrupt as error:
        raise ImageFault(CORRUPT_LAYER) from error
    if not decompressor.eof:
        raise ImageFault(CORRUPT_LAYER)


def _inflate_and_note(feeds: Iterator[bytes], log: PieceLog) -> Iterator[bytes]:
    """Inflate gzip members, and note what of them can be inflated alone."""
    watch = FlushWatch(log)
    member = _gzip_member if log.checkpoints is None else _noting(log.checkpoints)
    decompressor = member()
    log.note_member(0, 0)
    rest = b""
    taken = made = 0
    parts = watch.split(feeds)
    try:
        while feed := rest or next(parts, b""):
            if decompressor.eof:
                log.note_member(taken, made)
                decompressor = member()
            watch.note_fed(feed)
            for piece in _pieces(decompressor, feed):
                made += len(piece)
                watch.note_made(piece)
                yield piece
            rest = decompressor.unused_data if decompressor.eof else b""
            taken += len(feed) - len(rest)
            if decompressor.eof:
                watch.note_end_of_member(taken, made)
            else:
                watch.note_end_of_part(taken, made)
    except _GZIP_ERRORS as error:
        raise ImageFault(CORRUPT_LAYER) from error
    if not decompressor.eof:
        raise ImageFault(CORRUPT_LAYER)
    log.note_member(taken, made)


def _pieces(decompressor: _Decompressor, feed: bytes) -> Iterator[bytes]:
    yield decompressor.decompress(feed, _PIECE_BYTES)
    while not (decompressor.needs_input or decompressor.eof):
        yield decompressor.decompress(b"", _PIECE_BYTES)
