"""An archive whose digest is taken while it is read."""

import hashlib
from typing import Final

from packyard.oci.digest import Digest
from packyard.packs.archive.gzip_stream import Readable

_DRAIN_BYTES: Final = 1 << 20


class DigestedArchive:
    """Passes an archive's bytes on.

    Args:
        archive: Read once, from its present position.
    """

    def __init__(self, archive: Readable) -> None:
        self._archive = archive
        self._hash = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        """Return up to so many bytes; none at the end."""
        piece = self._archive.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> Digest:
        """Return the digest of the whole archive. What has not been read is read now."""
        while self.read(_DRAIN_BYTES):
            pass
        return Digest(f"sha256:{self._hash.hexdigest()}")
