"""A registry that speaks the OCI distribution API and nothing else."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from packyard.errors import RegistryCleanupFailed, RegistryUnavailable
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.image import Image
from packyard.oci.layer import Layer
from packyard.registry.client import RegistryClient
from packyard.registry.transport import RegistryRefused

# The layer and a config per platform; most of a small push is waiting for answers.
PARALLEL_UPLOADS = 3


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
            for digest in digests:
                self._client.delete_manifest(repository, digest)
        except (RegistryUnavailable, RegistryRefused) as error:
            raise RegistryCleanupFailed from error

    def _push_config(self, repository: str, config: Document) -> None:
        self._client.push_blob(
            repository, digest=config.digest, size=config.size, chunks=lambda: (config.raw,)
        )

    def _push_manifest(self, repository: str, document: Document) -> None:
        self._client.put_manifest(repository, document.digest, document)
