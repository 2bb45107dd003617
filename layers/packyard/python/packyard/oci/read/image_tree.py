"""A whole image: the documents of all platforms, and the blobs that they name."""

from dataclasses import dataclass

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.oci.document import Document


@dataclass(frozen=True, slots=True)
class ImageTree:
    """An image's documents and what they name.

    Attributes:
        documents: Each document comes before those that name it, so they can be pushed in this order. The last one is
            the document that the image is pinned by.
        blobs: The configs and layers, each once.
    """

    documents: tuple[Document, ...]
    blobs: tuple[Descriptor, ...]

    @property
    def top(self) -> Document:
        """The document that the image is pinned by."""
        return self.documents[-1]

    @property
    def digests(self) -> tuple[Digest, ...]:
        """The digests of its documents, each before those that it names: the order in which they can be deleted."""
        return tuple(document.digest for document in reversed(self.documents))

    @property
    def blob_bytes(self) -> int:
        """The bytes of all configs and layers together, as the documents state them."""
        return sum(blob.size for blob in self.blobs)
