"""Reading an untrusted gzip file (RFC 1952) piece by piece, bounded in memory, bytes and number of members.

The decompressor reads raw deflate only. This module reads the headers, the trailers and what follows the last member,
so that it can check all of it. isal accepts slightly more deflate streams than zlib: those with an incomplete Huffman
code (RFC 1951, section 3.2.7), as long as no unassigned bit sequence occurs.
"""

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Protocol

from isal import igzip_lib, isal_zlib

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.oci.build.overlap import taken_ahead
from packyard.oci.build.processors import usable_processors
from packyard.packs.archive.file_kind import LONGEST_LOOK, kind_of, text_of_gzip
from packyard.packs.archive.limits import KIB, ArchiveLimits

_READ_BYTES = 256 * KIB
_PIECE_BYTES = 256 * KIB
# The decompressor returns the input after a member's end as a copy. With small inputs, the total time stays linear even
# for thousands of members.
_FEED_BYTES = 32 * KIB
# Enough for 1 GiB in members of 16 KiB each; real compressors write larger ones.
_MAX_GZIP_MEMBERS = 65_536
_MAX_TEXT_FIELD_BYTES = 64 * KIB
_TRAILER_BYTES = 8
# What an archive inflates to, at least, before a thread is worth its start.
_PIECES_BEFORE_THREAD = 8
# With two processors, one reads and the other compresses: neither has time for more.
_BUSY_WITHOUT = 2
_ZEROS = bytes(_PIECE_BYTES)

_MAGIC = b"\x1f\x8b"
_DEFLATE = 8
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16
_RESERVED_FLAGS = 0xE0

DATA_AFTER_END = (
    "has data after the tar's end marker, such as a line break or a second tar (tar -A, cat); "
    "pack all of it at once"
)
_WANTED = "a gzip-compressed tar is needed (tar -czf pack.tar.gz FOLDER)"


def refused(reason: str) -> InvalidRequest:
    """Return an error about the archive as a whole.

    Args:
        reason: What is wrong, as a text that follows the field name `archive`.
    """
    return InvalidRequest({"archive": reason})


class Readable(Protocol):
    """What archives are read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes; none at the end."""
        ...


