"""Downloading a pack's image without a registry login: its documents, and URLs of its layers (API contract, section 8).

Only caches are written, as by `served_images`.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of
from packyard.oci.document import Document
from packyard.oci.media_types import IMAGE_CONFIGS
from packyard.oci.reference import parse_reference
from packyard.operations.served_images import PinnedImage, ServedImages
from packyard.packs.pack import Pack
from packyard.tenants.caller import Caller

# Most of a download is waiting for the registry.
_PARALLEL: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A pack's image.

    Attributes:
        pack: The pack at the revision.
        documents: The index, the manifests and the configs: each comes before what it names.
        layers: Each once.
        urls: By a layer's digest: where anyone can read it for some minutes.
    """

    pack: Pack
    documents: tuple[Document, ...]
    layers: tuple[Descriptor, ...]
    urls: Mapping[Digest, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloader:
    """Downloads images of packs.

    Attributes:
        images: Where their images are read.
        own_host: The start of references to our registry.
    """

    images: ServedImages
    own_host: str

    def download(self, pack: Pack, *, caller: Caller) -> Download:
        """Return a pack's image: its documents, and URLs of its layers.

        Args:
            pack: The pack at a revision, from `pack_at`.
            caller: Who asks. In other registries than ours, their credentials decide.

        Raises:
            InvalidRequest: On `id`: the image cannot be fetched or read.
            RegistryUnavailable: A registry did not answer in time.
            ServiceUnavailable: AWS did not answer.
        """
        reference = replace(parse_reference(pack.image_ref), digest=pack.image_digest)
        ours = reference.registry == self.own_host
        image = PinnedImage(
            reference=reference,
            digest=pack.image_digest,
            org_id=pack.org_id if ours else caller.org_id,
            pack_id=pack.id,
            revision=pack.revision,
            ours=ours,
        )
        tree = self.images.tree(image)
        configs = [blob for blob in tree.blobs if blob.media_type in IMAGE_CONFIGS]
        layers = tuple(blob for blob in tree.blobs if blob.media_type not in IMAGE_CONFIGS)
        with ThreadPoolExecutor(_PARALLEL) as threads:
            urls = list(threads.map(lambda layer: self.images.url_of(image, layer), layers))
        contents = self.images.contents(image, configs)
        read = (
            Document(config.media_type, content, digest_of(content))
            for config, content in zip(configs, contents, strict=True)
        )
        return Download(
            pack=pack,
            documents=(*reversed(tree.documents), *read),
            layers=layers,
            urls=dict(zip((layer.digest for layer in layers), urls, strict=True)),
        )
