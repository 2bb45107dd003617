"""What the members of an archive are read from: a gzip-compressed tar, or a zip."""

from collections.abc import Iterator
from typing import Final, Protocol

from packyard.packs.archive.gzip_stream import GzipStream, Readable
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.tar import TarReader
from packyard.packs.archive.tar_member import Member

# A zip begins with a local header or, if it is empty, with its directory's end (APPNOTE.TXT 6.3.10, section 4.3.6).
_ZIP_STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_LOOK: Final = 4


class MemberSource(Protocol):
    """The members of an archive, in order. A member's content can be read until the next member is requested."""

    def __iter__(self) -> Iterator[Member]:
        """Yield every member. The unread content of the previous member is skipped.

        Raises:
            InvalidRequest: On `archive`: the rest cannot be read, or readers would disagree on it.
            PayloadTooLarge: Over the compressed limit.
        """

    def content(self) -> Iterator[bytes]:
        """Yield the unread content of the current member, in pieces of at most 256 KiB.

        Raises:
            InvalidRequest: On `archive`: cut off, corrupt, or over the unpacked limit.
            PayloadTooLarge: Over the compressed limit.
        """

    def charge(self, count: int) -> None:
        """Count so many bytes of a copy towards the unpacked limit.

        Raises:
            InvalidRequest: On `archive`: over the limit.
        """

    def close(self) -> None:
        """Release what reading has taken."""


class TarSource:
    """The members of a `.tar.gz`. See `MemberSource`.

    Args:
        stream: The archive, read sequentially.
        limits: The limits to enforce.
    """

    def __init__(self, stream: Readable, *, limits: ArchiveLimits) -> None:
        self._stream = GzipStream(stream, limits=limits)
        self._tar = TarReader(self._stream, limits=limits)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._tar)

    def content(self) -> Iterator[bytes]:
        """See `MemberSource`."""
        return self._tar.content()

    def charge(self, count: int) -> None:
        """See `MemberSource`."""
        self._stream.charge(count)

    def close(self) -> None:
        """See `MemberSource`."""
        self._stream.close()


def source_of(stream: Readable, *, limits: ArchiveLimits) -> MemberSource:
    """Return what reads an archive, by its first bytes.

    Args:
        stream: The archive, read sequentially.
        limits: The limits to enforce.
    """
    head = b""
    while len(head) < _LOOK and (piece := stream.read(_LOOK - len(head))):
        head += piece
    begun = _Begun(head, stream)
    if head.startswith(_ZIP_STARTS):
        # Most archives are none.
        from packyard.packs.archive.zip_reader import ZipReader  # noqa: PLC0415

        return ZipReader(begun, limits=limits)
    return TarSource(begun, limits=limits)


class _Begun:
    """A stream of which the first bytes have been read."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        if not self._head:
            return self._rest.read(size)
        taken, self._head = self._head[:size], self._head[size:]
        return taken
