"""Layers that are sent to our registry while they are being assembled, where that pays.

What one is sent to is an upload that names no digest: no blob, and no image. Closing it is part of the push, and so
comes after the claim and the cleanup message (decision 21).
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.overlap import mapped_ahead
from packyard.oci.build.tree import Entry
from packyard.oci.digest import Digest
from packyard.registry.own.port import BlobUpload

# What is smaller has never been on disk either, and is pushed in no time.
_WORTH_BYTES: Final = 8 << 20
# Assembling a layer keeps about as many processors busy: one hashes it, others inflate it.
_PROCESSORS_OF_ONE: Final = 2


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
    if size <= _WORTH_BYTES:
        sent.layers += map(spool.assemble, layers)
        yield sent
        return
    with ExitStack() as uploads:
        begun = ((entries, uploads.enter_context(begin_upload())) for entries in layers)
        with closing(_assembled(spool, begun)) as done:
            before: BlobUpload | None = None
            for layer, upload in done:
                # The registry may still take the last pieces of one layer while the next are made, and of no more than
                # one: each upload holds pieces in memory.
                if before is not None:
                    before.settle()
                before = upload
                sent.layers.append(layer)
                sent.uploads[layer.digest] = upload
        yield sent


def _assembled(
    spool: LayerSpool, begun: Iterable[tuple[Iterable[Entry], BlobUpload]]
) -> Generator[tuple[Layer, BlobUpload]]:
    """Yield layers that their uploads have been given, as many of them at once as there are processors for."""

    def assemble(task: tuple[Iterable[Entry], BlobUpload]) -> tuple[Layer, BlobUpload]:
        entries, upload = task
        layer = spool.assemble(entries, copy=upload.write)
        upload.end()
        return layer, upload

    at_once = spool.processors // _PROCESSORS_OF_ONE
    if at_once == 1:
        yield from map(assemble, begun)
        return
    # Entries are taken on this thread, since reading them may put content into the spool, one layer after the other.
    tasks = ((list(entries), upload) for entries, upload in begun)
    with ThreadPoolExecutor(max_workers=at_once) as threads:
        yield from mapped_ahead(threads, assemble, tasks, ahead=at_once - 1)
