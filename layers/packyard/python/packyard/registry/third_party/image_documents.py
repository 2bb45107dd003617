"""Reads all manifests and indexes of an image, with every platform, starting at its digest."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from packyard.oci.digest import Digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.image_tree import ImageTree
from packyard.oci.read.third_party_document import NamedParts, parse_named_parts
from packyard.registry.third_party.repository import ThirdPartyRepository

if TYPE_CHECKING:
    from packyard.oci.descriptor import Descriptor
    from packyard.oci.document import Document

_MAX_DEPTH: Final = 4
_MAX_DOCUMENT_BYTES: Final = 8 << 20
_MAX_BLOBS: Final = 512


def read_tree(repository: ThirdPartyRepository, digest: Digest, *, max_documents: int) -> ImageTree:
    """Return the documents of an image, each checked against its digest, and the blobs that they name.

    Args:
        repository: The repository of the image.
        digest: The digest of its manifest or index.
        max_documents: The largest allowed number of manifests and indexes.

    Raises:
        ImageFault: It has more documents, is nested too deeply, is too large, or is not an image.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.manifest`.
    """
    walk = _Walk(repository, max_documents)
    walk.visit(digest, size=None, depth=1)
    return ImageTree(documents=tuple(walk.documents), blobs=tuple(walk.blobs.values()))


class _Walk:
    """Reads an image from the top, and lists each document after those that it names."""

    def __init__(self, repository: ThirdPartyRepository, max_documents: int) -> None:
        self.documents: list[Document] = []
        self.blobs: dict[Digest, Descriptor] = {}
        self._repository = repository
        self._max_documents = max_documents
        self._seen: set[Digest] = set()
        self._bytes_left = _MAX_DOCUMENT_BYTES

    def visit(self, digest: Digest, *, size: int | None, depth: int) -> None:
        if digest in self._seen:
            return
        self._seen.add(digest)
        if depth > _MAX_DEPTH:
            raise ImageFault("has indexes that are nested too deeply")
        document = self._repository.manifest(digest, size=size)
        self._bytes_left -= document.size
        if self._bytes_left < 0:
            raise ImageFault(f"has manifests of more than {_MAX_DOCUMENT_BYTES} bytes together")
        parts = parse_named_parts(document.raw, content_type=document.media_type)
        self._note(parts)
        for manifest in parts.manifests:
            self.visit(manifest.digest, size=manifest.size, depth=depth + 1)
        # Our registry needs the exact media type, also if the source's `Content-Type` is a generic one.
        self.documents.append(replace(document, media_type=parts.media_type))

    def _note(self, parts: NamedParts) -> None:
        named = self._seen | {manifest.digest for manifest in parts.manifests}
        if len(named) > self._max_documents:
            raise ImageFault(f"has more than {self._max_documents} manifests, all platforms together")
        for blob in parts.blobs:
            self.blobs.setdefault(blob.digest, blob)
        if len(self.blobs) > _MAX_BLOBS:
            raise ImageFault(f"has more than {_MAX_BLOBS} layers, all platforms together")
