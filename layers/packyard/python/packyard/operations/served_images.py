"""Pulling images at our distribution door: documents from our registry, blobs by a URL that needs no credential.

Only what a role pins is served. The pinned digest names the image's other documents and its blobs, so nothing else of
the repository can be read, neither another revision nor another organisation's image (contract, section 12).

Only caches are written, each under the digest of its content. So a crash, a repeat and two readers at once all have the
same outcome.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from tempfile import SpooledTemporaryFile
from typing import IO, Final, Protocol

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.messaging.cleanup_queue import MAX_DIGESTS
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.read.image_tree import ImageTree
from packyard.oci.read.third_party_document import parse_named_parts
from packyard.oci.reference import Reference, parse_reference
from packyard.packs.role import Pin
from packyard.registry.own.port import ImageRegistry
from packyard.registry.third_party.image_documents import read_tree
from packyard.registry.third_party.pull import ImageSource
from packyard.registry.third_party.repository import ThirdPartyRepository
from packyard.storage.downloads import Downloads

# Documents never change under their digest. A role has at most 49 packs, and an image's documents are a few KiB.
_KEPT_IMAGES: Final = 64
_MEMORY_BYTES: Final = 8 << 20
_MAX_CONTENT: Final = 4 << 20
_BLOB_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedImage:
    """An image that may be read.

    Attributes:
        reference: Where it is; its digest is the pinned one.
        digest: The pinned digest.
        org_id: For which organisation it is read: in our registry the pack's owner, elsewhere the caller's.
        pack_id: The pack.
        revision: A revision of it that has the image.
        ours: Whether it is in our registry.
    """

    reference: Reference
    digest: Digest
    org_id: str
    pack_id: str
    revision: int
    ours: bool = True


def image_of_pin(pin: Pin, *, own_host: str) -> PinnedImage | None:
    """Return the image of a pin; None if it is in another registry, where it stays: the lock document names it.

    Args:
        pin: The pin.
        own_host: The start of references to our registry.
    """
    reference = replace(parse_reference(pin.image_ref), digest=pin.image_digest)
    if reference.registry != own_host:
        return None
    return PinnedImage(
        reference=reference,
        digest=pin.image_digest,
        org_id=pin.org_id,
        pack_id=pin.pack_id,
        revision=pin.revision,
    )


class PinnedImages(Protocol):
    """Finds what a role pins."""

    def find(self, *, org_id: str, role_id: str, owner: str, name: str) -> PinnedImage | None:
        """Return the image of a pack that a role pins; None if it pins no such pack, or there is no such role.

        Args:
            org_id: The organisation whose role it is.
            role_id: The role.
            owner: The slug of the pack's organisation.
            name: The pack's name.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedImages:
    """Serves the documents and blobs of pinned images.

    Attributes:
        sources: Where documents are read, and blobs that the registry gives no URL for.
        registry: Our registry, which knows the URLs of its blobs.
        downloads: Where blobs are staged if the registry gives no URL.
        trees: The documents of images that were read before. Another organisation may not be able to read an image.
    """

    sources: ImageSource
    registry: ImageRegistry
    downloads: Downloads
    trees: dict[PinnedImage, ImageTree] = field(default_factory=dict)

    def document(self, image: PinnedImage, digest: Digest) -> Document | None:
        """Return a manifest or an index of an image as it was pushed, or None if it is not one of the image's.

        Raises:
            RegistryUnavailable: The registry did not answer, or has lost the image.
            ServiceUnavailable: AWS did not answer for a credential.
        """
        if digest == image.digest and image not in self.trees:
            with self._opened(image) as repository:
                found = repository.manifest(digest)
            media_type = parse_named_parts(found.raw, content_type=found.media_type).media_type
            return Document(media_type, found.raw, found.digest)
        tree = self.tree(image)
        return next((document for document in tree.documents if document.digest == digest), None)

    def tree(self, image: PinnedImage) -> ImageTree:
        """Return all documents of an image, and what they name. They are read once.

        Raises:
            RegistryUnavailable, ServiceUnavailable: As for `document`.
        """
        tree = self.trees.get(image)
        if tree is None:
            with self._opened(image) as repository:
                tree = read_tree(repository, image.digest, max_documents=MAX_DIGESTS)
            while len(self.trees) >= _KEPT_IMAGES:
                del self.trees[next(iter(self.trees))]
            self.trees[image] = tree
        return tree

    def blob_url(self, image: PinnedImage, digest: Digest) -> str | None:
        """Return a URL from which anyone can read a blob for some minutes, or None if it is not one of the image's.

        A registry that gives no such URL sends the blob through here once; it is then staged for a day.

        Raises:
            RegistryUnavailable, ServiceUnavailable: As for `document`.
        """
        blob = next((blob for blob in self.tree(image).blobs if blob.digest == digest), None)
        if blob is None:
            return None
        return self.url_of(image, blob)

    def url_of(self, image: PinnedImage, blob: Descriptor) -> str:
        """Return a URL as `blob_url` does.

        Args:
            image: The image.
            blob: One of its blobs.

        Raises:
            RegistryUnavailable, ServiceUnavailable: As for `document`.
        """
        known = self.registry.blob_url(image.reference.repository, blob.digest) if image.ours else None
        return known or self._staged(image, blob)

    def contents(self, image: PinnedImage, blobs: Sequence[Descriptor]) -> list[bytes]:
        """Return the content of small blobs, checked by their digests. All of it is in memory.

        Args:
            image: The image.
            blobs: Some of its blobs.

        Raises:
            InvalidRequest: On `id`: a blob is over 4 MiB.
            RegistryUnavailable, ServiceUnavailable: As for `document`.
        """
        if any(blob.size > _MAX_CONTENT for blob in blobs):
            raise InvalidRequest({"id": f"its image has a config of over {_MAX_CONTENT} bytes"})
        with self._opened(image) as repository:
            return [b"".join(repository.content(blob)) for blob in blobs]

    def pieces(self, image: PinnedImage, blob: Descriptor) -> Iterator[bytes]:
        """Yield a blob's bytes. They are known to be right only when all have been read.

        Args:
            image: The image.
            blob: One of its blobs.

        Raises:
            RegistryUnavailable, ServiceUnavailable: As for `document`.
        """
        with self._opened(image) as repository:
            yield from repository.content(blob)

    def _staged(self, image: PinnedImage, blob: Descriptor) -> str:
        sha256 = blob.digest.removeprefix("sha256:")
        staged = self.downloads.find(sha256)
        if staged is None:
            with self._opened(image) as repository, closing(_spooled(repository.content(blob))) as spool:
                staged = self.downloads.put(sha256, spool, is_text=False)
        return self.downloads.url(staged, content_type=_BLOB_TYPE, disposition="attachment")

    @contextmanager
    def _opened(self, image: PinnedImage) -> Iterator[ThirdPartyRepository]:
        """Open the image's repository. An image of ours is there, so its absence is the registry's fault."""
        try:
            with self.sources.opened(image.reference, org_id=image.org_id) as repository:
                yield repository
        except InvalidRequest as refusal:
            if image.ours:
                raise RegistryUnavailable("The registry does not have the image of a pack.") from refusal
            raise InvalidRequest({"id": f"its image {refusal.fields['image_ref']}"}) from refusal


def _spooled(pieces: Iterator[bytes]) -> IO[bytes]:
    spool: IO[bytes] = SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - closed by the caller
    try:
        for piece in pieces:
            spool.write(piece)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool
