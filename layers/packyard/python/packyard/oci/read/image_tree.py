"""An image as a whole: the documents of every platform, and the blobs that they name."""

from dataclasses import dataclass

from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.read.third_party_document import Descriptor


@dataclass(frozen=True, slots=True)
class ImageTree:
    """An image's documents and what they name.

    Attributes:
        documents: Every one before those that name it, so that they can be stored in this order; the last is
            the one that the image is pinned by.
        blobs: Configs and layers, each once.
    """

    documents: tuple[Document, ...]
    blobs: tuple[Descriptor, ...]

    @property
    def top(self) -> Document:
        """What the image is pinned by."""
        return self.documents[-1]

    @property
    def digests(self) -> tuple[Digest, ...]:
        """Of its documents, every one before those that it names: the order in which they can be deleted."""
        return tuple(document.digest for document in reversed(self.documents))

    @property
    def blob_bytes(self) -> int:
        """Configs and layers of all platforms together, as stated."""
        return sum(blob.size for blob in self.blobs)
