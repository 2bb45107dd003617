"""Header blocks and extended headers of third-party tar layers, parsed as Go's archive/tar parses them.

If Go refuses a header, no runtime can unpack the layer. So everything that Go refuses is a fault here too, even in
fields that are not used.

Sources: as for `third_party_tar`.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from packyard.oci.image_fault import ImageFault

NO_TAR: Final = "has a layer that is not a readable tar"

_BLOCK: Final = 512
_MODE: Final = slice(100, 108)
_SIZE: Final = slice(124, 136)
# Owner, group and modification time. They are not used here, but Go fails if one is malformed.
_UNUSED_NUMBERS: Final = (slice(108, 116), slice(116, 124), slice(136, 148))
_DEVICE_NUMBERS: Final = (slice(329, 337), slice(337, 345))
# The form that these fields have in nearly all headers. One match is much faster than checking each field.
_USUAL: Final = rb"(?:[0-7]{7}[ \0]|[0-7]{6}[ \0]{2}|\0{8}){2}"
_USUAL_NUMBERS: Final = re.compile(rb"(?s).{108}%b.{12}(?:[0-7]{11}[ \0]|\0{12}).{181}%b" % (_USUAL, _USUAL))
_CHECKSUM: Final = slice(148, 156)
_TYPE: Final = slice(156, 157)
_LINK: Final = slice(157, 257)
_MAGIC: Final = slice(257, 263)
_USTAR_MAGIC: Final = b"ustar\0"
_GNU_MAGIC: Final = b"ustar "
_PREFIX: Final = slice(345, 500)
_STAR_PREFIX: Final = slice(345, 476)
_TRAILER: Final = slice(508, 512)

_OCTAL: Final = re.compile(rb"[0-7]*")
_INTEGER: Final = re.compile(rb"[+-]?[0-9]{1,19}")
_TIME: Final = re.compile(rb"[+-]?[0-9]{1,19}(?:\.[0-9]*)?")
_PAX_NUMBERS: Final = {
    b"size": _INTEGER,
    b"uid": _INTEGER,
    b"gid": _INTEGER,
    b"mtime": _TIME,
    b"atime": _TIME,
    b"ctime": _TIME,
}
_PAX_TEXTS: Final = (b"path", b"linkpath", b"uname", b"gname")
_MAX_NUMBER: Final = 2**63 - 1


class ThirdPartyHeader(NamedTuple):
    """A header block.

    Attributes:
        kind: The typeflag, one byte.
        name: The name, with the prefix if there is one.
        link: The target of a link; empty for other members.
        size: The stated size in bytes.
        mode: The permission bits.
        block: The whole block.
    """

    kind: bytes
    name: bytes
    link: bytes
    size: int
    mode: int
    block: bytes


def parse_header(block: bytes) -> ThirdPartyHeader:
    """Parse a header block.

    Args:
        block: 512 bytes, or fewer at the end of a truncated tar.

    Raises:
        ImageFault: It is not a valid header.
    """
    if len(block) < _BLOCK or _number(block[_CHECKSUM]) not in _sums(block):
        raise ImageFault(NO_TAR)
    if _USUAL_NUMBERS.match(block) is None:
        _check_numbers(block)
    size = _number(block[_SIZE])
    if size < 0:
        raise ImageFault(NO_TAR)
    mode = _number(block[_MODE]) & 0o777
    return ThirdPartyHeader(block[_TYPE], _name(block), text_of(block[_LINK]), size, mode, block)


def text_of(field: bytes) -> bytes:
    """Return the text of a field, up to its first zero byte."""
    return field.partition(b"\0")[0]


def pax_records(payload: bytes) -> dict[bytes, bytes]:
    """Return the records of an extended header by key. If a key occurs twice, the last record counts.

    Raises:
        ImageFault: The header is malformed, or has a record that Go refuses.
    """
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(payload):
        length, space, _ = payload[at : at + 8].partition(b" ")
        end = at + (_decimal(length) if space else 0)
        key, equals, value = payload[at + len(length) + 1 : end - 1].partition(b"=")
        if payload[end - 1 : end] != b"\n" or not equals or not _is_record(key, value):
            raise ImageFault(NO_TAR)
        records[key] = value
        at = end
    return records


def pax_size(records: dict[bytes, bytes]) -> int | None:
    """Return the size in bytes that the records state, or None if they state none.

    Raises:
        ImageFault: The stated size is not a number of bytes.
    """
    stated = records.get(b"size")
    return _decimal(stated) if stated else None


def _check_numbers(block: bytes) -> None:
    for field in _UNUSED_NUMBERS:
        _number(block[field])
    if block[_MAGIC] in (_USTAR_MAGIC, _GNU_MAGIC):
        for field in _DEVICE_NUMBERS:
            _number(block[field])


def _name(block: bytes) -> bytes:
    name = text_of(block[:100])
    if block[_MAGIC] != _USTAR_MAGIC:
        return name
    prefix = text_of(block[_STAR_PREFIX if block[_TRAILER] == b"tar\0" else _PREFIX])
    return prefix + b"/" + name if prefix else name


def _sums(block: bytes) -> tuple[int, int]:
    """Return the two valid checksums, of unsigned and of signed bytes; early writers summed signed ones.

    The checksum counts its own field as spaces.
    """
    unsigned = sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20
    if block.isascii():
        return unsigned, unsigned
    others = block[: _CHECKSUM.start] + block[_CHECKSUM.stop :]
    return unsigned, unsigned - 256 * sum(byte >> 7 for byte in others)


# Cached because most fields are the same in many headers.
@lru_cache(maxsize=256)
def _number(field: bytes) -> int:
    """Decode octal digits, or GNU's base-256, which can be negative."""
    if field[0] & 0x80:
        # In a negative number, the bit below the marker is set and all bits are inverted (two's complement).
        inversion = 0xFF if field[0] & 0x40 else 0
        value = int.from_bytes(
            bytes(((field[0] ^ inversion) & 0x7F, *(byte ^ inversion for byte in field[1:]))), "big"
        )
        if value > _MAX_NUMBER:
            raise ImageFault(NO_TAR)
        return -value - 1 if inversion else value
    digits = field.strip(b" \0").partition(b"\0")[0]
    if _OCTAL.fullmatch(digits) is None:
        raise ImageFault(NO_TAR)
    return int(digits or b"0", 8)


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > len(str(_MAX_NUMBER)):
        raise ImageFault(NO_TAR)
    return int(value)


def _is_record(key: bytes, value: bytes) -> bool:
    """Return whether Go accepts a record. An empty value, which deletes an earlier one, is accepted for every key."""
    if not key or b"\0" in (value if key in _PAX_TEXTS else key):
        return False
    form = _PAX_NUMBERS.get(key)
    return form is None or not value or form.fullmatch(value) is not None
