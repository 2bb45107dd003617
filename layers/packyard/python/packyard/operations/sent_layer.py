"""A layer that is sent to our registry while it is being assembled, where it is large enough for that to pay.

What it is sent to is an upload that names no digest: no blob, and no image. Closing it is part of the push, and so
comes after the claim and the cleanup message (decision 21).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.tree import Entry
from packyard.registry.own.port import BlobUpload

# What is smaller has never been on disk either, and is pushed in no time.
_WORTH_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class SentLayer:
    """A layer, and what has taken it ahead of its push.

    Attributes:
        layer: All of it, readable here.
        upload: None when it was not worth it.
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
    """Assemble a layer and send it meanwhile; an upload that is still open when the context ends is cancelled.

    Args:
        spool: Has the content, or gets it while `entries` are read.
        entries: In canonical order; what raises there passes through.
        size: Of the layer, in bytes, about.
        begin_upload: Returns an upload in the repository that the layer is for. Asked only for a large layer.
    """
    with begin_upload() if size > _WORTH_BYTES else nullcontext() as upload:
        if upload is None:
            yield SentLayer(spool.assemble(entries), None)
            return
        layer = spool.assemble(entries, copy=upload.write)
        upload.end()
        yield SentLayer(layer, upload)
