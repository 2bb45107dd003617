"""Keeping only the content of an archive that is not in an image already."""

from collections.abc import Container, Iterable
from itertools import chain
from typing import Final

from packyard.oci.build.file_in_spool import FileInSpool
from packyard.oci.build.layer_writer import LayerWriter
from packyard.oci.content import Content
from packyard.oci.image_fault import NotOurForm

# A file's content is known only at its end, and until then it is in memory. A larger file is always compressed.
MAX_HELD_BYTES: Final = 8 << 20


class NewContent:
    """Passes files to a writer, except those whose content is known. These are hashed, and neither compressed nor kept.

    Args:
        writer: Takes the other files.
        known: The SHA-256 of known contents, in hex.
    """

    def __init__(self, writer: LayerWriter, *, known: Container[str]) -> None:
        self._writer = writer
        self._known = known

    def store(self, chunks: Iterable[bytes]) -> FileInSpool:
        """Take one file's content. What is returned for known content has no pieces.

        Raises:
            OSError: As for `LayerWriter.store`.
        """
        file = FileInSpool()
        held: list[bytes] = []
        size = 0
        rest = iter(chunks)
        for chunk in rest:
            file.hash(chunk)
            held.append(chunk)
            size += len(chunk)
            if size > MAX_HELD_BYTES:
                return self._writer.store(chain(held, rest))
        return file if file.content().sha256 in self._known else self._writer.store(held)

    def fetch(self, stored: FileInSpool) -> bytes:
        """Return one file's content again.

        Raises:
            NotOurForm: The content is known, so it was not kept.
            OSError: As for `LayerWriter.fetch`.
        """
        self._writer.finish()
        if not_kept(stored.content()):
            raise NotOurForm
        return self._writer.fetch(stored)


def not_kept(content: Content) -> bool:
    """Return whether content is known, so that it has to be taken from the image."""
    return content.size > 0 and not content.pieces
