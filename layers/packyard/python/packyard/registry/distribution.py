"""A registry that speaks the OCI distribution API and nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from packyard.errors import RegistryCleanupFailed, RegistryUnavailable
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.image import Image
from packyard.oci.layer import Layer
from packyard.registry.client import RegistryClient, listed_manifests
from packyard.registry.transport import RegistryRefused

# The layer and a config per platform; most of a small push is waiting for answers.
PARALLEL_UPLOADS = 3
# Of tags, in one purge: as many as ten thousand versions. What is left then is for the next attempt.
_MAX_TAG_PAGES = 100


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

    def ensure_repository(self, repository: str) -> None:
        """See `ImageRegistry`: there is nothing to do."""

    def push(self, repository: str, image: Image, layer: Layer) -> None:
        """See `ImageRegistry`. What is named goes before what names it."""
        with ThreadPoolExecutor(max_workers=PARALLEL_UPLOADS) as threads:
            uploads = [
                threads.submit(
                    self._client.push_blob,
                    repository,
                    digest=layer.digest,
                    size=layer.size,
                    chunks=layer.chunks,
                ),
                *(threads.submit(self._push_config, repository, config) for config in image.configs),
            ]
            for upload in uploads:
                upload.result()
            list(threads.map(lambda manifest: self._push_manifest(repository, manifest), image.manifests))
        self._push_manifest(repository, image.index)

    def tag(self, repository: str, tag: str, index: Document) -> None:
        """See `ImageRegistry`."""
        self._client.put_manifest(repository, tag, index)

    def restore_tag(self, repository: str, tag: str, digest: Digest) -> None:
        """See `ImageRegistry`."""
        self._client.put_manifest(repository, tag, self._client.get_index(repository, digest))

    def delete_image(self, repository: str, digests: Sequence[Digest]) -> None:
        """See `ImageRegistry`."""
        try:
            self._delete_all(repository, digests)
        except (RegistryUnavailable, RegistryRefused) as error:
            raise RegistryCleanupFailed from error

    def purge_repository(self, repository: str, indexes: Iterable[Digest]) -> None:
        """See `ImageRegistry`. Tags are looked at last: by then, only what the ledger does not know has any."""
        try:
            for index in indexes:
                self._remove(repository, index)
            for tag in self._tags(repository):
                self._remove(repository, tag)
        except (RegistryUnavailable, RegistryRefused) as error:
            raise RegistryCleanupFailed from error

    def _remove(self, repository: str, reference: str) -> None:
        """Remove an index after the manifests that it lists: as long as it stands, it says which those are."""
        found = self._client.find_manifest(repository, reference)
        if found is None:
            return
        manifests = listed_manifests(found)
        try:
            self._delete_all(repository, (*manifests, found.digest))
        except RegistryRefused:
            # Some registries keep a manifest for as long as an index lists it. Those must lose the index first;
            # after a crash in between they are left with manifests that nothing names, theirs to collect.
            self._delete_all(repository, (found.digest, *manifests))

    def _delete_all(self, repository: str, digests: Iterable[Digest]) -> None:
        for digest in digests:
            self._client.delete_manifest(repository, digest)

    def _tags(self, repository: str) -> Iterator[str]:
        last: str | None = None
        for _ in range(_MAX_TAG_PAGES):
            page = self._client.list_tags(repository, after=last)
            # A registry that knows no pages answers with the same tags again.
            if not page or page[-1] == last:
                return
            yield from page
            last = page[-1]
        raise RegistryCleanupFailed

    def _push_config(self, repository: str, config: Document) -> None:
        self._client.push_blob(
            repository, digest=config.digest, size=config.size, chunks=lambda: (config.raw,)
        )

    def _push_manifest(self, repository: str, document: Document) -> None:
        self._client.put_manifest(repository, document.digest, document)
