"""Tar members: a header combined with the extension headers before it."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.archive.access_list import contradicts_mode
from packyard.packs.archive.member_path import shown
from packyard.packs.archive.pax import PaxRecords, describes_sparse_file, parse_pax_records, real_name
from packyard.packs.archive.tar_header import SPARSE_TYPE, TarHeader

_FILE, _OLD_FILE, _HARD_LINK, _DIRECTORY = b"0", b"\0", b"1", b"5"
_PAX, _GNU_NAME, _GNU_LINK = b"x", b"L", b"K"
EXTENSION_TYPES: Final = (_PAX, _GNU_NAME, _GNU_LINK)

_DEVICE: Final = "is a device; leave it out (tar --exclude)"
_INCREMENTAL: Final = "is part of an incremental backup; pack without --listed-incremental (-g)"
_REFUSED_WITHOUT_CONTENT: Final = {
    b"2": "is a symbolic link; pack what it points to instead (tar -h, --dereference), or leave it out",
    b"3": _DEVICE,
    b"4": _DEVICE,
    b"6": "is a named pipe; leave it out (tar --exclude)",
    b"V": "is the label of a volume; pack without --label (-V)",
}
# GNU tar's manual, "Basic Tar Format"; Solaris' tar(1), -E, -p and -@.
_REFUSED: Final = _REFUSED_WITHOUT_CONTENT | {
    b"D": _INCREMENTAL,
    b"N": _INCREMENTAL,
    b"M": "is the rest of a file from another volume; pack without --multi-volume (-M)",
    b"X": "is an extended header of Solaris' own; pack with GNU tar (gtar), or without -E",
    b"A": "is an access control list of Solaris' own; pack with GNU tar (gtar), or without -p",
    b"E": "is an extended attribute of Solaris' own; pack with GNU tar (gtar), or without -@",
}
_SPARSE_REFUSED: Final = (
    "is a sparse file, stored without its holes; pack it whole (GNU tar without -S, bsdtar with "
    "--no-read-sparse)"
)
_LIST_REFUSED: Final = (
    "has an access control list and a mode that disagree on the execute permission; pack with --no-acls"
)
_STATED_TWICE: Final = (
    "has extension headers that readers apply differently: two say the same about one member"
)
_LINKS: Final = (b"1", b"2")


class MemberKind(Enum):
    """The kind of a member, as a pack distinguishes them."""

    FILE = auto()
    DIRECTORY = auto()
    HARD_LINK = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Member:
    """One member, with its extension headers applied.

    Attributes:
        name: As the archive has it, not checked.
        kind: What it is.
        size: Bytes of content that follow; zero for directories and hard links.
        executable: Whether any execute bit is set.
        link_name: The target of a hard link or a symbolic link, not checked; empty for other members.
        refusal: Why a member of kind `REFUSED` is refused; empty for other members.
    """

    name: bytes
    kind: MemberKind
    size: int
    executable: bool
    link_name: bytes
    refusal: str


class MemberExtensions:
    """The extension headers before a member."""

    def __init__(self) -> None:
        self._pax: PaxRecords | None = None
        self._long_name: bytes | None = None
        self._long_link: bytes | None = None

    def __bool__(self) -> bool:
        return self._pax is not None or self._long_name is not None or self._long_link is not None

    def add(self, header: TarHeader, payload: bytes) -> None:
        """Add one extension header.

        Args:
            header: A header of one of the `EXTENSION_TYPES`.
            payload: Its content.

        Raises:
            ValueError: It is malformed, or the second of its kind: tar readers differ on which one wins.
        """
        kind = header.type
        if kind == _PAX and self._pax is None:
            self._pax = parse_pax_records(payload)
        elif header.link_name:
            raise ValueError("has a GNU long-name header with a link target; readers differ on it")
        elif kind == _GNU_NAME and self._long_name is None:
            self._long_name = _gnu_text(payload)
        elif kind == _GNU_LINK and self._long_link is None:
            self._long_link = _gnu_text(payload)
        else:
            raise ValueError(_STATED_TWICE)

    def name_of(self, header: TarHeader) -> bytes:
        """Return the name of the member that `header` introduces; for a sparse file, its real name."""
        records = self._pax or {}
        name = real_name(records) or records.get(b"path", self._long_name)
        return header.name if name is None else name

    def apply(self, header: TarHeader) -> Member:
        """Return the member that `header` introduces.

        Raises:
            ValueError: Tar readers would disagree about the result.
            InvalidRequest: On the member: it is a sparse file, so it is not certain where the next header begins.
        """
        records = self._pax or {}
        if header.type == SPARSE_TYPE or describes_sparse_file(records):
            raise InvalidRequest({f"archive:{shown(self.name_of(header))}": _SPARSE_REFUSED})
        # A pax header beside a GNU long name is accepted if only one of them states the name: Java's commons-compress
        # writes such pax headers for times.
        if (self._long_name is not None and b"path" in records) or (
            self._long_link is not None and b"linkpath" in records
        ):
            raise ValueError(_STATED_TWICE)
        if b"size" in records and int(records[b"size"]) != header.size:
            raise ValueError("has a pax header that contradicts the size of its member")
        long_name = records.get(b"path", self._long_name)
        kind = _kind(header, long_name)
        _check_size(header, kind)
        refusal = _refusal(header) if kind is MemberKind.REFUSED else ""
        if kind is MemberKind.FILE and contradicts_mode(records, header.mode):
            kind, refusal = MemberKind.REFUSED, _LIST_REFUSED
        return Member(
            name=self.name_of(header),
            kind=kind,
            size=header.size,
            executable=bool(header.mode & 0o111),
            link_name=self._link_name(header, records),
            refusal=refusal,
        )

    def _link_name(self, header: TarHeader, records: PaxRecords) -> bytes:
        long_link = records.get(b"linkpath", self._long_link)
        link_name = header.link_name if long_link is None else long_link
        if header.type not in _LINKS and (long_link is not None or link_name):
            raise ValueError("has a link target on a member that is not a link; readers differ on it")
        return link_name


def _gnu_text(payload: bytes) -> bytes:
    """Return a long name or link name.

    The zero byte at its end may be missing: Perl's Archive::Tar, Haskell's tar and .NET 7 to 9 leave it out.
    """
    text, _, rest = payload.partition(b"\0")
    if not text or rest.strip(b"\0"):
        raise ValueError("has a malformed GNU long name")
    return text


def _kind(header: TarHeader, long_name: bytes | None) -> MemberKind:
    """Return a member's kind. V7 tar had no type for directories, only a slash at the end of their names."""
    name = header.name if long_name is None else long_name
    if header.type == _OLD_FILE and header.name.endswith(b"/") and long_name is None:
        return MemberKind.DIRECTORY
    if header.type in (_FILE, _OLD_FILE):
        if name.endswith(b"/") or (header.type == _OLD_FILE and header.name.endswith(b"/")):
            raise ValueError("has a member that some readers take for a file and others for a directory")
        return MemberKind.FILE
    if header.type == _DIRECTORY:
        return MemberKind.DIRECTORY
    return MemberKind.HARD_LINK if header.type == _HARD_LINK else MemberKind.REFUSED


def _check_size(header: TarHeader, kind: MemberKind) -> None:
    if not header.size:
        return
    if kind is MemberKind.HARD_LINK:
        raise ValueError(
            "has a hard link with a size, where readers disagree on whether content follows; write links as files "
            "(GNU tar: --hard-dereference)"
        )
    if kind is MemberKind.DIRECTORY or header.type in _REFUSED_WITHOUT_CONTENT:
        raise ValueError("has content where readers disagree on whether there is any")


def _refusal(header: TarHeader) -> str:
    unknown = f"is of type {shown(header.type)!r}, neither a file nor a directory; write it with another tool or format"
    return _REFUSED.get(header.type, unknown)
