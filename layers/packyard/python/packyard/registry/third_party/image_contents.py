"""The files of an image, wherever it is: all of them by reading its layers once, one of them by what it takes."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from packyard.errors import RegistryUnavailable
from packyard.oci.digest import Digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import GZIP_LAYER
from packyard.oci.read.file_index import FileIndex, IndexedFile, IndexedLayer
from packyard.oci.read.image_scan import ImageScan
from packyard.oci.read.inflation import inflate_layer
from packyard.oci.read.third_party_document import Descriptor
from packyard.registry.third_party.chosen_image import chosen_manifest
from packyard.registry.third_party.pull import PullLimits
from packyard.registry.third_party.repository import ThirdPartyRepository


class NotAsIndexed(RegistryUnavailable):
    """What was read is not the file that the index tells of: the one or the other is damaged."""


def scan_image(repository: ThirdPartyRepository, digest: Digest, *, limits: PullLimits) -> FileIndex:
    """Read an image's layers, each checked against its digest, and return where its files lie.

    Args:
        repository: Where it is.
        digest: Of its manifest or index.
        limits: Bounds on the layers.

    Raises:
        ImageFault: It is none that we can read, or over a bound.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.blob`.
    """
    _, document = repository.document(digest)
    manifest = chosen_manifest(repository, document)
    if sum(layer.size for layer in manifest.layers) > limits.compressed_bytes:
        raise ImageFault(f"has more than {limits.compressed_bytes} bytes of layers")
    scan = ImageScan(limits=limits.layer)
    for layer in manifest.layers:
        with repository.blob(layer) as chunks:
            scan.add(layer, chunks)
    return scan.finish()


@contextmanager
def opened_file(
    repository: ThirdPartyRepository, index: FileIndex, file: IndexedFile
) -> Iterator[Iterator[bytes]]:
    """Give a file's content; it is known to be right only when all has been read.

    Where the layer's form allows, this is one request for the file's own bytes. Otherwise the layer is read up to it.

    Args:
        repository: Where the image is.
        index: Of the image.
        file: One of the index's.

    Raises:
        NotAsIndexed: When read: it is another content.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.part`.
    """
    if not file.size:
        yield _verified(iter(()), file)
        return
    layer = index.layers[file.layer]
    blob = _descriptor(layer)
    if file.members:
        start, last = file.members[0].offset, file.members[-1]
        with repository.part(blob, start=start, length=last.offset + last.length - start) as chunks:
            yield _verified(inflate_layer(chunks), file)
    elif layer.plain:
        with repository.part(blob, start=file.at, length=file.size) as chunks:
            yield _verified(chunks, file)
    else:
        with repository.blob(blob) as chunks:
            yield _verified(_skipped(inflate_layer(chunks), file.at), file)


@contextmanager
def opened_layer(repository: ThirdPartyRepository, layer: IndexedLayer) -> Iterator[Iterator[bytes]]:
    """Give a layer's blob; it is known to be right only when all has been read.

    Raises:
        ImageFault, InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.blob`.
    """
    with repository.blob(_descriptor(layer)) as chunks:
        yield chunks


def _descriptor(layer: IndexedLayer) -> Descriptor:
    return Descriptor(GZIP_LAYER, layer.digest, layer.size)


def _skipped(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[count:]
        count -= min(count, len(piece))


def _verified(pieces: Iterator[bytes], file: IndexedFile) -> Iterator[bytes]:
    """Yield as much as belongs to the file."""
    sha256 = hashlib.sha256()
    left = file.size
    try:
        while left and (piece := next(pieces, None)) is not None:
            wanted = piece[:left]
            left -= len(wanted)
            sha256.update(wanted)
            yield wanted
    except ImageFault as fault:
        raise NotAsIndexed("The registry did not send the file that it should have.") from fault
    if left or sha256.hexdigest() != file.sha256:
        raise NotAsIndexed("The registry did not send the file that it should have.")
