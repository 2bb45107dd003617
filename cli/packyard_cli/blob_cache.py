"""Layers and image documents by their digests, so that what was fetched once is not fetched again.

A blob is trusted no more for being in the cache: whoever reads one hashes it, as if it came from the network.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

from packyard.oci.digest import Digest

_CHUNK: Final = 256 << 10
_UNFINISHED: Final = "unfinished"
_FORGOTTEN_AFTER: Final = 86_400


@dataclass(frozen=True, slots=True)
class BlobCache:
    """Blobs in a folder.

    Attributes:
        folder: The folder; it need not exist.
    """

    folder: Path

    def pieces(self, digest: Digest) -> Iterator[bytes] | None:
        """Return a blob's bytes, unverified; None if it is not here."""
        try:
            file = self._place(digest).open("rb")
        except FileNotFoundError:
            return None
        return _pieces_of(file)

    def size(self, digest: Digest) -> int | None:
        """Return how many bytes a blob has here; None if it is not here."""
        try:
            return self._place(digest).stat().st_size
        except FileNotFoundError:
            return None

    def document(self, digest: Digest) -> bytes | None:
        """Return a small blob, if it is here and is what its digest says."""
        try:
            content = self._place(digest).read_bytes()
        except FileNotFoundError:
            return None
        return content if f"sha256:{hashlib.sha256(content).hexdigest()}" == digest else None

    def drop(self, digest: Digest) -> None:
        """Remove a blob."""
        self._place(digest).unlink(missing_ok=True)

    def begin(self, digest: Digest) -> "NewBlob":
        """Return a blob to be written."""
        unfinished = self.folder / _UNFINISHED
        unfinished.mkdir(parents=True, exist_ok=True)
        _remove_forgotten(unfinished)
        return NewBlob(self._place(digest), unfinished)

    def keep(self, digest: Digest, content: bytes) -> None:
        """Keep a small blob that has been verified."""
        with self.begin(digest) as blob:
            blob.write(content)
            blob.keep()

    def _place(self, digest: Digest) -> Path:
        return self.folder / "blobs" / digest.replace(":", os.sep)


class NewBlob:
    """A blob that appears in the cache when it is whole and verified, or not at all.

    Args:
        place: Where it is to be.
        folder: Where it is until then, on the same file system.
    """

    def __init__(self, place: Path, folder: Path) -> None:
        self._place = place
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=folder)
        self._file = os.fdopen(descriptor, "wb")
        self._unfinished = Path(unfinished)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with suppress(FileNotFoundError):
            self._unfinished.unlink()

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        self._file.write(piece)

    def keep(self) -> None:
        """Let it appear; its writer has checked it."""
        self._file.close()
        self._unfinished.replace(self._place)


def _remove_forgotten(unfinished: Path) -> None:
    """Remove what commands that were killed have left. What others are writing just now is younger."""
    for left in unfinished.iterdir():
        # Two commands may remove the same one.
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - _FORGOTTEN_AFTER:
                left.unlink()


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_CHUNK):
            yield piece
