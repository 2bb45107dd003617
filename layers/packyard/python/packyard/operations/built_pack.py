"""An archive, validated and built into an image on local disk; nothing of it is anywhere else yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from packyard.oci.image import Image, build_image
from packyard.oci.layer import Layer, LayerSpool
from packyard.oci.layer_writer import LayerWriter
from packyard.oci.tree import File, canonical_order
from packyard.packs.archive import read_archive
from packyard.packs.limits import ArchiveLimits
from packyard.packs.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPack:
    """What an archive has become.

    Attributes:
        manifest: Its `pack.yaml`.
        image: The image's documents.
        layer: The image's only layer.
    """

    manifest: Manifest
    image: Image
    layer: Layer


@contextmanager
def building(archive: BinaryIO, *, limits: ArchiveLimits) -> Iterator[BuiltPack]:
    """Validate an archive and build its image, in bounded memory; the layer lasts as long as the context.

    Args:
        archive: A `.tar.gz`, read once from where it stands.
        limits: Bounds on it.

    Raises:
        InvalidRequest: The archive or its `pack.yaml` is wrong; every fault is named.
        PayloadTooLarge: The archive is over its limit.
    """
    with LayerSpool() as spool:
        with LayerWriter(spool) as writer:
            contents = read_archive(archive, limits=limits, contents=writer)
            writer.finish()
        manifest = contents.manifest
        files = [File(file.path, file.executable, file.content.content()) for file in contents.files]
        layer = spool.assemble(canonical_order(directories=contents.directories, files=files))
        image = build_image(
            layer=layer, title=manifest.name, version=manifest.version, description=manifest.description
        )
        yield BuiltPack(manifest=manifest, image=image, layer=layer)
