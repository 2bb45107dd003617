"""The records of a zip: the end of its directory, the directory's entries, and the header before each file.

Readers find files by the directory at the end, or by the headers in front of the files as they come. So both must say
the same, every byte must belong to one of these records or to a file, and nothing may be said that some readers do not
know: Zip64, encryption, other compression than deflate, names in an unstated encoding.

Source: PKWARE's APPNOTE.TXT 6.3.10; the numbers are of its sections.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from stat import S_IFDIR, S_IFMT, S_IFREG, S_ISLNK
from typing import Final

STORED, DEFLATED = 0, 8
# Of every local header, 4.3.7: signature, version, flags, method, time, date, CRC, sizes, lengths of name and extra.
LOCAL: Final = struct.Struct("<4s5H3I2H")
# Of every entry of the directory, 4.3.12.
_ENTRY: Final = struct.Struct("<4s6H3I5H2I")
# The end of the directory, 4.3.16.
_END: Final = struct.Struct("<4s4H2IH")
_LOCAL_SIGNATURE, _ENTRY_SIGNATURE, _END_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_DESCRIPTOR_SIGNATURE: Final = b"PK\x07\x08"
_LONGEST_COMMENT: Final = 0xFFFF
TAIL_BYTES: Final = _END.size + _LONGEST_COMMENT
# 4.4.4: a data descriptor follows, and the name is in UTF-8. Bits 1 and 2 say how well it was compressed.
_DESCRIBED, _UTF_8 = 1 << 3, 1 << 11
_HARMLESS: Final = _DESCRIBED | _UTF_8 | 0b110
_ENCRYPTED: Final = 1 << 0 | 1 << 6 | 1 << 13
# 4.6.1, and Info-ZIP's: Zip64, strong encryption, AES, the ASi field that can make a file a link, another name.
_REFUSED_EXTRA: Final = frozenset({0x0001, 0x0017, 0x9901, 0x756E, 0x7075})
# 4.4.3: of Zip64, the newest that Info-ZIP's unzip reads.
_NEWEST: Final = 45
_MAX_32: Final = 0xFFFFFFFF
_UNIX: Final = frozenset({3, 19})
_DOS_DIRECTORY: Final = 1 << 4
_KINDS: Final = frozenset({0, S_IFDIR, S_IFREG})

_NAMES: Final = (
    "has a name beyond ASCII that is not marked as UTF-8, so that readers show different names; send a .tar.gz instead "
    "(tar -czf pack.tar.gz FOLDER)"
)
_EXTRA: Final = struct.Struct("<2H")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipEntry:
    """One file or directory, as the directory at the end states it.

    Attributes:
        name: As it is written.
        flags, method, crc: As they are written.
        compressed, size: Bytes, before and after inflating.
        offset: Of its local header, in the archive.
        directory: Whether it is a directory.
        executable: Whether any execute bit is set, where the archive was written on Unix.
        refusal: Why it cannot be in a pack; empty if it can.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    directory: bool
    executable: bool
    refusal: str

    @property
    def described(self) -> bool:
        """Whether a data descriptor may follow its content."""
        return bool(self.flags & _DESCRIBED)


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory at the end is.

    Attributes:
        count: Its entries.
        offset, size: In the archive, in bytes.
    """

    count: int
    offset: int
    size: int


def find_directory(tail: bytes, *, archive_bytes: int) -> Directory:
    """Return where the directory is.

    Args:
        tail: The last bytes of the archive, `TAIL_BYTES` or all of it.
        archive_bytes: Of the whole archive.

    Raises:
        ValueError: There is no end of a directory, or readers could find another one. The message is for people.
    """
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise ValueError("is cut off: the directory at the end of the zip is missing; send the whole file")
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(tail, at)
    if len(tail) - at - _END.size != comment:
        raise ValueError("is not valid: something else follows the directory at the end of the zip")
    if tail.count(_END_SIGNATURE) > 1:
        raise ValueError("has two ends of a zip's directory, and readers differ in which one counts")
    if (disk, first_disk) != (0, 0) or here != count:
        raise ValueError("is a part of a zip that was split; send it in one file")
    if count == _LONGEST_COMMENT or _MAX_32 in {size, offset}:
        raise ValueError("is a Zip64 file, which no archive of this size needs; send a .tar.gz instead")
    if offset + size != archive_bytes - (len(tail) - at):
        raise ValueError("is not valid: the directory at the end of the zip is not where it says")
    return Directory(count, offset, size)


def entries(directory: bytes, *, count: int) -> Iterator[ZipEntry]:
    """Yield the entries of a directory.

    Args:
        directory: All of it.
        count: How many there are.

    Raises:
        ValueError: It is not what its end says, or readers differ about an entry. The message is for people.
    """
    at = 0
    for _ in range(count):
        if len(directory) - at < _ENTRY.size or directory[at : at + 4] != _ENTRY_SIGNATURE:
            raise ValueError("is not valid: the directory at the end of the zip is cut off")
        fields = _ENTRY.unpack_from(directory, at)
        *_, name_length, extra_length, comment_length, disk, _internal, _external, _offset = fields
        at += _ENTRY.size
        name = directory[at : at + name_length]
        extra = directory[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length + comment_length
        if at > len(directory) or disk:
            raise ValueError("is not valid: the directory at the end of the zip is cut off")
        yield _entry(fields, name, extra)
    if at != len(directory):
        raise ValueError("is not valid: the directory of the zip has more in it than entries")


def _entry(fields: tuple[int, ...], name: bytes, extra: bytes) -> ZipEntry:
    _, made_by, needed, flags, method, _, _, crc, compressed, size, *_rest, external, offset = fields
    if _MAX_32 in {compressed, size, offset}:
        raise ValueError("is a Zip64 file, which no archive of this size needs; send a .tar.gz instead")
    _check_version(needed)
    _check_extra(extra)
    if not flags & _UTF_8 and not name.isascii():
        raise ValueError(_NAMES)
    mode = external >> 16 if made_by >> 8 in _UNIX else 0
    slash, kind = name.endswith(b"/"), S_IFMT(mode)
    return ZipEntry(
        name=name,
        flags=flags,
        method=method,
        crc=crc,
        compressed=compressed,
        size=size,
        offset=offset,
        directory=slash,
        executable=bool(mode & 0o111) and not slash,
        refusal=_refusal(flags, method, kind)
        or _refusal_of_directory(kind, slash=slash, marked=bool(external & _DOS_DIRECTORY), size=size),
    )


def _refusal(flags: int, method: int, kind: int) -> str:
    """Return why an entry cannot be in a pack, apart from what it says about directories.

    Args:
        flags: As they are written.
        method: Likewise.
        kind: The kind of file in its Unix mode; 0 where it has none.
    """
    if flags & _ENCRYPTED:
        return "is encrypted; pack without a password"
    if flags & ~_HARMLESS:
        return "has flags that readers of zip do not know; send a .tar.gz instead"
    if method not in {STORED, DEFLATED}:
        return "is compressed by another method than deflate; pack without options, or send a .tar.gz"
    if S_ISLNK(kind):
        return "is a symbolic link; pack what it points to instead (zip without -y), or leave it out"
    return "" if kind in _KINDS else "is neither a file nor a directory; leave it out"


def _refusal_of_directory(kind: int, *, slash: bool, marked: bool, size: int) -> str:
    """Return why a directory, or what may be one, cannot be in a pack.

    Args:
        kind: As for `_refusal`.
        slash: Whether the name ends with a slash, as that of a directory must.
        marked: Whether the attributes of DOS say that it is one.
        size: Of its content.
    """
    if slash != (kind == S_IFDIR if kind else slash or marked):
        return "is a directory to some readers of zip and a file to others; make the zip again"
    return "is a directory with content; make the zip again" if slash and size else ""


def check_local_header(header: bytes, entry: ZipEntry, *, name: bytes, extra: bytes) -> None:
    """Check that the header in front of a file says what the directory says.

    Args:
        header: Its fixed part.
        entry: The directory's entry.
        name: The name in the header.
        extra: The extra fields in the header.

    Raises:
        ValueError: It says something else. The message is for people.
    """
    signature, needed, flags, method, _, _, crc, compressed, size, _, _ = LOCAL.unpack(header)
    _check_version(needed)
    _check_extra(extra)
    # What a writer does not know yet is zero. Info-ZIP and libarchive write the size, which they know, at once.
    agrees = all(
        stated == known or (entry.described and stated == 0)
        for stated, known in ((crc, entry.crc), (compressed, entry.compressed), (size, entry.size))
    )
    if (
        signature != _LOCAL_SIGNATURE
        or (flags, method, name) != (entry.flags, entry.method, entry.name)
        or not agrees
    ):
        raise ValueError(
            "has a file whose header says something else than the directory at the end of the zip"
        )


def check_descriptor(descriptor: bytes, entry: ZipEntry) -> None:
    """Check what stands between a file's content and the next record: nothing, or what repeats the directory (4.3.9).

    Raises:
        ValueError: It is something else. The message is for people.
    """
    plain = struct.pack("<3I", entry.crc, entry.compressed, entry.size)
    wanted = {plain, _DESCRIPTOR_SIGNATURE + plain} if entry.described else {b""}
    if descriptor not in wanted:
        raise ValueError("has bytes between its files that belong to none of them")


def _check_version(needed: int) -> None:
    if needed > _NEWEST:
        raise ValueError("needs a newer version of zip than all readers have; send a .tar.gz instead")


def _check_extra(extra: bytes) -> None:
    at = 0
    while at < len(extra):
        if len(extra) - at < _EXTRA.size:
            raise ValueError("has an extra field that is cut off")
        kind, length = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size + length
        if at > len(extra):
            raise ValueError("has an extra field that is cut off")
        if kind in _REFUSED_EXTRA:
            raise ValueError(
                f"has an extra field (0x{kind:04x}) that changes what some readers see; send a .tar.gz instead"
            )
