"""A strict, sequential reader of untrusted tar archives: ustar, GNU and pax.

It accepts what GNU tar, libarchive, Go's archive/tar, Python's tarfile and node-tar all read the same way, however
odd its bytes. Where they differ (which header wins, where the next one starts, what an odd type is), the archive is
refused: one that means one thing to the check and another to whoever unpacks it is how checks are got around.
"""

from collections.abc import Iterator
from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.archive.file_kind import is_tar, kind_of
from packyard.packs.archive.gzip_stream import DATA_AFTER_END, GzipStream, refused
from packyard.packs.archive.limits import MIB, ArchiveLimits
from packyard.packs.archive.member_path import shown
from packyard.packs.archive.pax import MAX_RECORDS, changes_members, parse_pax_records
from packyard.packs.archive.tar_header import BLOCK_BYTES, TarHeader, parse_tar_header
from packyard.packs.archive.tar_member import EXTENSION_TYPES, Member, MemberExtensions
from packyard.packs.archive.tar_start import check_start

_ZERO_BLOCK: Final = bytes(BLOCK_BYTES)
# What Go and node-tar read at most. Attributes of macOS fill much of it.
_MAX_EXTENSION_BYTES: Final = MIB
# Of all headers together: what keeps a hostile archive cheap to refuse. Writers put down a dozen for a member.
_MAX_RECORDS: Final = 1_000_000
# `git archive` writes one.
_MAX_GLOBAL_HEADERS: Final = 16
_PAX_GLOBAL: Final = b"g"
_NAME_FIELD: Final = slice(0, 100)
_WITHOUT_ATTRIBUTES: Final = (
    "pack without attributes (bsdtar: --no-xattrs --no-acls --no-mac-metadata; GNU tar: no --xattrs)"
)
_CUT_OFF: Final = "is cut off: the tar ends in the middle of a member"


