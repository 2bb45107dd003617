"""Access control lists (ACLs) in pax headers. libarchive lets them replace a file's mode, and so the execute bit.

Sources: star(5), "SCHILY.acl.access" and "SCHILY.acl.ace"; acl(5), "ACL TEXT FORMS"; libarchive's tar(5).
"""

import re
from collections.abc import Mapping
from typing import Final

_POSIX: Final = b"SCHILY.acl.access"
_NFS4: Final = b"SCHILY.acl.ace"
ACCESS_LISTS: Final = (_POSIX, _NFS4)

_SEPARATORS = re.compile(rb"[,\n]")
# Some writers append the numeric id of the user or group.
_POSIX_ENTRY = re.compile(rb"([ugom]|user|group|other|mask):([^:]*):([rwxRWX-]*)(?::[0-9]*)?")
_NFS4_ENTRY = re.compile(
    rb"(owner@|group@|everyone@|user:[^:]*|group:[^:]*):([A-Za-z-]*):[A-Za-z-]*:([a-z]+)(?::[0-9]*)?"
)
_CLASS_BITS: Final = {b"u": 0o700, b"g": 0o070, b"o": 0o007}
_EXECUTE: Final = 0o111


def contradicts_mode(records: Mapping[bytes, bytes], mode: int) -> bool:
    """Return whether an ACL and the mode disagree on the execute permission.

    Args:
        records: The records of the file's pax header.
        mode: The mode in the file's header.

    Returns:
        True also if an ACL cannot be parsed.
    """
    executable = bool(mode & _EXECUTE)
    return any(
        key in records and by_list(records[key], mode) != executable
        for key, by_list in ((_POSIX, _by_posix_list), (_NFS4, _by_nfs4_list))
    )


def _by_posix_list(text: bytes, mode: int) -> bool | None:
    """Return whether the entries for owner, group and others let anyone execute; None if they cannot be parsed."""
    bits = mode & _EXECUTE
    for entry in _entries(text):
        match = _POSIX_ENTRY.fullmatch(entry)
        if match is None:
            return None
        allowed = _CLASS_BITS.get(match[1][:1])
        if allowed is not None and not match[2]:
            bits = bits & ~allowed | (allowed & _EXECUTE if b"x" in match[3].lower() else 0)
    return bool(bits)


def _by_nfs4_list(text: bytes, mode: int) -> bool | None:
    """Return whether the entries for owner, group and everyone let anyone execute; None if they cannot be parsed."""
    executable = None
    for entry in _entries(text):
        match = _NFS4_ENTRY.fullmatch(entry)
        if match is None:
            return None
        if match[1].endswith(b"@"):
            executable = bool(executable) or (match[3] == b"allow" and b"x" in match[2])
    return bool(mode & _EXECUTE) if executable is None else executable


def _entries(text: bytes) -> list[bytes]:
    return [entry for part in _SEPARATORS.split(text) if (entry := part.strip())]
