"""A lenient, sequential reader of tar layers that others have written: ustar, GNU, pax, star and V7.

Uploads are read strictly, for we decide what they may be (`packs.tar`). An image has been decided on by
others, and runtimes unpack it; so here a member is what Go's archive/tar, which most runtimes use, takes it
for. What is read is bounded all the same, and what cannot be read is one error.

Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; the GNU tar manual, "Basic
Tar Format" and "Storing Sparse Files".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from packyard.oci.image_fault import ImageFault

_BLOCK: Final = 512
_ZERO_BLOCK: Final = bytes(_BLOCK)
# Extended attributes are the largest thing in there; Linux holds up to 64 KiB of one.
_MAX_EXTENSION_BYTES: Final = 1 << 20
_MAX_EXTENSIONS: Final = 8

_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK = b"x", b"g", b"L", b"K"
_EXTENSIONS: Final = (_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK)
_GNU_SPARSE: Final = b"S"
# Hard link, symbolic link, devices, directory, pipe: whatever size they state, nothing follows.
_WITHOUT_CONTENT: Final = (b"1", b"2", b"3", b"4", b"5", b"6")
_FILES: Final = (b"0", b"\0")
_DIRECTORY: Final = b"5"

_MODE: Final = slice(100, 108)
_SIZE: Final = slice(124, 136)
_CHECKSUM: Final = slice(148, 156)
_TYPE: Final = slice(156, 157)
_MAGIC: Final = slice(257, 263)
_PREFIX: Final = slice(345, 500)
_STAR_PREFIX: Final = slice(345, 476)
_TRAILER: Final = slice(508, 512)
_SPARSE_MORE: Final = 482
_SPARSE_EXTENSION_MORE: Final = 504

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
    """

    name: bytes
    size: int
    is_file: bool
    is_directory: bool
    mode: int


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
        records: dict[bytes, bytes] = {}
        for _ in range(_MAX_EXTENSIONS):
            block = self._header()
            if block is None:
                return None
            kind = block[_TYPE]
            if kind not in _EXTENSIONS:
                return self._member(block, name, records)
            payload = self._payload(_number(block[_SIZE]))
            if kind == _PAX:
                records = _pax_records(payload)
            elif kind == _GNU_NAME:
                name = _text(payload)
        raise ImageFault(_NO_TAR)

    def _member(self, block: bytes, name: bytes | None, records: dict[bytes, bytes]) -> LayerMember:
        kind = block[_TYPE]
        size = _decimal(records[b"size"]) if b"size" in records else _number(block[_SIZE])
        sparse = kind == _GNU_SPARSE or any(key.startswith(b"GNU.sparse.") for key in records)
        if kind == _GNU_SPARSE:
            self._skip_sparse_map(block)
        stated = name or records.get(b"GNU.sparse.name") or records.get(b"path") or _header_name(block)
        # V7 tar had no type for directories, only a slash at the end of their names.
        is_directory = kind == _DIRECTORY or (kind in _FILES and stated.endswith(b"/"))
        return LayerMember(
            name=stated,
            size=0 if kind in _WITHOUT_CONTENT else size,
            is_file=kind in _FILES and not sparse and not is_directory,
            is_directory=is_directory,
            mode=_number(block[_MODE]) & 0o777,
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
        # The sum is taken with its own field as spaces.
        if len(block) < _BLOCK or _number(block[_CHECKSUM]) != sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20:
            raise ImageFault(_NO_TAR)
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


def _number(field: bytes) -> int:
    """Decode octal digits, or GNU's base-256 of a positive number."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") - (0x80 << 8 * (len(field) - 1))
        # A negative number has the bit below the marker set as well.
        if field[0] & 0x40:
            raise ImageFault(_NO_TAR)
        return value
    digits = field.strip(b" \0")
    if not digits.strip(b"01234567") == b"":
        raise ImageFault(_NO_TAR)
    return int(digits or b"0", 8)


def _decimal(value: bytes) -> int:
    if not value.isdigit() or len(value) > len(str(2**63)):
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
        if payload[end - 1 : end] != b"\n" or not equals:
            raise ImageFault(_NO_TAR)
        records[key] = value
        at = end
    return records
