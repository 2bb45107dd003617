"""A registry that is used by the OCI distribution API alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from packyard.attestations.referrer import EMPTY, Referrer
from packyard.errors import RegistryCleanupFailed, RegistryUnavailable
from packyard.oci.build.image import Image
from packyard.oci.build.layer import Layer
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of
from packyard.oci.document import Document
from packyard.oci.media_types import INDEXES
from packyard.registry.own.answers import listed_manifests
from packyard.registry.own.client import RegistryClient
from packyard.registry.own.port import BlobUpload
from packyard.registry.own.refusal import RegistryRefused

# Layers and a config per platform; most of a small push is waiting for answers.
PARALLEL_UPLOADS = 3
# The deepest nesting of indexes; images that we copy are nested less deeply.
_MAX_DEPTH = 4


class DistributionRegistry:
    """Implements `ImageRegistry`. The first push to a repository creates it.

    Args:
        client: Calls the registry's API.
        host: The host, and port if any, with which image references start.
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

    def push(
        self, repository: str, image: Image, *, uploads: Mapping[Digest, BlobUpload] | None = None
    ) -> None:
        """See `ImageRegistry`. What is named goes before what names it."""
        with ThreadPoolExecutor(max_workers=PARALLEL_UPLOADS) as threads:
            blobs = [
                *(
                    threads.submit(
                        self._client.push_blob,
                        repository,
                        digest=layer.digest,
                        size=layer.size,
                        chunks=layer.chunks,
                        upload=(uploads or {}).get(layer.digest),
                    )
                    for layer in image.layers
                    if isinstance(layer, Layer)
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

    def blob_url(self, repository: str, digest: Digest) -> str | None:
        """See `ImageRegistry`. Registries that keep blobs in object storage redirect to it with a signed URL."""
        return self._client.blob_redirect(repository, digest)

    def has_blobs(self, repository: str, digests: Iterable[Digest]) -> bool:
        """See `ImageRegistry`."""
        with ThreadPoolExecutor(max_workers=PARALLEL_UPLOADS) as threads:
            return all(threads.map(lambda digest: self._client.has_blob(repository, digest), set(digests)))

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

    def listed_manifests(self, repository: str, digest: Digest) -> tuple[Digest, ...]:
        """See `ImageRegistry`."""
        found = self._client.find_manifest(repository, digest)
        return () if found is None else tuple(reversed(self._below(repository, found, depth=_MAX_DEPTH)))

    def find(self, repository: str, reference: str) -> Document | None:
        """See `ImageRegistry`."""
        return self._client.find_manifest(repository, reference)

    def attach(self, repository: str, artifacts: Sequence[Referrer], *, is_new: bool) -> bool:
        """See `ImageRegistry`. What is named goes before what names it."""
        with ThreadPoolExecutor(max_workers=PARALLEL_UPLOADS) as threads:
            blobs = [threads.submit(self._push_bytes, repository, EMPTY)]
            blobs += [
                threads.submit(self._push_bytes, repository, artifact.bundle, is_new=is_new)
                for artifact in artifacts
            ]
            for blob in blobs:
                blob.result()
            listed = list(
                threads.map(
                    lambda artifact: self._client.put_manifest(
                        repository, artifact.manifest.digest, artifact.manifest
                    ),
                    artifacts,
                )
            )
        return all(listed)

    def _push_bytes(self, repository: str, content: bytes, *, is_new: bool = False) -> None:
        self._client.push_blob(
            repository,
            digest=digest_of(content),
            size=len(content),
            chunks=lambda: (content,),
            is_new=is_new,
        )

    def delete_image(self, repository: str, digests: Sequence[Digest]) -> bool:
        """See `ImageRegistry`."""
        try:
            return self._delete_all(repository, digests)
        except RegistryUnavailable as error:
            raise RegistryCleanupFailed from error

    def delete_empty_repository(self, repository: str) -> bool:  # noqa: ARG002 - it is no resource of its own
        """See `ImageRegistry`. The distribution API knows no repositories apart from their content."""
        return True

    def purge_repository(self, repository: str, indexes: Iterable[Digest]) -> bool:
        """See `ImageRegistry`. First deletes the known indexes, then what the remaining tags name."""
        try:
            answered = [self._remove(repository, index) for index in indexes]
            # All pages are listed before the first deletion. If the registry pages by offset, deletions would shift
            # later tags into pages that have been read.
            listed = self._client.list_tags(repository)
            answered += [self._remove(repository, tag) for tag in listed.tags]
        except RegistryUnavailable as error:
            raise RegistryCleanupFailed from error
        if not listed.complete:
            # The next attempt deletes the rest.
            raise RegistryCleanupFailed
        return all(answered)

    def _remove(self, repository: str, reference: str) -> bool:
        """Delete an index after everything that it lists: while the index exists, a retry can still read the list."""
        found = self._client.find_manifest(repository, reference)
        if found is None:
            return True
        below = self._below(repository, found, depth=_MAX_DEPTH)
        try:
            return self._delete_all(repository, (*below, found.digest))
        except RegistryRefused:
            # Some registries refuse to delete a manifest that an index lists, so the index has to go first. A crash
            # in between leaves manifests that nothing names, which the registry's garbage collection removes. The
            # first round is not known to have been answered at once, hence False.
            self._delete_all(repository, (found.digest, *reversed(below)))
            return False

    def _below(self, repository: str, index: Document, *, depth: int) -> list[Digest]:
        """Return the digests that an index lists, including those of nested indexes, children before parents."""
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
