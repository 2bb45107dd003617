"""Reads the files of an image: an index of all of them from one pass over the layers, or one file's content."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from packyard.errors import RegistryUnavailable
from packyard.oci.content import LayerForm
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import GZIP_LAYER
from packyard.oci.read.checkpoints import Checkpoint, checkpoint_before, checkpoint_behind, inflate_from
from packyard.oci.read.file_index import FileIndex, IndexedFile, IndexedLayer
from packyard.oci.read.inflation import inflate_flushed, inflate_layer
from packyard.registry.third_party.pull import PullLimits
from packyard.registry.third_party.repository import ThirdPartyRepository


class NotAsIndexed(RegistryUnavailable):
    """The content read is not that of the indexed file: the index or the content is damaged."""


# Returns the window of a checkpoint, given the digest of the stored windows; None if it cannot be read.
FindWindow = Callable[[Digest, Checkpoint], bytes | None]
# Stores the windows of a layer's checkpoints.
KeepWindows = Callable[[bytes], None]


def scan_image(
    repository: ThirdPartyRepository,
    digest: Digest,
    *,
    limits: PullLimits,
    keep_windows: KeepWindows | None = None,
) -> FileIndex:
    """Read an image's layers, check each against its digest, and return the index of its files.

    Args:
        repository: The repository of the image.
        digest: The digest of its manifest or index.
        limits: Limits on the layers.
        keep_windows: Called for each layer that has checkpoints. None: no checkpoints are collected.

    Raises:
        ImageFault: The image cannot be read, or exceeds a limit.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.blob`.
    """
    # Imported here because reading one file of an indexed image does not need them.
    from packyard.oci.read.image_scan import ImageScan  # noqa: PLC0415
    from packyard.registry.third_party.chosen_image import chosen_manifest  # noqa: PLC0415

    _, document = repository.document(digest)
    manifest = chosen_manifest(repository, document)
    if sum(layer.size for layer in manifest.layers) > limits.compressed_bytes:
        raise ImageFault(f"has more than {limits.compressed_bytes} bytes of layers")
    scan = ImageScan(limits=limits.layer, checkpoints=keep_windows is not None)
    for layer in manifest.layers:
        with repository.blob(layer) as chunks:
            windows = scan.add(layer, chunks)
        if windows and keep_windows is not None:
            keep_windows(windows)
    return scan.finish()


def layers_of_image(repository: ThirdPartyRepository, digest: Digest) -> tuple[Descriptor, ...]:
    """Return an image's layers from the lowest up, as its manifest names them. No layer is read.

    Args:
        repository: As for `scan_image`.
        digest: As for `scan_image`.

    Raises:
        ImageFault, InvalidRequest, TargetRefused, RegistryUnavailable: As for `scan_image`.
    """
    # Imported here, as in `scan_image`.
    from packyard.registry.third_party.chosen_image import chosen_manifest  # noqa: PLC0415

    _, document = repository.document(digest)
    return chosen_manifest(repository, document).layers


@contextmanager
def opened_file(
    repository: ThirdPartyRepository,
    index: FileIndex,
    file: IndexedFile,
    *,
    find_window: FindWindow | None = None,
) -> Iterator[Iterator[bytes]]:
    """Give a file's content. It is verified only when it has been read to its end.

    If the layer's form allows it, one request reads the file's own bytes. Otherwise the layer is read up to the file's
    end: from the last checkpoint before the file, or from the layer's start.

    Args:
        repository: The repository of the image.
        index: The image's index.
        file: A file of that index.
        find_window: Reads a checkpoint's window. None: no checkpoint is used.

    Raises:
        NotAsIndexed: While reading: the content is not that of the file.
        InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.part`.
    """
    if not file.size:
        yield _verified(iter(()), file)
        return
    layer = index.layers[file.layer]
    blob = _descriptor(layer)
    if file.pieces:
        start, last = file.pieces[0].offset, file.pieces[-1]
        inflate = inflate_flushed if layer.form is LayerForm.FLUSHED else inflate_layer
        with repository.part(blob, start=start, length=last.offset + last.length - start) as chunks:
            yield _verified(inflate(chunks), file)
    elif layer.form is LayerForm.PLAIN:
        with repository.part(blob, start=file.at, length=file.size) as chunks:
            yield _verified(chunks, file)
    elif resumed := _resumption(layer, file, find_window):
        checkpoint, window = resumed
        behind = checkpoint_behind(layer.checkpoints, file.at + file.size)
        length = (behind.offset if behind else layer.size) - checkpoint.start
        with repository.part(blob, start=checkpoint.start, length=length) as chunks:
            pieces = inflate_from(checkpoint, window, chunks)
            yield _verified(_skipped(pieces, file.at - checkpoint.at), file)
    else:
        with repository.blob(blob) as chunks:
            yield _verified(_skipped(inflate_layer(chunks), file.at), file)


@contextmanager
def opened_layer(repository: ThirdPartyRepository, layer: IndexedLayer) -> Iterator[Iterator[bytes]]:
    """Give a layer's bytes. They are verified only when they have been read to their end.

    Raises:
        ImageFault, InvalidRequest, TargetRefused, RegistryUnavailable: As for `ThirdPartyRepository.blob`.
    """
    with repository.blob(_descriptor(layer)) as chunks:
        yield chunks


def _resumption(
    layer: IndexedLayer, file: IndexedFile, find_window: FindWindow | None
) -> tuple[Checkpoint, bytes] | None:
    """Return the last checkpoint before a file, with its window. None: the layer is to be read from its start."""
    checkpoint = checkpoint_before(layer.checkpoints, file.at)
    if checkpoint is None or layer.windows is None or find_window is None:
        return None
    window = find_window(layer.windows, checkpoint)
    return None if window is None else (checkpoint, window)


def _descriptor(layer: IndexedLayer) -> Descriptor:
    return Descriptor(GZIP_LAYER, layer.digest, layer.size)


def _skipped(pieces: Iterator[bytes], count: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[count:]
        count -= min(count, len(piece))


def _verified(pieces: Iterator[bytes], file: IndexedFile) -> Iterator[bytes]:
    """Yield the file's bytes, and check their number and digest at the end."""
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
