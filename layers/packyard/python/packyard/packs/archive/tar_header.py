"""Decoding a 512-byte tar header block (ustar, GNU or V7). A block that tar readers decode differently is refused.

Sources: POSIX.1-2017, pax, "ustar Interchange Format"; the GNU tar manual, "Basic Tar Format".
"""

import re
import struct
from dataclasses import dataclass
from typing import Final

BLOCK_BYTES: Final = 512

_FIELDS = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 6s 2s 32s 32s 8s 8s 131s 12s 12s 12s")
_USTAR: Final = b"ustar\x00"
_USTAR_VERSION: Final = b"00"
_GNU: Final = (b"ustar ", b" \x00")
_XSTAR_TRAILER: Final = b"tar\x00"
_ANOTHER_WAY: Final = "write it with another tool or in another format, such as GNU tar's --format=gnu"

_OCTAL = re.compile(rb" *([0-7]+)(?:[ \0]*|\0[^\r\n\xe2]*)")
# If neither a blank nor a zero byte ends the checksum, node-tar continues into the next field.
_CHECKSUM = re.compile(rb" *([0-7]+)[ \0]+")
# Maven's archiver writes seven blanks as an owner, and AIX a time that starts with a zero byte. A pack keeps neither.
_UNUSED = re.compile(rb"(?! +\Z)[ \0]*[0-7]*[ \0]*")
# .NET writes zero bytes as the size and mode of an empty file. GNU tar refuses a field that has only blanks.
_UNSET = re.compile(rb" *\0+")
# All readers end a name at its first zero byte, but node-tar continues after a line break.
_LINE_BREAK = re.compile(rb"[\r\n]|\xe2\x80[\xa8\xa9]")
_BASE_256_POSITIVE: Final = 0x80
_BASE_256_NEGATIVE: Final = 0xFF
# The largest owner that GNU tar accepts, and the largest number that node-tar accepts.
_OWNER_MAX: Final = 2**32 - 1
_NUMBER_MAX: Final = 2**53 - 1
_SIZE_MAX: Final = 2**63 - 1

SPARSE_TYPE: Final = b"S"
_DIRECTORY_TYPE: Final = b"5"


@dataclass(frozen=True, slots=True)
class TarHeader:
    """The fields of a header block, before extension headers are applied.

    Attributes:
        name: The name, with the ustar prefix if there is one.
        mode: The mode, 0 if it is not stated. Some writers include the bits of the file type.
        size: Bytes of content that follow, 0 if it is not stated.
        type: The typeflag, one byte.
        link_name: The target of a link; empty if there is none.
    """

    name: bytes
    mode: int
    size: int
    type: bytes
    link_name: bytes


def parse_tar_header(block: bytes) -> TarHeader:
    """Decode one header block.

    Args:
        block: 512 bytes, not all zero.

    Raises:
        ValueError: The checksum does not match, a number is malformed, or the fields mix formats, so that tar readers
            would decode them differently. The message is for people.
    """
    fields = _FIELDS.unpack(block)
    name, mode, uid, gid, size, mtime, checksum, kind, link_name = fields[:9]
    # The checksum counts its own field as spaces. Removing the zeros first is faster and does not change the sum.
    if _checksum(checksum) != sum(block.translate(None, b"\0")) - sum(checksum) + 8 * 0x20:
        raise ValueError("has a header whose checksum does not match; the archive is damaged, or is no tar")
    for owner in (uid, gid):
        _check_unused(owner, least=0, most=_OWNER_MAX)
    for number in (mtime, fields[13], fields[14]):
        _check_unused(number, least=-_NUMBER_MAX, most=_NUMBER_MAX)
    if kind != SPARSE_TYPE:
        name = _with_prefix(name, fields[15:], kind, magic=fields[9], version=fields[10])
    return TarHeader(
        name=_text(name),
        mode=_stated(mode, most=_NUMBER_MAX),
        size=_stated(size, most=_SIZE_MAX),
        type=kind,
        link_name=_text(link_name),
    )


