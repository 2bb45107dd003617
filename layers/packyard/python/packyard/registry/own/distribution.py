"""A registry that speaks the OCI distribution API and nothing else."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from packyard.errors import RegistryCleanupFailed, RegistryUnavailable
from packyard.oci.build.image import Image
from packyard.oci.build.layer import Layer
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.media_types import INDEXES
from packyard.oci.read.third_party_document import Descriptor
from packyard.registry.own.answers import listed_manifests
from packyard.registry.own.client import RegistryClient
from packyard.registry.own.port import BlobUpload
from packyard.registry.own.refusal import RegistryRefused

# The layer and a config per platform; most of a small push is waiting for answers.
PARALLEL_UPLOADS = 3
# Of indexes in indexes; no image that we copy has as many.
_MAX_DEPTH = 4


class DistributionRegistry:
    """Implements `ImageRegistry`; repositories come into being with the first push.

    Args:
        client: Speaks to the registry.
        host: What an image reference starts with.
    """

    def __init__(self, *, client: RegistryClient, host: str) -> None:
        self._client = client
        self._host = host

    @property
    def host(self) -> str:
        """See `ImageRegistry`."""
        return self._host

    def create_repository(self, repository: str) -> bool | None:  # noqa: ARG002 - a push creates it
        """See `ImageRegistry`: the distribution API has no such call."""
        return None

    def begin_upload(self, repository: str) -> BlobUpload:
        """See `ImageRegistry`."""
        return self._client.begin_upload(repository)

    def push(self, repository: str, image: Image, layer: Layer, *, upload: BlobUpload | None = None) -> None:
        """See `ImageRegistry`. What is named goes before what names it."""
        with ThreadPoolExecutor(max_workers=PARALLEL_UPLOADS) as threads:
            blobs = [
                threads.submit(
                    self._client.push_blob,
                    repository,
                    digest=layer.digest,
                    size=layer.size,
                    chunks=layer.chunks,
                    upload=upload,
                ),
                *(threads.submit(self._push_config, repository, config) for config in image.configs),
            ]
            for blob in blobs:
                blob.result()
            list(threads.map(lambda manifest: self.push_manifest(repository, manifest), image.manifests))
        self.push_manifest(repository, image.index)

    def has_image(self, repository: str, digest: Digest) -> bool:
        """See `ImageRegistry`."""
        return self._client.find_manifest(repository, digest) is not None

    def copy_blob(
        self,
        repository: str,
        blob: Descriptor,
        *,
        chunks: Callable[[], Iterable[bytes]],
        mount_from: str | None,
    ) -> None:
        """See `ImageRegistry`."""
        self._client.push_blob(
            repository, digest=blob.digest, size=blob.size, chunks=chunks, mount_from=mount_from
        )

    def push_manifest(self, repository: str, document: Document) -> None:
        """See `ImageRegistry`."""
        self._client.put_manifest(repository, document.digest, document)

    def tag(self, repository: str, tag: str, index: Document) -> None:
        """See `ImageRegistry`."""
        self._client.put_manifest(repository, tag, index)

    def restore_tag(self, repository: str, tag: str, digest: Digest) -> None:
        """See `ImageRegistry`."""
        self._client.put_manifest(repository, tag, self._client.get_manifest(repository, digest))

    def delete_image(self, repository: str, digests: Sequence[Digest]) -> bool:
        """See `ImageRegistry`."""
        try:
            return self._delete_all(repository, digests)
        except RegistryUnavailable as error:
            raise RegistryCleanupFailed from error

    def delete_empty_repository(self, repository: str) -> bool:  # noqa: ARG002 - it is no resource of its own
        """See `ImageRegistry`: without images there is nothing that could be seen, or that counts."""
        return True

    def purge_repository(self, repository: str, indexes: Iterable[Digest]) -> bool:
        """See `ImageRegistry`. Tags are looked at last: by then, only what the history does not know has any."""
        try:
            answered = [self._remove(repository, index) for index in indexes]
            # Listed before any is removed: where pages are counted, removing tags would move others to pages past.
            listed = self._client.list_tags(repository)
            answered += [self._remove(repository, tag) for tag in listed.tags]
        except RegistryUnavailable as error:
            raise RegistryCleanupFailed from error
        if not listed.complete:
            # What is left is for the next attempt.
            raise RegistryCleanupFailed
        return all(answered)

    def _remove(self, repository: str, reference: str) -> bool:
        """Remove an index after all that is below it: as long as it stands, it says what that is."""
        found = self._client.find_manifest(repository, reference)
        if found is None:
            return True
        below = self._below(repository, found, depth=_MAX_DEPTH)
        try:
            return self._delete_all(repository, (*below, found.digest))
        except RegistryRefused:
            # Some registries keep a manifest for as long as an index lists it. Those must lose the index first;
            # after a crash in between they are left with manifests that nothing names, theirs to collect. What was
            # answered before the refusal is not known.
            self._delete_all(repository, (found.digest, *reversed(below)))
            return False

    def _below(self, repository: str, index: Document, *, depth: int) -> list[Digest]:
        """Return what an index lists, each entry after what it lists in turn; most indexes list no others."""
        digests: list[Digest] = []
        for digest, media_type in listed_manifests(index).items():
            if media_type in INDEXES and depth:
                nested = self._client.find_manifest(repository, digest)
                digests += [] if nested is None else self._below(repository, nested, depth=depth - 1)
            digests.append(digest)
        return digests

    def _delete_all(self, repository: str, digests: Iterable[Digest]) -> bool:
        answered = [self._client.delete_manifest(repository, digest) for digest in digests]
        return all(answered)

    def _push_config(self, repository: str, config: Document) -> None:
        self._client.push_blob(
            repository, digest=config.digest, size=config.size, chunks=lambda: (config.raw,)
        )
