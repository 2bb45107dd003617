"""Decompressing layers: gzip, zstd or plain tar, detected by their first bytes (RFC 1952; RFC 8878, section 3.1).

A layer's media type often states the wrong compression, so runtimes look at the bytes too.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, Protocol

from isal import igzip_lib

from packyard.oci.content import GzipMember
from packyard.oci.image_fault import ImageFault

_GZIP: Final = b"\x1f\x8b"
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
_CORRUPT: Final = "has a layer whose compression is corrupt"
# The largest layers of this service have a tenth of this. Each noted member takes 16 bytes.
_MAX_NOTED_MEMBERS: Final = 1 << 20
# The most bytes that may follow a file in its last gzip member. With more, reading only these members saves too little.
_MAX_EXCESS: Final = 1 << 20


class MemberLog:
    """The positions of a layer's gzip members, noted while it is decompressed, so that files can be read alone later.

    Attributes:
        plain: Whether the layer is not compressed.
    """

    def __init__(self) -> None:
        self.plain = False
        self._offsets = array("Q")
        self._raw_offsets = array("Q")

    def note(self, offset: int, raw_offset: int) -> None:
        """Note where a member starts, or where the last one ends.

        Args:
            offset: The position in the blob, in bytes.
            raw_offset: The position in the tar, in bytes.
        """
        if len(self._offsets) <= _MAX_NOTED_MEMBERS:
            self._offsets.append(offset)
            self._raw_offsets.append(raw_offset)

    def members(self, at: int, size: int) -> tuple[GzipMember, ...]:
        """Return the gzip members that contain a range of the tar.

        The result is empty if the range does not begin at the start of a member, or too much follows it in the last
        one.

        Args:
            at: The start of the range, in bytes from the start of the tar.
            size: The length of the range in bytes, at least 1.
        """
        found: list[GzipMember] = []
        starts, end = self._raw_offsets, at + size
        number = bisect_right(starts, at) - 1
        if number < 0 or starts[number] != at:
            return ()
        while starts[number] < end:
            if number + 1 == len(starts):
                return ()
            offset, length = self._offsets[number], self._offsets[number + 1] - self._offsets[number]
            found.append(GzipMember(offset, length, starts[number + 1] - starts[number]))
            number += 1
        return tuple(found) if starts[number] - end <= _MAX_EXCESS else ()


class _Decompressor(Protocol):
    """The common interface of isal's and zstd's decompressors, for one gzip member or one zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def inflate_layer(chunks: Iterable[bytes], *, log: MemberLog | None = None) -> Iterator[bytes]:
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
        return _inflate(feeds, _gzip_member, corrupt=_GZIP_ERRORS, log=log)
    if start.startswith(_ZSTD) or start[1:].startswith(_SKIPPABLE_FRAME_END):
        return _inflate_zstd(feeds)
    _require_supported(start)
    if log is not None:
        log.plain = True
    return feeds


def _require_supported(start: bytes) -> None:
    for name, magic in _NOT_SUPPORTED.items():
        if start.startswith(magic) and (name != "bzip2" or start[4:].startswith(_BZIP2)):
            raise ImageFault(f"has a layer compressed with {name}; push it again with gzip or zstd")


def _inflate_zstd(feeds: Iterator[bytes]) -> Iterator[bytes]:
    # Imported here because most layers are gzip.
    from backports import zstd  # noqa: PLC0415

    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    return _inflate(feeds, lambda: zstd.ZstdDecompressor(options=options), corrupt=(zstd.ZstdError,))


def _gzip_member() -> _Decompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


def _inflate(
    feeds: Iterator[bytes],
    member: Callable[[], _Decompressor],
    *,
    corrupt: tuple[type[Exception], ...],
    log: MemberLog | None = None,
) -> Iterator[bytes]:
    """Decompress gzip members or zstd frames, one after the other."""
    decompressor = member()
    note = (log or MemberLog()).note
    note(0, 0)
    rest = b""
    taken = made = 0
    try:
        while feed := rest or next(feeds, b""):
            if decompressor.eof:
                note(taken, made)
                decompressor = member()
            for piece in _pieces(decompressor, feed):
                made += len(piece)
                yield piece
            rest = decompressor.unused_data if decompressor.eof else b""
            taken += len(feed) - len(rest)
    except corrupt as error:
        raise ImageFault(_CORRUPT) from error
    if not decompressor.eof:
        raise ImageFault(_CORRUPT)
    note(taken, made)


def _pieces(decompressor: _Decompressor, feed: bytes) -> Iterator[bytes]:
    yield decompressor.decompress(feed, _PIECE_BYTES)
    while not (decompressor.needs_input or decompressor.eof):
        yield decompressor.decompress(b"", _PIECE_BYTES)