class TarReader:
    """The members of a tar, in order; each one's content can be read while it is the current one.

    Args:
        stream: The uncompressed tar.
        limits: `members` is enforced here; extension headers belong to their member and are not counted.
    """

    def __init__(self, stream: GzipStream, *, limits: ArchiveLimits) -> None:
        self._stream = stream
        self._max_members = limits.members
        self._global_headers = 0
        self._records_left = _MAX_RECORDS
        self._header_at = 0
        self._next_at = 0
        self._content_left = 0

    def __iter__(self) -> Iterator[Member]:
        """Yield every member; what was left of the content of the one before is skipped.

        Raises:
            InvalidRequest: On `archive` or a member: nothing more can be read, or not without guessing.
            PayloadTooLarge: Over the compressed limit.
        """
        count = 0
        while (member := self._next_member()) is not None:
            count += 1
            if count > self._max_members:
                raise refused(f"has more than {self._max_members} members")
            self._content_left = member.size
            yield member
            for _ in self.content():
                pass
            self._take(-member.size % BLOCK_BYTES)

    def content(self) -> Iterator[bytes]:
        """Yield what is left of the current member's content in pieces of at most 256 KiB.

        Raises:
            InvalidRequest: On `archive`: truncated, corrupt, or over the unpacked limit.
            PayloadTooLarge: Over the compressed limit.
        """
        for piece in self._stream.pieces(self._content_left):
            self._content_left -= len(piece)
            yield piece
        if self._content_left:
            raise self._malformed("is cut off inside a member's content")

    def _malformed(self, reason: str, name: bytes = b"") -> InvalidRequest:
        of = f" of {shown(name)}" if name else ""
        return refused(f"{reason} (header{of} at byte {self._header_at} of the tar)")

    def _take(self, count: int) -> bytes:
        taken = self._stream.take(count)
        if len(taken) < count:
            raise refused(_CUT_OFF)
        return taken

    def _next_member(self) -> Member | None:
        extensions = MemberExtensions()
        header_pending = False
        while (header := self._next_header()) is not None:
            try:
                header_pending = True
                if header.type == _PAX_GLOBAL:
                    self._pass_global_header(header, extensions)
                elif header.type in EXTENSION_TYPES:
                    extensions.add(header, self._payload(header))
                else:
                    return extensions.apply(header)
            except ValueError as error:
                raise self._malformed(str(error), extensions.name_of(header)) from None
        if header_pending:
            raise self._malformed("ends with an extension header that no member follows")
        return None

    def _next_header(self) -> TarHeader | None:
        """Return the next header, or None at the end marker, which nothing but zeros may follow.

        Some writers leave it out. Behind at least one member, all readers take the end of the file for it.
        """
        self._header_at = self._next_at
        block = self._stream.take(BLOCK_BYTES)
        if not block and self._header_at:
            self._end_without_marker()
            return None
        if len(block) < BLOCK_BYTES:
            raise refused(_CUT_OFF if self._header_at else _no_tar(block))
        if block == _ZERO_BLOCK:
            self._pass_end_marker()
            return None
        header = self._parsed(block)
        self._stream.reserve(header.size)
        self._next_at += BLOCK_BYTES + header.size + -header.size % BLOCK_BYTES
        return header

    def _parsed(self, block: bytes) -> TarHeader:
        first = self._header_at == 0
        try:
            header = parse_tar_header(block)
        except ValueError as error:
            if is_tar(block):
                raise self._malformed(str(error), block[_NAME_FIELD].partition(b"\0")[0]) from None
            raise (refused(_no_tar(block)) if first else self._malformed(str(error))) from None
        try:
            if first:
                check_start(block, extension=header.type in (_PAX_GLOBAL, *EXTENSION_TYPES))
        except ValueError as error:
            raise self._malformed(str(error), header.name) from None
        return header

    def _pass_end_marker(self) -> None:
        """Read the second of two zero blocks, of which some writers write one, and what padding there is."""
        block = self._stream.take(BLOCK_BYTES)
        if not block:
            self._end_without_marker()
        elif block != _ZERO_BLOCK[: len(block)]:
            raise refused(DATA_AFTER_END)
        elif len(block) < BLOCK_BYTES:
            raise refused("is cut off: the tar ends in the middle of its end marker")
        self._stream.expect_zeros_to_end()

    def _end_without_marker(self) -> None:
        """Check that Go gets to the end, which reads on here and takes zeros behind a gzip file for damage to it."""
        if self._stream.padded:
            raise refused(
                "has no end marker, but zeros after the end of the gzip stream, which some readers take for damage"
            )

    def _payload(self, header: TarHeader) -> bytes:
        if header.size > _MAX_EXTENSION_BYTES:
            raise ValueError(
                f"has an extension header over {_MAX_EXTENSION_BYTES} bytes; {_WITHOUT_ATTRIBUTES}"
            )
        payload = self._take(header.size)
        # Each line is a record at most, and a header has no more than so many.
        self._records_left -= min(payload.count(b"\n"), MAX_RECORDS)
        if self._records_left < 0:
            raise ValueError(f"has more than {_MAX_RECORDS} pax records; {_WITHOUT_ATTRIBUTES}")
        # Some readers look for records, or for the end of a name, up to the end of the block.
        if any(self._take(-header.size % BLOCK_BYTES)):
            raise ValueError("has an extension header that is not padded with zeros")
        return payload

    def _pass_global_header(self, header: TarHeader, extensions: MemberExtensions) -> None:
        self._global_headers += 1
        if self._global_headers > _MAX_GLOBAL_HEADERS:
            raise ValueError(f"has more than {_MAX_GLOBAL_HEADERS} global pax headers")
        if extensions or changes_members(parse_pax_records(self._payload(header))):
            raise ValueError(
                "has a global pax header that says what members are, which readers apply differently; say it for each "
                "member"
            )


def _no_tar(start: bytes) -> str:
    return (
        f"is gzip, but what it holds is {kind_of(start) or 'no tar'}; pack it by tar -czf pack.tar.gz FOLDER"
    )
