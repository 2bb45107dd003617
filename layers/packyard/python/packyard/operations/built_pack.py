"""An archive, validated and built into an image on the local disk, before the image is pushed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.layer_writer import LayerWriter
from packyard.oci.build.tree import File, canonical_order
from packyard.operations.sent_layer import assembled
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.pack_manifest import Manifest
from packyard.registry.own.port import BlobUpload


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPack:
    """What an archive has become.

    Attributes:
        manifest: Its `pack.yaml`.
        image: The image's documents.
        layer: The image's only layer.
        upload: The upload to which a large layer was sent while it was built; None for a small layer.
    """

    manifest: Manifest
    image: Image
    layer: Layer
    upload: BlobUpload | None


@contextmanager
def building(
    archive: BinaryIO, *, limits: ArchiveLimits, begin_upload: Callable[[PackName], BlobUpload]
) -> Iterator[BuiltPack]:
    """Validate an archive and build its image, in bounded memory. The layer can be read while the context lasts.

    Args:
        archive: A `.tar.gz`, read once from its present position.
        limits: Bounds on it.
        begin_upload: Begins an upload in the repository of the pack of this name. Called only for a large layer.

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
        order = canonical_order(directories=contents.directories, files=files)
        with assembled(
            spool, order, size=spool.size, begin_upload=lambda: begin_upload(manifest.name)
        ) as sent:
            image = build_image(
                layer=sent.layer,
                title=manifest.name,
                version=manifest.version,
                description=manifest.description,
            )
            yield BuiltPack(manifest=manifest, image=image, layer=sent.layer, upload=sent.upload)
