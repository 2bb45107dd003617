"""A lenient, sequential reader of tar layers that others have written: ustar, GNU, pax, star and V7.

Uploads are read strictly, for we decide what they may be (`packs.tar`). An image has been decided on by
others, and runtimes unpack it; so here a member is what Go's archive/tar, which most runtimes use, takes it
for. What is read is bounded all the same, and what cannot be read is one error.

Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; the GNU tar manual, "Basic
Tar Format" and "Storing Sparse Files"; Go's archive/tar, whose reader decides what a runtime can unpack at all.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from packyard.oci.image_fault import ImageFault

_BLOCK: Final = 512
_ZERO_BLOCK: Final = bytes(_BLOCK)
# Extended attributes are the largest thing in there; Linux holds up to 64 KiB of one.
_MAX_EXTENSION_BYTES: Final = 1 << 20
_MAX_EXTENSIONS: Final = 8
# Linux opens no longer path (PATH_MAX); a runtime could not show such a file.
_MAX_PATH_BYTES: Final = 4096
# Many times what build tools nest. Each level of each member costs a step.
_MAX_DEPTH: Final = 256

_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK = b"x", b"g", b"L", b"K"
_EXTENSIONS: Final = (_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK)
_GNU_SPARSE: Final = b"S"
# Hard link, symbolic link, devices, directory, pipe: whatever size they state, nothing follows.
_WITHOUT_CONTENT: Final = (b"1", b"2", b"3", b"4", b"5", b"6")
_FILE: Final = b"0"
_OLD_FILE: Final = b"\0"
_HARD_LINK: Final = b"1"
_DIRECTORY: Final = b"5"

_MODE: Final = slice(100, 108)
_SIZE: Final = slice(124, 136)
# Owner, group, time of change: nobody needs them here, but where one is malformed, Go reads no further.
_UNUSED_NUMBERS: Final = (slice(108, 116), slice(116, 124), slice(136, 148))
_DEVICE_NUMBERS: Final = (slice(329, 337), slice(337, 345))
_CHECKSUM: Final = slice(148, 156)
_TYPE: Final = slice(156, 157)
_LINK: Final = slice(157, 257)
_MAGIC: Final = slice(257, 263)
_GNU_MAGIC: Final = b"ustar "
_PREFIX: Final = slice(345, 500)
_STAR_PREFIX: Final = slice(345, 476)
_TRAILER: Final = slice(508, 512)
_SPARSE_MORE: Final = 482
_SPARSE_EXTENSION_MORE: Final = 504

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

_NO_TAR: Final = "has a layer that is not a readable tar"


@dataclass(frozen=True, slots=True)
class LayerMember:
    """One member, its extension headers applied.

    Attributes:
        name: As the layer has it.
        size: Bytes of content that follow.
        is_file: A regular file whose content follows as it is: neither a link nor sparse.
        is_directory: A directory.
        mode: Permission bits.
        hard_link: The name of the member that it is another name for; None unless it is a hard link.
    """

    name: bytes
    size: int
    is_file: bool
    is_directory: bool
    mode: int
    hard_link: bytes | None = None


def inner_path(name: bytes) -> bytes:
    """Return where a member, or what a link names, lies: `./x`, `/x` and `a/../x` are all `x`; empty for the root."""
    return posixpath.normpath(b"/" + name).lstrip(b"/")


def path_of(name: bytes) -> str | None:
    """Return where a member, or what a link names, lies, as text; None for the root and for what has no path of ours.

    Raises:
        ImageFault: It is nested too deeply.
    """
    if len(name) > _MAX_PATH_BYTES:
        return None
    try:
        path = inner_path(name).decode()
    except UnicodeDecodeError:
        return None
    if "\0" in path:
        return None
    if path.count("/") >= _MAX_DEPTH:
        raise ImageFault(f"has a path over {_MAX_DEPTH} levels deep")
    return path or None


class ForeignTar:
    """The members of a layer, in order; each one's content can be read while it is the current one.

    Args:
        pieces: The uncompressed tar; pieces may be empty.
        max_bytes: Bound on what is read of it.
        max_members: Bound on members, extension headers not counted.
    """

    def __init__(self, pieces: Iterable[bytes], *, max_bytes: int, max_members: int) -> None:
        self._pieces = iter(pieces)
        self._piece = b""
        self._at = 0
        self._left = max_bytes
        self._max_bytes = max_bytes
        self._max_members = max_members
        self._content_left = 0

    def __iter__(self) -> Iterator[LayerMember]:
        """Yield every member; what was left of the content of the one before is skipped.

        Raises:
            ImageFault: The layer is not a tar, is cut off, or is over a bound.
        """
        for _ in range(self._max_members):
            member = self._next_member()
            if member is None:
                return
            self._content_left = member.size
            yield member
            self._skip(self._content_left)
            # Some writers end with the last content; no member can follow then.
            self._take_some(-member.size % _BLOCK)
        raise ImageFault(f"has a layer with more than {self._max_members} members")

    @property
    def position(self) -> int:
        """How much of the tar has been read: before the first `read` of a member, where its content starts."""
        return self._max_bytes - self._left

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes of what is left of the current member's content.

        Raises:
            ImageFault: As for the iteration.
        """
        taken = self._take(min(count, self._content_left))
        self._content_left -= len(taken)
        return taken

    def _next_member(self) -> LayerMember | None:
        name: bytes | None = None
        link: bytes | None = None
        records: dict[bytes, bytes] = {}
        for _ in range(_MAX_EXTENSIONS):
            block = self._header()
            if block is None:
                return None
            kind = block[_TYPE]
            if kind not in _EXTENSIONS:
                return self._member(block, name, link, records)
            payload = self._payload(_size(block[_SIZE]))
            if kind == _PAX:
                records = _pax_records(payload)
            elif kind == _PAX_GLOBAL:
                _pax_records(payload)
            elif kind == _GNU_NAME:
                name = _text(payload)
            else:
                link = _text(payload)
        raise ImageFault(_NO_TAR)

    def _member(
        self, block: bytes, name: bytes | None, link: bytes | None, records: dict[bytes, bytes]
    ) -> LayerMember:
        kind = block[_TYPE]
        size = _decimal(records[b"size"]) if records.get(b"size") else _size(block[_SIZE])
        sparse = kind == _GNU_SPARSE or any(key.startswith(b"GNU.sparse.") for key in records)
        if kind == _GNU_SPARSE:
            self._skip_sparse_map(block)
        stated = name or records.get(b"GNU.sparse.name") or records.get(b"path") or _header_name(block)
        # V7 tar had no type for directories, only a slash at the end of their names. To a file of today's type, the
        # slash means nothing.
        is_directory = kind == _DIRECTORY or (kind == _OLD_FILE and stated.endswith(b"/"))
        is_file = kind in (_FILE, _OLD_FILE) and not sparse and not is_directory
        target = link or records.get(b"linkpath") or _text(block[_LINK])
        return LayerMember(
            name=stated,
            size=0 if kind in _WITHOUT_CONTENT or is_directory else size,
            is_file=is_file,
            is_directory=is_directory,
            mode=_number(block[_MODE]) & 0o777,
            hard_link=target if kind == _HARD_LINK else None,
        )

    def _header(self) -> bytes | None:
        """Return the next header block, or None at the end: two zero blocks, one, or none at all."""
        block = self._take_some(_BLOCK)
        if not block:
            return None
        if block == _ZERO_BLOCK:
            if self._take_some(_BLOCK) not in (b"", _ZERO_BLOCK):
                raise ImageFault(_NO_TAR)
            return None
        if len(block) < _BLOCK or _number(block[_CHECKSUM]) not in _sums(block):
            raise ImageFault(_NO_TAR)
        for field in _UNUSED_NUMBERS:
            _number(block[field])
        if block[_MAGIC] in (b"ustar\0", _GNU_MAGIC):
            for field in _DEVICE_NUMBERS:
                _number(block[field])
        return block

    def _payload(self, size: int) -> bytes:
        if size > _MAX_EXTENSION_BYTES:
            raise ImageFault(f"has a layer with an extension header over {_MAX_EXTENSION_BYTES} bytes")
        payload = self._take(size)
        self._skip(-size % _BLOCK)
        return payload

    def _skip_sparse_map(self, block: bytes) -> None:
        more = block[_SPARSE_MORE]
        while more:
            more = self._take(_BLOCK)[_SPARSE_EXTENSION_MORE]

    def _take(self, count: int) -> bytes:
        taken = self._take_some(count)
        if len(taken) < count:
            raise ImageFault(_NO_TAR)
        return taken

    def _take_some(self, count: int) -> bytes:
        """Return the next `count` bytes, or fewer at the end."""
        end = self._at + count
        if end <= len(self._piece):
            self._left -= count
            self._check_bound()
            taken = self._piece[self._at : end]
            self._at = end
            return taken
        return b"".join(self._passing(count))

    def _skip(self, count: int) -> None:
        if sum(map(len, self._passing(count))) < count:
            raise ImageFault(_NO_TAR)

    def _passing(self, count: int) -> Iterator[bytes]:
        while count > 0:
            if self._at == len(self._piece):
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._piece, self._at = piece, 0
            taken = self._piece[self._at : self._at + count]
            self._at += len(taken)
            self._left -= len(taken)
            self._check_bound()
            count -= len(taken)
            yield taken

    def _check_bound(self) -> None:
        if self._left < 0:
            raise ImageFault(f"has a layer that unpacks to more than {self._max_bytes} bytes")


def _header_name(block: bytes) -> bytes:
    name = _text(block[:100])
    if block[_MAGIC] != b"ustar\0":
        return name
    prefix = _text(block[_STAR_PREFIX if block[_TRAILER] == b"tar\0" else _PREFIX])
    return prefix + b"/" + name if prefix else name


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _sums(block: bytes) -> tuple[int, int]:
    """Return what the checksum may be, its own field taken as spaces: early writers added bytes as signed ones."""
    others = block[: _CHECKSUM.start] + b" " * 8 + block[_CHECKSUM.stop :]
    unsigned = sum(others)
    if others.isascii():
        return unsigned, unsigned
    return unsigned, unsigned - 256 * sum(byte >> 7 for byte in others)


def _number(field: bytes) -> int:
    """Decode octal digits, or GNU's base-256, in which a number may be negative."""
    if field[0] & 0x80:
        # A negative number has the bit below the marker set as well, and its other bits turned round.
        turned = 0xFF if field[0] & 0x40 else 0
        value = int.from_bytes(
            bytes(((field[0] ^ turned) & 0x7F, *(byte ^ turned for byte in field[1:]))), "big"
        )
        if value > _MAX_NUMBER:
            raise ImageFault(_NO_TAR)
        return -value - 1 if turned else value
    digits = field.strip(b" \0").partition(b"\0")[0]
    if _OCTAL.fullmatch(digits) is None:
        raise ImageFault(_NO_TAR)
    return int(digits or b"0", 8)


def _size(field: bytes) -> int:
    size = _number(field)
    if size < 0:
        raise ImageFault(_NO_TAR)
    return size


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > len(str(_MAX_NUMBER)):
        raise ImageFault(_NO_TAR)
    return int(value)


def _pax_records(payload: bytes) -> dict[bytes, bytes]:
    """Return the records of an extended header by key; of two with one key the last wins."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(payload):
        length, space, _ = payload[at : at + 8].partition(b" ")
        end = at + (_decimal(length) if space else 0)
        key, equals, value = payload[at + len(length) + 1 : end - 1].partition(b"=")
        if payload[end - 1 : end] != b"\n" or not equals or not _is_record(key, value):
            raise ImageFault(_NO_TAR)
        records[key] = value
        at = end
    return records


def _is_record(key: bytes, value: bytes) -> bool:
    """Tell whether a record is one that Go reads. An empty value takes back what was stated before."""
    if not key or b"\0" in (value if key in _PAX_TEXTS else key):
        return False
    form = _PAX_NUMBERS.get(key)
    return form is None or not value or form.fullmatch(value) is not None
