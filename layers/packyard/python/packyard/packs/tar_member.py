"""A tar member: what its header and the extension headers before it say together."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.member_path import shown
from packyard.packs.pax import PaxRecords, describes_sparse_file, parse_pax_records
from packyard.packs.tar_header import SPARSE_TYPE, TarHeader

_FILE, _OLD_FILE, _HARD_LINK, _DIRECTORY = b"0", b"\0", b"1", b"5"
_PAX, _GNU_NAME, _GNU_LINK = b"x", b"L", b"K"
EXTENSION_TYPES: Final = (_PAX, _GNU_NAME, _GNU_LINK)

_REFUSED_WITHOUT_CONTENT: Final = {
    b"2": "symbolic links are not allowed",
    b"3": "devices are not allowed",
    b"4": "devices are not allowed",
    b"6": "named pipes are not allowed",
    b"V": "volume labels are not allowed",
}
_LINKS: Final = (b"1", b"2")


class MemberKind(Enum):
    """What a member is, as far as a pack is concerned."""

    FILE = auto()
    DIRECTORY = auto()
    HARD_LINK = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Member:
    """One member, its extension headers applied.

    Attributes:
        name: As the archive has it, not checked.
        size: Bytes of content that follow; zero for directories and hard links.
        executable: Whether any execute bit is set.
        link_name: What a hard link names; empty for the rest.
        refusal: Why a member of kind `REFUSED` is refused.
    """

    name: bytes
    kind: MemberKind
    size: int
    executable: bool
    link_name: bytes
    refusal: str


class MemberExtensions:
    """What extension headers say about the member that follows them."""

    def __init__(self) -> None:
        self._pax: PaxRecords | None = None
        self._long_name: bytes | None = None
        self._long_link: bytes | None = None

    def __bool__(self) -> bool:
        return self._pax is not None or self._long_name is not None or self._long_link is not None

    def add(self, kind: bytes, payload: bytes) -> None:
        """Take in one extension header.

        Args:
            kind: One of `EXTENSION_TYPES`.
            payload: The header's content.

        Raises:
            ValueError: It is malformed, or not the only one of its kind, or pax and GNU are mixed: readers
                differ in which one wins.
        """
        if self._pax is not None or (kind == _PAX and self):
            raise ValueError("has extension headers that readers apply differently")
        if kind == _PAX:
            self._pax = parse_pax_records(payload)
        elif kind == _GNU_NAME and self._long_name is None:
            self._long_name = _gnu_text(payload)
        elif kind == _GNU_LINK and self._long_link is None:
            self._long_link = _gnu_text(payload)
        else:
            raise ValueError("has extension headers that readers apply differently")

    def apply(self, header: TarHeader) -> Member:
        """Return the member that `header` introduces.

        Raises:
            ValueError: Readers would disagree about the result.
            InvalidRequest: On the member: it is sparse, and what follows it cannot be told with certainty.
        """
        records = self._pax or {}
        long_name = records.get(b"path", self._long_name)
        long_link = records.get(b"linkpath", self._long_link)
        name = header.name if long_name is None else long_name
        if header.type == SPARSE_TYPE or describes_sparse_file(records):
            raise InvalidRequest({f"archive:{shown(name)}": "sparse files are not allowed"})
        if b"size" in records and int(records[b"size"]) != header.size:
            raise ValueError("has a pax header that contradicts the size of its member")
        if long_link is not None and header.type not in _LINKS:
            raise ValueError("has the extension header of a link on a member that is none")
        kind = _kind(header, long_name)
        if header.size and (
            kind in (MemberKind.DIRECTORY, MemberKind.HARD_LINK) or _never_has_content(header)
        ):
            raise ValueError("has content where readers disagree on whether there is any")
        return Member(
            name=name,
            kind=kind,
            size=header.size,
            executable=bool(header.mode & 0o111),
            link_name=header.link_name if long_link is None else long_link,
            refusal=_refusal(header) if kind is MemberKind.REFUSED else "",
        )


def _gnu_text(payload: bytes) -> bytes:
    text, end, rest = payload.partition(b"\0")
    if not text or not end or rest.strip(b"\0"):
        raise ValueError("has a malformed GNU long name")
    return text


def _kind(header: TarHeader, long_name: bytes | None) -> MemberKind:
    """Tell what a member is; V7 tar had no type for directories, only a slash at the end of their names."""
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


def _never_has_content(header: TarHeader) -> bool:
    return header.type in _REFUSED_WITHOUT_CONTENT


def _refusal(header: TarHeader) -> str:
    unknown = f"members of type {shown(header.type)!r} are not allowed"
    return _REFUSED_WITHOUT_CONTENT.get(header.type, unknown)
