"""The image of a pack: an index with two platforms that share one layer (API contract, section 4).

A pack's files do not depend on the architecture, but runtimes refuse an image for another architecture. So the index
lists one manifest for each architecture, and both manifests name the same layer.
"""

from dataclasses import dataclass
from typing import Any

from packyard.oci.build.layer import Layer
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.media_types import CONFIG, GZIP_LAYER, INDEX, MANIFEST

ARCHITECTURES = ("amd64", "arm64")
_SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Image:
    """An image's documents.

    Attributes:
        index: The document that the tag and the pack's `image_digest` name.
        manifests: One for each platform, in the index's order.
        configs: One for each platform, in the same order.
        size_bytes: Compressed bytes of one platform's config and layer, which is what a node pulls.
    """

    index: Document
    manifests: tuple[Document, ...]
    configs: tuple[Document, ...]
    size_bytes: int

    @property
    def digests(self) -> tuple[Digest, ...]:
        """The digests to delete in order to remove the image, in this order: the index, then its manifests.

        No other image in the repository has these manifests. They contain the layer and all annotations of the index,
        so equal manifests mean an equal index.
        """
        return (self.index.digest, *(manifest.digest for manifest in self.manifests))


def build_image(*, layer: Layer, title: str, version: str, description: str | None = None) -> Image:
    """Return the image with this layer. The same arguments give the same bytes.

    Args:
        layer: The image's only layer.
        title: The pack's name, for the annotation `org.opencontainers.image.title`.
        version: The pack's version, for `org.opencontainers.image.version`.
        description: For `org.opencontainers.image.description`; None for no such annotation.
    """
    annotations = {"org.opencontainers.image.title": title, "org.opencontainers.image.version": version}
    if description is not None:
        annotations["org.opencontainers.image.description"] = description
    configs = tuple(_config(architecture, layer) for architecture in ARCHITECTURES)
    manifests = tuple(_manifest(config, layer, annotations) for config in configs)
    index = {
        "schemaVersion": _SCHEMA_VERSION,
        "mediaType": INDEX,
        "manifests": [
            manifest.descriptor() | {"platform": {"architecture": architecture, "os": "linux"}}
            for architecture, manifest in zip(ARCHITECTURES, manifests, strict=True)
        ],
        "annotations": annotations,
    }
    return Image(Document.of(INDEX, index), manifests, configs, configs[0].size + layer.size)


def _config(architecture: str, layer: Layer) -> Document:
    # Without `created`, which is optional (image-spec, config.md), so that the same content gives the same bytes.
    rootfs = {"type": "layers", "diff_ids": [layer.diff_id]}
    return Document.of(CONFIG, {"architecture": architecture, "os": "linux", "rootfs": rootfs})


def _manifest(config: Document, layer: Layer, annotations: dict[str, str]) -> Document:
    body: dict[str, Any] = {
        "schemaVersion": _SCHEMA_VERSION,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [{"mediaType": GZIP_LAYER, "digest": layer.digest, "size": layer.size}],
        "annotations": annotations,
    }
    return Document.of(MANIFEST, body)
