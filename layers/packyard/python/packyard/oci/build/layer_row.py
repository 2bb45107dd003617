"""What a layer of ours consists of while it is put together: its pieces in their order, and its sums."""

import hashlib
from collections.abc import Callable
from typing import Final, NamedTuple

from isal import isal_zlib

from packyard.oci.build.compression import END_OF_STREAM
from packyard.oci.build.tree import Directory, Entry
from packyard.oci.content import Piece
from packyard.oci.digest import Digest

# RFC 1952, section 2.3: deflate, no flags, no time, no particular compressor, no particular system.
GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
# The last block of the stream, the CRC-32 and the size of what it inflates to.
GZIP_TRAILER_BYTES: Final = len(END_OF_STREAM) + 8


class LayerFile(NamedTuple):
    """Where one file lies in a layer: what it takes to read it alone and to check it.

    Attributes:
        path: Relative to the image's root.
        size: Bytes, uncompressed.
        mode: 0o644 or 0o755.
        sha256: Of its content, in hex.
        pieces: Its content starts with the first of them and ends `size` bytes on; padding follows.
    """

    path: str
    size: int
    mode: int
    sha256: str
    pieces: tuple[Piece, ...]


class LayerSums:
    """The digests of a blob and of its tar, and what the blob ends with.

    Args:
        copy: Is given the blob, part by part.
    """

    def __init__(self, copy: Callable[[bytes], object]) -> None:
        self._copy = copy
        self._blob, self._tar = hashlib.sha256(), hashlib.sha256()
        self._crc = self._tar_bytes = 0
        self._put(GZIP_HEADER)

    def add(self, compressed: bytes, raw: bytes) -> None:
        """Take in the next pieces, and what they inflate to."""
        self._put(compressed)
        self._tar.update(raw)
        self._crc = isal_zlib.crc32(raw, self._crc)
        self._tar_bytes += len(raw)

    def finish(self) -> bytes:
        """Return what the blob ends with (RFC 1952, section 2.3.1)."""
        size = self._tar_bytes & 0xFFFFFFFF
        trailer = END_OF_STREAM + self._crc.to_bytes(4, "little") + size.to_bytes(4, "little")
        self._put(trailer)
        return trailer

    @property
    def digest(self) -> Digest:
        """Of the blob."""
        return Digest(f"sha256:{self._blob.hexdigest()}")

    @property
    def diff_id(self) -> Digest:
        """Of the tar."""
        return Digest(f"sha256:{self._tar.hexdigest()}")

    def _put(self, part: bytes) -> None:
        self._copy(part)
        self._blob.update(part)


class LayerRow:
    """A layer to be: pieces of a spool in the layer's order, and the entries whose content they hold."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.size = len(GZIP_HEADER)
        self.files: list[LayerFile] = []
        self.directories: list[str] = []

    def lay(self, piece: Piece) -> Piece:
        """Add a piece to the end, and return it."""
        self.pieces.append(piece)
        self.size += piece.length
        return piece

    def enter(self, entry: Entry) -> None:
        """Note an entry whose content, if it has any, comes next."""
        if isinstance(entry, Directory):
            self.directories.append(entry.path)
            return
        placed = []
        offset = self.size
        for piece in entry.content.pieces:
            placed.append(Piece(offset, piece.length, piece.raw_size))
            offset += piece.length
        content = entry.content
        self.files.append(LayerFile(entry.path, content.size, entry.mode, content.sha256, tuple(placed)))
