"""Layers that are sent to our registry while they are being assembled, where that pays.

What one is sent to is an upload that names no digest: no blob, and no image. Closing it is part of the push, and so
comes after the claim and the cleanup message (decision 21).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.tree import Entry
from packyard.oci.digest import Digest
from packyard.registry.own.port import BlobUpload

# What is smaller has never been on disk either, and is pushed in no time.
_WORTH_BYTES: Final = 8 << 20
# Of uploads at once: one whose last pieces the registry still takes, and the next one. Each holds pieces in memory.
_UNDER_WAY: Final = 2


@dataclass(slots=True)
class SentLayers:
    """Layers, and what has taken them ahead of their push.

    Attributes:
        layers: In the order in which they were assembled.
        uploads: By a layer's digest; empty when it was not worth it.
    """

    layers: list[Layer] = field(default_factory=list)
    uploads: dict[Digest, BlobUpload] = field(default_factory=dict)


@contextmanager
def assembled(
    spool: LayerSpool,
    layers: Iterable[Iterable[Entry]],
    *,
    size: int,
    begin_upload: Callable[[], BlobUpload],
) -> Iterator[SentLayers]:
    """Assemble layers and send each meanwhile; uploads that are still open when the context ends are cancelled.

    Args:
        spool: Has the content, or gets it while entries are read.
        layers: The entries of each, in canonical order; what raises there passes through.
        size: Of all layers together, in bytes, about.
        begin_upload: Returns an upload in the repository that the layers are for. Asked only when they are large.
    """
    sent = SentLayers()
    under_way: deque[BlobUpload] = deque()
    with ExitStack() as uploads:
        for entries in layers:
            if size <= _WORTH_BYTES:
                sent.layers.append(spool.assemble(entries))
                continue
            if len(under_way) == _UNDER_WAY:
                under_way.popleft().settle()
            upload = uploads.enter_context(begin_upload())
            under_way.append(upload)
            layer = spool.assemble(entries, copy=upload.write)
            upload.end()
            sent.layers.append(layer)
            sent.uploads[layer.digest] = upload
        yield sent
