"""The image that carries a pack: one layer under an index of two platforms (API contract, section 4).

What a pack holds has no architecture, but runtimes refuse an image that is not for theirs. So an index
names a manifest for each, and both name the same layer.
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
        index: What a pack's `image_digest` pins and its tag names.
        manifests: One per platform, in the index's order.
        configs: One per platform, in the same order.
        size_bytes: Config plus layer of one platform, compressed: what one node pulls.
    """

    index: Document
    manifests: tuple[Document, ...]
    configs: tuple[Document, ...]
    size_bytes: int

    @property
    def digests(self) -> tuple[Digest, ...]:
        """What a registry has to forget to be rid of the image, in that order: the index, then its manifests.

        No other image of the repository names these manifests: they state the layer and every annotation
        that the index states, so that an equal manifest means an equal index.
        """
        return (self.index.digest, *(manifest.digest for manifest in self.manifests))


def build_image(*, layer: Layer, title: str, version: str, description: str | None = None) -> Image:
    """Return the image of `layer`; the same arguments give the same bytes.

    Args:
        layer: What the image holds.
        title: The pack's name, for `org.opencontainers.image.title`.
        version: The pack's version, for `.version`.
        description: For `.description`; no annotation without one.
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
    # No `created`: the same content has to give the same bytes (image-spec, config.md: optional).
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
