"""A strict, sequential reader of untrusted tar archives: ustar, GNU and pax.

It accepts every archive that GNU tar, libarchive, Go's archive/tar, Python's tarfile and node-tar read the same way,
however unusual its bytes are. It refuses an archive that they read differently (which header wins, where the next one
starts, what an unusual type is). Otherwise an attacker could bypass the checks with an archive that the program which
unpacks it reads in another way.
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
# The limit of Go and node-tar. Extended attributes of macOS can take much of it.
_MAX_EXTENSION_BYTES: Final = MIB
# In all headers together. This bounds the time that a hostile archive takes; honest writers use about twelve per
# member.
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
    """The members of a tar, in order. A member's content can be read until the next member is requested.

    Args:
        stream: The uncompressed tar.
        limits: `members` is enforced here; extension headers are not counted.
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
        """Yield every member. The unread content of the previous member is skipped.

        Raises:
            InvalidRequest: On `archive` or a member: the rest cannot be read, or tar readers would disagree on it.
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
        """Yield the unread content of the current member, in pieces of at most 256 KiB.

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
        """Return the next header, or None at the end marker, after which there may only be zeros.

        Some writers leave the end marker out. All readers accept that if there is at least one member.
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
        """Read the end marker's second zero block, which some writers leave out, and the padding."""
        block = self._stream.take(BLOCK_BYTES)
        if not block:
            self._end_without_marker()
        elif block != _ZERO_BLOCK[: len(block)]:
            raise refused(DATA_AFTER_END)
        elif len(block) < BLOCK_BYTES:
            raise refused("is cut off: the tar ends in the middle of its end marker")
        self._stream.expect_zeros_to_end()

    def _end_without_marker(self) -> None:
        """Refuse zeros after the gzip stream: without an end marker, Go reads on and reports them as corrupt gzip."""
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
        # A record ends with a line break, so the line breaks are an upper bound; MAX_RECORDS is one too.
        self._records_left -= min(payload.count(b"\n"), MAX_RECORDS)
        if self._records_left < 0:
            raise ValueError(f"has more than {_MAX_RECORDS} pax records; {_WITHOUT_ATTRIBUTES}")
        # Some readers look for records, or for the end of a name, in the padding too.
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
