"""One 512-byte tar header block: ustar, GNU or V7, decoded strictly.

Sources: POSIX.1-2017, pax, "ustar Interchange Format"; the GNU tar manual, "Basic Tar Format".
"""

import re
import struct
from dataclasses import dataclass
from typing import Final

BLOCK_BYTES: Final = 512

_FIELDS = struct.Struct("100s 8s 8s 8s 12s 12s 8s c 100s 8s 32s 32s 8s 8s 155s 12s")
_PREFIX_ONWARD = slice(345, BLOCK_BYTES)
_USTAR: Final = b"ustar\x0000"
_GNU: Final = b"ustar  \x00"
_V7: Final = bytes(8)
_XSTAR_TRAILER: Final = b"tar\x00"
_XSTAR_PREFIX_BYTES: Final = 131

_OCTAL = re.compile(rb" *([0-7]+)[ \0]*")
_UNSET = re.compile(rb"\0*")
_BASE_256_POSITIVE: Final = 0x80
_BASE_256_NEGATIVE: Final = 0xFF
_INT64_MAX: Final = 2**63 - 1

SPARSE_TYPE: Final = b"S"


@dataclass(frozen=True, slots=True)
class TarHeader:
    """A header block's fields, not yet interpreted.

    Attributes:
        name: With the ustar prefix, when there is one.
        mode: As given; some writers put the file type's bits in as well.
        size: Bytes of content that follow, not negative.
        type: The typeflag, one byte.
        link_name: Empty when there is none.
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
        ValueError: The checksum does not match, a number is none, or the fields are of no one format, so that
            readers would take them differently.
    """
    fields = _FIELDS.unpack(block)
    name, mode, uid, gid, size, mtime, checksum, kind, link_name, magic = fields[:10]
    prefix = fields[14]
    # The sum is taken with its own field as spaces; zeros, which most of a header is, add nothing.
    if _octal(checksum) != sum(block.translate(None, b"\0")) - sum(checksum) + 8 * 0x20:
        raise ValueError("has a header whose checksum does not match")
    for number in (uid, gid, mtime, fields[12], fields[13]):
        if _UNSET.fullmatch(number) is None:
            _number(number)
    if magic == _USTAR:
        _check_xstar(prefix, fields[15])
        if prefix := _text(prefix):
            # The slash between the two would make a directory of an old file, for some readers.
            if not _text(name):
                raise ValueError("has a header with a prefix and no name")
            name = prefix + b"/" + _text(name)
    elif magic not in (_GNU, _V7):
        raise ValueError("has a header of an unknown tar format")
    # GNU tar keeps times of incremental backups there, which other readers take for a path.
    elif kind != SPARSE_TYPE and any(block[_PREFIX_ONWARD]):
        raise ValueError("has something in place of a path's prefix in a format that knows none")
    return TarHeader(
        name=_text(name), mode=_octal(mode), size=_size(size), type=kind, link_name=_text(link_name)
    )


def _text(field: bytes) -> bytes:
    """Return a field up to its first zero byte, which is where all readers stop."""
    return field.partition(b"\0")[0]


def _octal(field: bytes) -> int:
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise ValueError("has a header with a malformed number")
    return int(match[1], 8)


def _number(field: bytes) -> int:
    """Decode octal digits, or GNU's base-256: a marker byte, then a big-endian two's complement."""
    if field[0] not in (_BASE_256_POSITIVE, _BASE_256_NEGATIVE):
        return _octal(field)
    value = int.from_bytes(field[1:], "big")
    if field[0] == _BASE_256_NEGATIVE:
        value -= 256 ** (len(field) - 1)
    if not -_INT64_MAX <= value <= _INT64_MAX:
        raise ValueError("has a header with a number beyond 64 bits")
    return value


def _size(field: bytes) -> int:
    size = _number(field)
    if size < 0:
        raise ValueError("has a header with a negative size")
    return size


def _check_xstar(prefix: bytes, trailer: bytes) -> None:
    """Refuse a prefix that runs on into what xstar headers use for times."""
    if trailer.endswith(_XSTAR_TRAILER) and b"\0" not in prefix[:_XSTAR_PREFIX_BYTES]:
        raise ValueError("has an xstar header whose path readers take differently")
