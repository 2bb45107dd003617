"""Layers as they come: gzip, zstd or plain tar, told by their first bytes (RFC 1952; RFC 8878, section 3.1).

A layer's media type is often wrong about it, so runtimes look at the bytes as well.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, Protocol

from isal import igzip_lib

from packyard.oci.image_fault import ImageFault

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
# A zstd file may begin with a frame to skip, of 16 kinds: 0x184D2A50 and following, little-endian.
_SKIPPED_ONWARD: Final = b"\x2a\x4d\x18"
_MAGIC_BYTES: Final = 4
_PIECE_BYTES: Final = 256 << 10
# The decompressors hand back what follows a member as a copy; small feeds keep thousands of members linear.
_FEED_BYTES: Final = 32 << 10
# The most that zstd's own tool takes without being told to: 128 MiB, allocated only by a layer that asks for it.
_ZSTD_WINDOW_LOG: Final = 27
# The stub declares an instance.
_GZIP_ERRORS: Final[tuple[type[Exception], ...]] = (igzip_lib.IsalError,)  # type: ignore[assignment]
_CORRUPT: Final = "has a layer whose compression is corrupt"


class _Decompressor(Protocol):
    """What isal and zstd have in common: one gzip member, or one zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def inflate_layer(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the tar that a layer holds, in pieces of at most 256 KiB however well it is compressed; some are empty.

    Args:
        chunks: The layer blob; what raises there passes through.

    Raises:
        ImageFault: It is compressed in a way that cannot be undone, or ends too early.
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
        return _inflate(feeds, _gzip_member, corrupt=_GZIP_ERRORS)
    if start.startswith(_ZSTD) or start[1:].startswith(_SKIPPED_ONWARD):
        return _inflate_zstd(feeds)
    return feeds


def _inflate_zstd(feeds: Iterator[bytes]) -> Iterator[bytes]:
    # Most layers are gzip; they need not wait for this.
    from backports import zstd  # noqa: PLC0415

    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    return _inflate(feeds, lambda: zstd.ZstdDecompressor(options=options), corrupt=(zstd.ZstdError,))


def _gzip_member() -> _Decompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


def _inflate(
    feeds: Iterator[bytes], member: Callable[[], _Decompressor], *, corrupt: tuple[type[Exception], ...]
) -> Iterator[bytes]:
    """Inflate members, or frames, one after the other."""
    decompressor = member()
    rest = b""
    try:
        while feed := rest or next(feeds, b""):
            if decompressor.eof:
                decompressor = member()
            yield decompressor.decompress(feed, _PIECE_BYTES)
            while not (decompressor.needs_input or decompressor.eof):
                yield decompressor.decompress(b"", _PIECE_BYTES)
            rest = decompressor.unused_data if decompressor.eof else b""
    except corrupt as error:
        raise ImageFault(_CORRUPT) from error
    if not decompressor.eof:
        raise ImageFault(_CORRUPT)