class _CompressedInput:
    """The compressed file, counted against its limit, with a look-ahead buffer."""

    def __init__(self, stream: Readable, *, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit
        self._buffer = b""
        self._position = 0

    def _refill(self) -> bool:
        piece = self._stream.read(_READ_BYTES)
        self._left -= len(piece)
        if self._left < 0:
            raise PayloadTooLarge(f"The archive is over {self._limit} bytes.")
        self._buffer = self._buffer[self._position :] + piece
        self._position = 0
        return bool(piece)

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes, or fewer at the end, without consuming them."""
        while len(self._buffer) - self._position < count and self._refill():
            pass
        return self._buffer[self._position : self._position + count]

    def take(self, count: int) -> bytes:
        """Consume and return exactly `count` bytes."""
        taken = self.peek(count)
        if len(taken) < count:
            raise refused("is cut off: the gzip stream ends too early; send the whole file")
        self._position += count
        return taken

    def take_some(self, count: int) -> bytes:
        """Consume and return at least one byte and at most `count`, or nothing at the end."""
        taken = self.peek(1) and self._buffer[self._position : self._position + count]
        self._position += len(taken)
        return taken

    def take_text(self) -> bytes:
        """Consume a zero-terminated field and return it with its terminator."""
        seen = 0
        while (
            found := self._buffer.find(b"\0", self._position + seen)
        ) < 0 and seen <= _MAX_TEXT_FIELD_BYTES:
            seen = len(self._buffer) - self._position
            if not self._refill():
                raise refused("is cut off: the gzip stream ends too early; send the whole file")
        length = found + 1 - self._position
        if not 0 < length <= _MAX_TEXT_FIELD_BYTES:
            raise refused(f"is not valid gzip: a header field is over {_MAX_TEXT_FIELD_BYTES} bytes")
        return self.take(length)

    def put_back(self, count: int) -> None:
        """Return the last `count` bytes to the input; they must still be in the buffer."""
        self._position -= count


class GzipStream:
    """The decompressed content of a gzip file, as a forward-only stream.

    At most 2 MiB are in memory at a time, whatever the compression ratio. With more than two processors, a large file
    is decompressed on another thread, a few pieces ahead; `close` ends it.

    Args:
        stream: The compressed file. It is read sequentially, and past the compressed limit by at most one read.
        limits: `compressed_bytes` and `unpacked_bytes` are enforced here.
    """

    def __init__(self, stream: Readable, *, limits: ArchiveLimits) -> None:
        self._input = _CompressedInput(stream, limit=limits.compressed_bytes)
        self._unpacked_limit = limits.unpacked_bytes
        self._uninflated = limits.unpacked_bytes
        self._unread = limits.unpacked_bytes
        self._pieces = self._inflated_ahead()
        self._piece = b""
        self._position = 0
        self._padded = False

    @property
    def padded(self) -> bool:
        """Whether zeros follow the last gzip member; valid at the end of the stream. Go reports them as an error."""
        return self._padded

    def close(self) -> None:
        """Read no further."""
        self._pieces.close()

    def reserve(self, count: int) -> None:
        """Check that `count` more bytes fit into the unpacked limit, before any of them is decompressed.

        Raises:
            InvalidRequest: On `archive`: they do not fit.
        """
        if count > self._unread:
            raise self._over_limit()

    def charge(self, count: int) -> None:
        """Count bytes that do not come from the stream, the copy of a hard link's file, against the unpacked limit.

        Raises:
            InvalidRequest: On `archive`: the limit is exceeded.
        """
        self._unread -= count
        self._uninflated -= count
        if self._uninflated < 0:
            raise self._over_limit()

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes, or fewer at the end of the stream. They are all held in memory.

        Raises:
            InvalidRequest: On `archive`: truncated, corrupt, or over the unpacked limit.
            PayloadTooLarge: Over the compressed limit.
        """
        end = self._position + count
        if end <= len(self._piece):
            taken = self._piece[self._position : end]
            self._position = end
            self._unread -= count
            return taken
        return b"".join(self.pieces(count))

    def pieces(self, count: int) -> Iterator[bytes]:
        """Yield the next `count` bytes, or fewer at the end of the stream, in pieces of at most 256 KiB.

        Raises:
            InvalidRequest: On `archive`: truncated, corrupt, or over the unpacked limit.
            PayloadTooLarge: Over the compressed limit.
        """
        while count > 0:
            if self._position == len(self._piece):
                self._piece = next(self._pieces, b"")
                self._position = 0
                self._uninflated -= len(self._piece)
                if self._uninflated < 0:
                    raise self._over_limit()
                if not self._piece:
                    return
            taken = self._piece[self._position : self._position + count]
            self._position += len(taken)
            self._unread -= len(taken)
            count -= len(taken)
            yield taken

    def expect_zeros_to_end(self) -> None:
        """Read the stream to its end, and check that the rest is zeros.

        Raises:
            InvalidRequest: On `archive`: something other than zeros follows, or as for `pieces`.
            PayloadTooLarge: Over the compressed limit.
        """
        for piece in self.pieces(self._unpacked_limit + 1):
            if piece != _ZEROS[: len(piece)]:
                raise refused(DATA_AFTER_END)

    def _over_limit(self) -> InvalidRequest:
        return refused(f"unpacks to more than {self._unpacked_limit} bytes")

    def _inflated_ahead(self) -> Generator[bytes]:
        inflated = self._inflate()
        yield from islice(inflated, _PIECES_BEFORE_THREAD)
        yield from inflated if usable_processors() <= _BUSY_WITHOUT else taken_ahead(inflated)

    def _inflate(self) -> Iterator[bytes]:
        self._refuse_look_alikes()
        for _ in range(_MAX_GZIP_MEMBERS):
            self._read_header()
            yield from self._inflate_member()
            if self._input.peek(len(_MAGIC)) != _MAGIC:
                self._expect_padding()
                return
        raise refused(f"has more than {_MAX_GZIP_MEMBERS} gzip members")

    def _refuse_look_alikes(self) -> None:
        start = self._input.peek(LONGEST_LOOK)
        if not start:
            raise refused(f"is empty; {_WANTED}")
        if not start.startswith(_MAGIC):
            raise refused(text_of_gzip(start) or f"is {kind_of(start) or 'not gzip'}; {_WANTED}")

    def _read_header(self) -> None:
        """Read one member's header (RFC 1952, section 2.3)."""
        header = self._input.take(10)
        flags = header[3]
        if header[2] != _DEFLATE or flags & _RESERVED_FLAGS:
            raise refused("is not valid gzip: the header names a method or flag that does not exist")
        if flags & _FEXTRA:
            length = self._input.take(2)
            header += length + self._input.take(int.from_bytes(length, "little"))
        for flag in (_FNAME, _FCOMMENT):
            if flags & flag:
                header += self._input.take_text()
        if (
            flags & _FHCRC
            and int.from_bytes(self._input.take(2), "little") != isal_zlib.crc32(header) & 0xFFFF
        ):
            raise refused("is corrupt: a gzip header's checksum does not match")

    def _inflate_member(self) -> Iterator[bytes]:
        decompressor = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)
        checksum = length = 0
        while not decompressor.eof:
            compressed = self._input.take_some(_FEED_BYTES) if decompressor.needs_input else b""
            try:
                piece = decompressor.decompress(compressed, _PIECE_BYTES)
            except igzip_lib.IsalError as error:  # type: ignore[misc] # the stub declares an instance
                raise refused(
                    "is corrupt: the gzip stream does not inflate; it was changed on its way, perhaps sent as text "
                    "(curl -F archive=@FILE sends the bytes as they are)"
                ) from error
            if piece:
                checksum = isal_zlib.crc32(piece, checksum)
                length += len(piece)
                yield piece
            elif not compressed and decompressor.needs_input and not decompressor.eof:
                raise refused("is cut off: the gzip stream ends too early; send the whole file")
        self._input.put_back(len(decompressor.unused_data))
        trailer = self._input.take(_TRAILER_BYTES)
        if trailer != checksum.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little"):
            raise refused("is corrupt: the gzip checksum or length does not match")

    def _expect_padding(self) -> None:
        while piece := self._input.take_some(_PIECE_BYTES):
            if piece != _ZEROS[: len(piece)]:
                raise refused(
                    "has data after the end of the gzip stream, such as a signature or a line break; send the file as "
                    "the tool wrote it"
                )
            self._padded = True