def _text(field: bytes) -> bytes:
    """Return a field up to its first zero byte, where tar readers stop."""
    text, _, rest = field.partition(b"\0")
    rest = rest.lstrip(b"\0")
    if rest and _LINE_BREAK.search(rest):
        raise ValueError("has a header with a line break after the end of a name, where readers differ")
    return text


def _with_prefix(
    name: bytes, area: tuple[bytes, bytes, bytes, bytes], kind: bytes, *, magic: bytes, version: bytes
) -> bytes:
    """Return a name with its ustar prefix. Only in the ustar format do all tar readers look for a prefix.

    Args:
        name: The name field.
        area: The bytes from the prefix field to the end of the block: the prefix's first 131 bytes, two fields of 12
            bytes each (the rest of the prefix, or xstar's times), and the last 12 bytes.
        kind: The typeflag.
        magic: The magic field, six bytes.
        version: The version field, two bytes.
    """
    if not b"".join(area[:-1]).strip(b"\0"):
        return name
    if (magic, version) == _GNU:
        raise ValueError(
            "has a GNU header with times where other formats have a part of the path, so that readers differ; .NET "
            "before 10, Go's FormatGNU and tar --listed-incremental write it. Write the pax format instead (.NET: "
            "TarEntryFormat.Pax), or leave --listed-incremental out"
        )
    if magic != _USTAR or version != _USTAR_VERSION:
        raise ValueError(
            "has a header with something in place of a path's prefix but without ustar's version 00, so that readers "
            f"take its path differently; {_ANOTHER_WAY}"
        )
    prefix = _prefix(*area)
    if not prefix:
        return name
    short = _text(name)
    # The joined path would end with a slash, which makes a V7 file a directory for some readers.
    if not short and kind != _DIRECTORY_TYPE:
        raise ValueError("has a header with a prefix and no name")
    return prefix + b"/" + short


def _prefix(start: bytes, first_time: bytes, second_time: bytes, trailer: bytes) -> bytes:
    """Return ustar's prefix. In the xstar format it is shorter, and an access time and a change time follow it.

    Source: star(5), "XSTAR ARCHIVE TYPE". libarchive, Go and node-tar look at different bytes to recognise xstar.
    """
    xstar = trailer.endswith(_XSTAR_TRAILER)
    if xstar and b"\0" not in start:
        raise ValueError(f"has an xstar header whose path readers take differently; {_ANOTHER_WAY}")
    if not xstar and not start.endswith(b"\0"):
        return _text(start + first_time + second_time)
    for time in (first_time, second_time):
        # node-tar fails on a malformed base-256 number, and Go on any xstar time that it cannot parse.
        if xstar or time[0] >= _BASE_256_POSITIVE:
            _check_unused(time, least=-_NUMBER_MAX, most=_NUMBER_MAX)
    return _text(start)


def _checksum(field: bytes) -> int:
    match = _CHECKSUM.fullmatch(field)
    if match is None:
        raise ValueError(
            "has a header without a checksum that can be read; the archive is damaged, or is no tar"
        )
    return int(match[1], 8)


def _stated(field: bytes, *, most: int) -> int:
    """Decode a number that is used; 0 if it is not stated."""
    if _UNSET.fullmatch(field):
        return 0
    value = _number(field)
    if not 0 <= value <= most:
        raise ValueError("has a header with a size or mode that is negative or too large")
    return value


def _check_unused(field: bytes, *, least: int, most: int) -> None:
    """Check a number that a pack does not keep, because some tar readers fail if it is malformed or too large."""
    if _UNUSED.fullmatch(field) is None and not least <= _number(field) <= most:
        raise ValueError("has a header with an owner or a time that not every reader can hold")


def _number(field: bytes) -> int:
    """Decode octal digits, or GNU's base-256: a marker byte and a big-endian two's complement number."""
    if field[0] not in (_BASE_256_POSITIVE, _BASE_256_NEGATIVE):
        match = _OCTAL.fullmatch(field)
        if match is None:
            raise ValueError("has a header with a malformed number")
        return int(match[1], 8)
    value = int.from_bytes(field[1:], "big")
    return value - 256 ** (len(field) - 1) if field[0] == _BASE_256_NEGATIVE else value
