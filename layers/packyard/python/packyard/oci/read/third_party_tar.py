"""A lenient, sequential reader of third-party tar layers: ustar, GNU, pax, star and V7.

Uploads are read strictly, because this service decides which archives it accepts (`packs.archive.tar`). But images of
third parties exist already, and runtimes unpack them. So this reader interprets a member as Go's archive/tar does,
which most runtimes use. All reading is bounded, and any tar that cannot be read gives an `ImageFault`.

Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; the GNU tar manual, "Basic
Tar Format" and "Storing Sparse Files"; Go's archive/tar, whose reader decides what a runtime can unpack at all.
"""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from packyard.oci.image_fault import ImageFault
from packyard.oci.read.third_party_header import (
    NO_TAR,
    ThirdPartyHeader,
    parse_header,
    pax_records,
    pax_size,
    text_of,
)

_BLOCK: Final = 512
_ZERO_BLOCK: Final = bytes(_BLOCK)
# Extended attributes are the largest part. On Linux, one can have up to 64 KiB.
_MAX_EXTENSION_BYTES: Final = 1 << 20
_MAX_EXTENSIONS: Final = 8
# PATH_MAX of Linux. No process can open a file with a longer path.
_MAX_PATH_BYTES: Final = 4096
# Much deeper than the trees of build tools. The limit bounds the time per member, which grows with the depth.
_MAX_DEPTH: Final = 256

_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK = b"x", b"g", b"L", b"K"
_EXTENSIONS: Final = (_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK)
_GNU_SPARSE: Final = b"S"
# Hard link, symbolic link, devices, directory, pipe: they have no content, whatever size they state.
_WITHOUT_CONTENT: Final = (b"1", b"2", b"3", b"4", b"5", b"6")
_FILE: Final = b"0"
_OLD_FILE: Final = b"\0"
_HARD_LINK: Final = b"1"
_DIRECTORY: Final = b"5"

# Offsets of the bytes that say whether another block of the sparse map follows: in a header, and in such a block.
_SPARSE_MORE: Final = 482
_SPARSE_EXTENSION_MORE: Final = 504


@dataclass(frozen=True, slots=True)
class LayerMember:
    """One member, with its extension headers applied.

    Attributes:
        name: The name as the layer has it.
        size: Bytes of content that follow.
        is_file: Whether it is a regular file whose content follows unchanged, so neither a link nor a sparse file.
        is_directory: Whether it is a directory.
        mode: The permission bits.
        hard_link: The name of the target if it is a hard link, otherwise None.
    """

    name: bytes
    size: int
    is_file: bool
    is_directory: bool
    mode: int
    hard_link: bytes | None = None


def inner_path(name: bytes) -> bytes:
    """Return the normal path of a member or a link's target: `x` for `./x`, `/x` and `a/../x`; empty for the root."""
    return posixpath.normpath(b"/" + name).lstrip(b"/")


def path_of(name: bytes) -> str | None:
    """Return the normal path of a member or of a link's target as text.

    The result is None for the root, and for a name that is too long, is not UTF-8 or contains a zero byte.

    Raises:
        ImageFault: The path is over 256 levels deep.
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


class ThirdPartyTar:
    """The members of a layer, in order. A member's content can be read until the next member is requested.

    Args:
        pieces: The uncompressed tar; pieces may be empty.
        max_bytes: The most bytes of the tar that are read.
        max_members: The most members; extension headers are not counted.
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
        """Yield every member. The unread content of the previous member is skipped.

        Raises:
            ImageFault: The layer is not a tar, is cut off, or exceeds a limit.
        """
        for _ in range(self._max_members):
            member = self._next_member()
            if member is None:
                return
            self._content_left = member.size
            yield member
            self._skip(self._content_left)
            # The padding may be missing: some writers end the tar right after the last content.
            self._take_some(-member.size % _BLOCK)
        raise ImageFault(f"has a layer with more than {self._max_members} members")

    @property
    def position(self) -> int:
        """How many bytes of the tar have been read. Before a member's first `read`, its content starts here."""
        return self._max_bytes - self._left

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes of the current member's unread content.

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
            header = self._header()
            if header is None:
                return None
            if header.kind not in _EXTENSIONS:
                return self._member(header, name, link, records)
            payload = self._payload(header.size)
            if header.kind == _PAX:
                records = pax_records(payload)
            elif header.kind == _PAX_GLOBAL:
                # Go parses a global header and ignores its records.
                pax_records(payload)
            elif header.kind == _GNU_NAME:
                name = text_of(payload)
            else:
                link = text_of(payload)
        raise ImageFault(NO_TAR)

    def _member(
        self, header: ThirdPartyHeader, name: bytes | None, link: bytes | None, records: dict[bytes, bytes]
    ) -> LayerMember:
        kind, stated_size = header.kind, pax_size(records)
        size = header.size if stated_size is None else stated_size
        sparse = kind == _GNU_SPARSE or any(key.startswith(b"GNU.sparse.") for key in records)
        if kind == _GNU_SPARSE:
            self._skip_sparse_map(header.block)
        stated = name or records.get(b"GNU.sparse.name") or records.get(b"path") or header.name
        # V7 tar had no type for directories, only a slash at the end of their names. For the newer file type, the slash
        # has no meaning.
        is_directory = kind == _DIRECTORY or (kind == _OLD_FILE and stated.endswith(b"/"))
        is_file = kind in (_FILE, _OLD_FILE) and not sparse and not is_directory
        target = link or records.get(b"linkpath") or header.link
        return LayerMember(
            name=stated,
            size=0 if kind in _WITHOUT_CONTENT or is_directory else size,
            is_file=is_file,
            is_directory=is_directory,
            mode=header.mode,
            hard_link=target if kind == _HARD_LINK else None,
        )

    def _header(self) -> ThirdPartyHeader | None:
        """Return the next header, or None at the end, which has two zero blocks, one, or none."""
        block = self._take_some(_BLOCK)
        if not block:
            return None
        if block == _ZERO_BLOCK:
            if self._take_some(_BLOCK) not in (b"", _ZERO_BLOCK):
                raise ImageFault(NO_TAR)
            return None
        return parse_header(block)

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
            raise ImageFault(NO_TAR)
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
        return b"".join(self._read_pieces(count))

    def _skip(self, count: int) -> None:
        if sum(map(len, self._read_pieces(count))) < count:
            raise ImageFault(NO_TAR)

    def _read_pieces(self, count: int) -> Iterator[bytes]:
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
