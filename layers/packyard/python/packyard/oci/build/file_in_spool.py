"""One file's content on its way into a spool: hashed, and cut into what its pieces hold."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from packyard.oci.content import Content, Piece

# What a piece holds at most, uncompressed.
PIECE_BYTES: Final = 1 << 20


class FileInSpool:
    """One file's content on its way into a spool, or there already. An archive has many, so each is small."""

    __slots__ = ("_hash", "_pieces", "_sha256", "_size")

    def __init__(self) -> None:
        self._hash: hashlib._Hash | None = hashlib.sha256()
        self._sha256 = ""
        self._size = 0
        self._pieces: tuple[Piece, ...] = ()

    def hash(self, raw: bytes) -> None:
        """Take note of what the next part of the content is.

        Raises:
            ValueError: The content has ended.
        """
        if self._hash is None:
            raise ValueError("the content has ended")
        self._hash.update(raw)
        self._size += len(raw)

    def end(self) -> None:
        """Take note that all parts have been hashed. What hashed them takes more memory than all else."""
        if self._hash is not None:
            self._sha256 = self._hash.hexdigest()
            self._hash = None

    def place(self, piece: Piece) -> None:
        """Take note of where the next part of the content is."""
        self._pieces += (piece,)

    def content(self) -> Content:
        """Return what is there of it, which is all."""
        self.end()
        return Content(self._size, self._sha256, self._pieces)


def cut_into_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut one file's content into what its pieces hold: 1 MiB each, and what is left.

    How the content is cut into chunks leaves no trace in the result.
    """
    kept: list[bytes] = []
    size = 0
    for chunk in chunks:
        rest = chunk
        while size + len(rest) >= PIECE_BYTES:
            cut = PIECE_BYTES - size
            yield b"".join((*kept, rest[:cut]))
            rest = rest[cut:]
            kept, size = [], 0
        if rest:
            kept.append(rest)
            size += len(rest)
    if kept:
        yield b"".join(kept)
