"""A strict reader of untrusted zip archives (API contract, section 12, decision 135).

The directory is at a zip's end, so the archive is copied first: up to 8 MiB in memory, and more to the local disk. Its
members come in the order of their bytes, each once.
"""

import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Final

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.packs.archive.gzip_stream import Readable, refused
from packyard.packs.archive.limits import KIB, MIB, ArchiveLimits
from packyard.packs.archive.member_path import shown
from packyard.packs.archive.tar_member import Member, MemberKind
from packyard.packs.archive.zip_records import (
    DEFLATED,
    LOCAL,
    TAIL_BYTES,
    ZipEntry,
    check_descriptor,
    check_local_header,
    entries,
    find_directory,
)

_IN_MEMORY: Final = 8 * MIB
_PIECE_BYTES: Final = 256 * KIB
# A member's entry in the directory: its path, and what writers add.
_LARGEST_ENTRY: Final = 4 * KIB
_CUT_OFF: Final = "is cut off inside a file; send the whole zip"


class ZipReader:
    """The members of a zip. See `MemberSource`.

    Args:
        stream: The archive, read sequentially and to its end, past the compressed limit by at most one read.
        limits: The limits to enforce.
    """

    def __init__(self, stream: Readable, *, limits: ArchiveLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - `close` closes it
        self._uncharged = limits.unpacked_bytes
        self._content: Iterator[bytes] = iter(())

    def __iter__(self) -> Iterator[Member]:
        """See `MemberSource`."""
        archive_bytes = self._copy()
        try:
            found, end = self._directory(archive_bytes)
            at = 0
            for number, entry in enumerate(found):
                after = found[number + 1].offset if number + 1 < len(found) else end
                start = self._content_start(entry, at=at, end=after)
                self.charge(entry.size)
                self._content = self._inflated(entry, start)
                yield _member(entry)
                if not entry.refusal:
                    for _ in self._content:
                        pass
                at = after
        except ValueError as error:
            raise refused(str(error)) from None

    def content(self) -> Iterator[bytes]:
        """See `MemberSource`."""
        return self._content

    def charge(self, count: int) -> None:
        """See `MemberSource`."""
        self._uncharged -= count
        if self._uncharged < 0:
            raise refused(f"unpacks to more than {self._limits.unpacked_bytes} bytes")

    def close(self) -> None:
        """See `MemberSource`."""
        self._file.close()

    def _copy(self) -> int:
        size = 0
        while piece := self._stream.read(_PIECE_BYTES):
            size += len(piece)
            if size > self._limits.compressed_bytes:
                raise PayloadTooLarge(f"The archive is over {self._limits.compressed_bytes} bytes.")
            self._file.write(piece)
        return size

    def _directory(self, archive_bytes: int) -> tuple[list[ZipEntry], int]:
        """Return the entries in the order of their bytes, and where the last one ends."""
        where = find_directory(
            self._read(max(archive_bytes - TAIL_BYTES, 0), min(archive_bytes, TAIL_BYTES)),
            archive_bytes=archive_bytes,
        )
        if where.count > self._limits.members:
            raise refused(f"has more than {self._limits.members} members")
        if where.size > self._limits.members * _LARGEST_ENTRY:
            raise refused("has a directory that is too large for its members")
        found = sorted(
            entries(self._read(where.offset, where.size), count=where.count), key=lambda one: one.offset
        )
        if (found[0].offset if found else where.offset) != 0:
            raise ValueError("has bytes before its first file, which some readers take for another archive")
        return found, where.offset

    def _content_start(self, entry: ZipEntry, *, at: int, end: int) -> int:
        """Check the header in front of a file, and what follows its content; return where the content starts."""
        header = self._read(at, LOCAL.size)
        if len(header) < LOCAL.size:
            raise ValueError(_CUT_OFF)
        *_, name_length, extra_length = LOCAL.unpack(header)
        rest = self._read(at + LOCAL.size, name_length + extra_length)
        check_local_header(header, entry, name=rest[:name_length], extra=rest[name_length:])
        start: int = at + LOCAL.size + name_length + extra_length
        left = end - start - entry.compressed
        # A data descriptor has at most 16 bytes.
        check_descriptor(self._read(start + entry.compressed, min(max(left, 0), 17)), entry)
        if left < 0:
            raise ValueError("has files that overlap")
        return start

    def _inflated(self, entry: ZipEntry, start: int) -> Iterator[bytes]:
        """Yield a file's content, and check its length and its checksum at the end."""
        crc, size = 0, 0
        for piece in self._deflated(entry, start) if entry.method == DEFLATED else self._stored(entry, start):
            crc = zlib.crc32(piece, crc)
            size += len(piece)
            if size > entry.size:
                raise self._corrupt(entry)
            yield piece
        if (size, crc) != (entry.size, entry.crc):
            raise self._corrupt(entry)

    def _stored(self, entry: ZipEntry, start: int) -> Iterator[bytes]:
        for at in range(start, start + entry.compressed, _PIECE_BYTES):
            yield self._read(at, min(_PIECE_BYTES, start + entry.compressed - at))

    def _deflated(self, entry: ZipEntry, start: int) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for compressed in self._stored(entry, start):
                left = compressed
                while left and not inflater.eof:
                    yield inflater.decompress(left, _PIECE_BYTES)
                    left = inflater.unconsumed_tail
                if left or inflater.unused_data:
                    raise self._corrupt(entry)
            while not inflater.eof and (piece := inflater.decompress(b"", _PIECE_BYTES)):
                yield piece
        except zlib.error:
            raise self._corrupt(entry) from None
        if not inflater.eof:
            raise self._corrupt(entry)

    def _corrupt(self, entry: ZipEntry) -> InvalidRequest:
        return refused(
            f"is corrupt: the content of {shown(entry.name)} is not what the zip says; make it again"
        )

    def _read(self, at: int, count: int) -> bytes:
        self._file.seek(at)
        return self._file.read(count)


def _member(entry: ZipEntry) -> Member:
    kind = MemberKind.DIRECTORY if entry.directory else MemberKind.FILE
    return Member(
        name=entry.name,
        kind=MemberKind.REFUSED if entry.refusal else kind,
        size=0 if entry.directory else entry.size,
        executable=entry.executable,
        link_name=b"",
        refusal=entry.refusal,
    )
