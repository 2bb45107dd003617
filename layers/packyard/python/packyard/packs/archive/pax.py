"""The records of a pax extended header (POSIX.1-2017, pax, "pax Extended Header").

Only `path`, `linkpath` and `size` change what a member is. A pack keeps nothing else (no times, owners, attributes or
comments). Other records are ignored, unless they make some tar reader fail or interpret the member differently.
"""

import re
from collections.abc import Mapping
from typing import Final

from packyard.packs.archive.access_list import ACCESS_LISTS

_LENGTH = re.compile(rb"([1-9][0-9]{0,8}) ")
_SIZE = re.compile(rb"[0-9]{1,19}")
# GNU tar and Go fail on a value that is not a number, and on one that is too large.
_TIME = re.compile(rb"-?[0-9]{1,18}(?:\.[0-9]*)?")
_OWNER = re.compile(rb"[0-9]{1,10}")
_OWNER_MAX: Final = 2**32 - 1
# Only GNU tar skips blanks before a key, so only GNU tar reads " path" as a path. GNU tar and libarchive stop reading
# records at a key with a zero byte. node-tar ends a record at a line break.
_KEY = re.compile(rb"[^ \t\n\0=][^\n\0=]*")
# node-tar treats a line inside a value as a record if it has a length and one of these keys.
_RECORD_IN_A_VALUE = re.compile(rb"path=|linkpath=|size=")
_LENGTH_BEFORE_IT = re.compile(rb"\s*[+-]?[0-9]+[^0-9]{0,2}")
_LENGTH_CHARACTERS: Final = 40
_MAX_KEYS_TRIED: Final = 64
# npm 1 to 4 write all of package.json into each header: a few hundred records.
MAX_RECORDS: Final = 1024
# libarchive refuses a longer record.
_MAX_RECORD_BYTES: Final = 999_999
_INTERPRETED: Final = (b"path", b"linkpath", b"size")
_SPARSE_PREFIX: Final = b"GNU.sparse."
_SPARSE_KEYS: Final = frozenset({b"SCHILY.realsize", b"SCHILY.offset", b"SCHILY.filetype", b"SUN.holesdata"})
_REAL_NAME: Final = b"GNU.sparse.name"
_VOLUME_PREFIX: Final = b"GNU.volume."
# Writers declare "BINARY" in the C locale. Paths must be UTF-8 in any case.
_CHARSETS: Final = (b"ISO-IR 10646 2000 UTF-8", b"BINARY")

PaxRecords = Mapping[bytes, bytes]


def parse_pax_records(payload: bytes) -> PaxRecords:
    """Return an extended header's records by key. If a key occurs twice, the last record counts (POSIX).

    Args:
        payload: The header's content, exactly its declared size.

    Raises:
        ValueError: A record is malformed, tar readers interpret it differently, or there are none or more than 1,024.
    """
    records: dict[bytes, bytes] = {}
    position = count = 0
    while position < len(payload):
        match = _LENGTH.match(payload, position)
        if match is None:
            raise ValueError("has a malformed pax record")
        end = position + int(match[1])
        key, equals, value = payload[match.end() : end - 1].partition(b"=")
        if end > len(payload) or payload[end - 1 : end] != b"\n" or not equals:
            raise ValueError("has a malformed pax record")
        if end - position > _MAX_RECORD_BYTES:
            raise ValueError(
                f"has a pax record over {_MAX_RECORD_BYTES} bytes; pack without attributes (bsdtar: --no-xattrs)"
            )
        if _KEY.fullmatch(key) is None:
            raise ValueError("has a pax record with a key that readers take differently")
        if b"\n" in value and _holds_a_record(value):
            raise ValueError("has a pax record whose value looks like another record to some readers")
        records[key] = value
        count += 1
        if count > MAX_RECORDS:
            raise ValueError(f"has a pax header of more than {MAX_RECORDS} records; write fewer attributes")
        position = end
    if not records:
        raise ValueError("has an empty pax header, which new versions of libarchive do not read")
    _check_values(records)
    return records


def _holds_a_record(value: bytes) -> bool:
    """Return whether node-tar, which splits headers at line breaks, finds a record in a later line of this value."""
    for number, key in enumerate(_RECORD_IN_A_VALUE.finditer(value)):
        line = value.rfind(b"\n", 0, key.start()) + 1
        if number == _MAX_KEYS_TRIED:
            return True
        if (
            line
            and key.start() - line < _LENGTH_CHARACTERS
            and _LENGTH_BEFORE_IT.fullmatch(value, line, key.start())
        ):
            return True
    return False


def _check_values(records: PaxRecords) -> None:
    for key in _INTERPRETED:
        value = records.get(key)
        if value is not None and (not value or b"\0" in value):
            raise ValueError("has a pax record with an empty or unreadable value")
    if _SIZE.fullmatch(records.get(b"size", b"0")) is None:
        raise ValueError("has a pax record with a malformed size")
    _check_unused_values(records)
    if records.get(b"hdrcharset", _CHARSETS[0]) not in _CHARSETS:
        raise ValueError("has a pax header in a character set other than UTF-8")
    if any(key.startswith(_VOLUME_PREFIX) for key in records):
        raise ValueError(
            "is labelled, or one volume of several, which some readers show as a member; pack it without --label (-V) "
            "and --multi-volume (-M)"
        )


def _check_unused_values(records: PaxRecords) -> None:
    """Check times and owners, which a pack does not keep, but on which some tar readers fail."""
    for key in (b"mtime", b"atime", b"ctime"):
        if _TIME.fullmatch(records.get(key, b"0")) is None:
            raise ValueError(
                f"has a pax record with a malformed {key.decode()}, on which some readers give up"
            )
    for key in (b"uid", b"gid"):
        owner = records.get(key, b"0")
        if _OWNER.fullmatch(owner) is None or int(owner) > _OWNER_MAX:
            raise ValueError(
                f"has a pax record with a malformed {key.decode()}, on which some readers give up; with GNU tar, "
                "--owner=0 --group=0 helps"
            )
    if any(b"\0" in records.get(key, b"") for key in (b"uname", b"gname")):
        raise ValueError("has a pax record with an owner's name that some readers cannot read")


def describes_sparse_file(records: PaxRecords) -> bool:
    """Return whether the records describe a sparse file, whose stored content leaves out holes."""
    return any(key.startswith(_SPARSE_PREFIX) or key in _SPARSE_KEYS for key in records)


def real_name(records: PaxRecords) -> bytes | None:
    """Return a sparse file's real name; its header then has a generated one (GNU tar, sparse format 1.0)."""
    return records.get(_REAL_NAME)


def changes_members(records: PaxRecords) -> bool:
    """Return whether a global header has records that change members; tar readers disagree on whether it can."""
    changing = (*_INTERPRETED, b"hdrcharset", *ACCESS_LISTS)
    return describes_sparse_file(records) or any(key in records for key in changing)
