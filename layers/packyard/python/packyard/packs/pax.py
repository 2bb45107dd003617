"""The records of a pax extended header (POSIX.1-2017, pax, "pax Extended Header").

Only `path`, `linkpath` and `size` change what a member is. Everything else (times, owners, attributes,
comments) is not kept by a pack and is passed over, unless it means that the content is not what it seems.
"""

import re
from collections.abc import Mapping
from typing import Final

_LENGTH = re.compile(rb"([1-9][0-9]{0,8}) ")
_SIZE = re.compile(rb"[0-9]{1,19}")
# GNU tar passes over blanks in front of a key, so that " path" is a path to it alone; GNU tar and libarchive give up on
# a key with a zero byte, and with it on all records after it.
_KEY = re.compile(rb"[^ \t\0=][^\0=]*")
# Writers put down a dozen; with 20,000 members the bound is what keeps a hostile archive cheap to refuse.
_MAX_RECORDS: Final = 64
_INTERPRETED: Final = (b"path", b"linkpath", b"size")
_SPARSE_PREFIX: Final = b"GNU.sparse."
_SPARSE_KEYS: Final = frozenset({b"SCHILY.realsize", b"SCHILY.offset", b"SCHILY.filetype", b"SUN.holesdata"})
# "BINARY" is what writers under a C locale declare; paths are checked to be UTF-8 in any case.
_CHARSETS: Final = (b"ISO-IR 10646 2000 UTF-8", b"BINARY")

PaxRecords = Mapping[bytes, bytes]


def parse_pax_records(payload: bytes) -> PaxRecords:
    """Return an extended header's records by key.

    Args:
        payload: The header's content, exactly its declared size.

    Raises:
        ValueError: A record is malformed, stands twice, or declares a character set other than UTF-8, or
            there are more than 64.
    """
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(payload):
        match = _LENGTH.match(payload, position)
        if match is None:
            raise ValueError("has a malformed pax record")
        end = position + int(match[1])
        key, equals, value = payload[match.end() : end - 1].partition(b"=")
        if end > len(payload) or payload[end - 1 : end] != b"\n" or not equals:
            raise ValueError("has a malformed pax record")
        if _KEY.fullmatch(key) is None:
            raise ValueError("has a pax record with a key that readers take differently")
        if key in records:
            raise ValueError("has a pax record that stands twice")
        records[key] = value
        if len(records) > _MAX_RECORDS:
            raise ValueError(f"has a pax header of more than {_MAX_RECORDS} records")
        position = end
    _check_values(records)
    return records


def _check_values(records: PaxRecords) -> None:
    for key in _INTERPRETED:
        value = records.get(key)
        if value is not None and (not value or b"\0" in value):
            raise ValueError("has a pax record with an empty or unreadable value")
    if _SIZE.fullmatch(records.get(b"size", b"0")) is None:
        raise ValueError("has a pax record with a malformed size")
    if records.get(b"hdrcharset", _CHARSETS[0]) not in _CHARSETS:
        raise ValueError("has a pax header in a character set other than UTF-8")


def describes_sparse_file(records: PaxRecords) -> bool:
    """Tell whether the records say that the content leaves out holes."""
    return any(key.startswith(_SPARSE_PREFIX) or key in _SPARSE_KEYS for key in records)


def changes_members(records: PaxRecords) -> bool:
    """Tell whether the records say what members are; readers disagree on whether a global header can."""
    return describes_sparse_file(records) or any(key in records for key in (*_INTERPRETED, b"hdrcharset"))
