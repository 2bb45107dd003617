"""A layer that is sent to our registry while it is being assembled, if it is large.

It is sent to an upload without a digest, which is not yet a blob or an image. The push closes the upload, after the
claim and the cleanup message (decision 21).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.tree import Entry
from packyard.registry.own.port import BlobUpload

# A smaller layer is in memory, and is pushed quickly.
_WORTH_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class SentLayer:
    """A layer, and the upload that it was sent to.

    Attributes:
        layer: The whole layer, on this machine.
        upload: The upload; None for a small layer.
    """

    layer: Layer
    upload: BlobUpload | None


@contextmanager
def assembled(
    spool: LayerSpool,
    entries: Iterable[Entry],
    *,
    size: int,
    begin_upload: Callable[[], BlobUpload],
) -> Iterator[SentLayer]:
    """Assemble a layer and send it meanwhile. An upload that is still open when the context ends is cancelled.

    Args:
        spool: Has the content, or gets it while `entries` are read.
        entries: In canonical order. Their errors pass through.
        size: The approximate size of the layer, in bytes.
        begin_upload: Begins an upload in the repository that the layer is for. Called only for a large layer.
    """
    with begin_upload() if size > _WORTH_BYTES else nullcontext() as upload:
        if upload is None:
            yield SentLayer(spool.assemble(entries), None)
            return
        layer = spool.assemble(entries, copy=upload.write)
        upload.end()
        yield SentLayer(layer, upload)
