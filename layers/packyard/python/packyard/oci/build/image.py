"""The image that carries a pack: its layers under an index of two platforms (API contract, section 4).

What a pack holds has no architecture, but runtimes refuse an image that is not for theirs. So an index
names a manifest for each, and both name the same layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from packyard.oci.build.layer import LayerContents
from packyard.oci.content_digest import content_digest_of
from packyard.oci.digest import Digest, chained
from packyard.oci.document import Document
from packyard.oci.media_types import CONFIG, GZIP_LAYER, INDEX, MANIFEST

ARCHITECTURES = ("amd64", "arm64")
_SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Image:
    """An image's documents.

    Attributes:
        index: What a pack's `image_digest` pins and its tag names.
        manifests: One per platform, in the index's order.
        configs: One per platform, in the same order.
        layers: From the bottom up. Those that are a `Layer` have their blob here, the others are in the registry.
        size_bytes: Config plus layers of one platform, compressed: what one node pulls.
    """

    index: Document
    manifests: tuple[Document, ...]
    configs: tuple[Document, ...]
    layers: tuple[LayerContents, ...]
    size_bytes: int

    @property
    def chain_id(self) -> Digest:
        """What names the uncompressed content of the layers (OCI image-spec, config.md, "Layer ChainID").

        Of one layer this is its diff_id.
        """
        return chained([layer.diff_id for layer in self.layers])

    @property
    def layer_digest(self) -> Digest:
        """What names the layers' blobs; of one layer this is its digest."""
        return chained([layer.digest for layer in self.layers])

    @property
    def content_digest(self) -> Digest:
        """What names the files of the layers, whatever carries them."""
        return content_digest_of(file for layer in self.layers for file in layer.files)

    @property
    def digests(self) -> tuple[Digest, ...]:
        """The digests to delete in order to remove the image, in this order: the index, then its manifests.

        No other image of the repository names these manifests: they state the layers and every annotation
        that the index states, so that an equal manifest means an equal index.
        """
        return (self.index.digest, *(manifest.digest for manifest in self.manifests))


def build_image(
    *,
    layers: Sequence[LayerContents],
    title: str,
    version: str,
    description: str | None = None,
    license_text: str | None = None,
) -> Image:
    """Return the image of `layers`; the same arguments give the same bytes.

    Args:
        layers: What the image holds, from the bottom up; at least one.
        title: The pack's name, for `org.opencontainers.image.title`.
        version: The pack's version, for `.version`.
        description: For `.description`; no annotation without one.
        license_text: For `.licenses`; no annotation without one.
    """
    annotations = {"org.opencontainers.image.title": title, "org.opencontainers.image.version": version}
    if description is not None:
        annotations["org.opencontainers.image.description"] = description
    if license_text is not None:
        annotations["org.opencontainers.image.licenses"] = license_text
    configs = tuple(_config(architecture, layers) for architecture in ARCHITECTURES)
    manifests = tuple(_manifest(config, layers, annotations) for config in configs)
    index = {
        "schemaVersion": _SCHEMA_VERSION,
        "mediaType": INDEX,
        "manifests": [
            manifest.descriptor() | {"platform": {"architecture": architecture, "os": "linux"}}
            for architecture, manifest in zip(ARCHITECTURES, manifests, strict=True)
        ],
        "annotations": annotations,
    }
    size_bytes = configs[0].size + sum(layer.size for layer in layers)
    return Image(Document.of(INDEX, index), manifests, configs, tuple(layers), size_bytes)


def _config(architecture: str, layers: Sequence[LayerContents]) -> Document:
    # No `created`: the same content has to give the same bytes (image-spec, config.md: optional).
    rootfs = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
    return Document.of(CONFIG, {"architecture": architecture, "os": "linux", "rootfs": rootfs})


def _manifest(config: Document, layers: Sequence[LayerContents], annotations: dict[str, str]) -> Document:
    body: dict[str, Any] = {
        "schemaVersion": _SCHEMA_VERSION,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [{"mediaType": GZIP_LAYER, "digest": layer.digest, "size": layer.size} for layer in layers],
        "annotations": annotations,
    }
    return Document.of(MANIFEST, body)
