"""Compressing files on another thread while the archive that they are in is read further."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from packyard.oci.build.file_in_spool import FileInSpool, cut_into_pieces
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.overlap import Overlap

# Threads are handed this much at a time; a pack that is smaller needs none.
_BATCH_BYTES = 256 << 10

_Batch = list[tuple[FileInSpool, bytes]]


class LayerWriter:
    """Puts files into a spool, some time before `finish` returns.

    A context manager; leaving it early drops what is not done yet.

    Args:
        spool: Where they go. One thread writes to it, so that files keep their order.
    """

    def __init__(self, spool: LayerSpool) -> None:
        self._spool = spool
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._under_way: Overlap[None] = Overlap(self._thread)
        self._batch: _Batch = []
        self._batch_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def store(self, chunks: Iterable[bytes]) -> FileInSpool:
        """Take one file's content; what is returned holds it once `finish` has returned.

        Raises:
            OSError: The disk did not take an earlier one.
        """
        file = FileInSpool()
        for part in cut_into_pieces(chunks):
            file.hash(part)
            self._batch.append((file, part))
            self._batch_bytes += len(part)
            if self._batch_bytes >= _BATCH_BYTES:
                self._under_way.start(self._compress, self._batch)
                self._batch, self._batch_bytes = [], 0
        return file

    def finish(self) -> None:
        """Wait until everything is in the spool.

        Raises:
            OSError: The disk did not take it.
        """
        for _ in self._under_way.finish():
            pass
        self._compress(self._batch)
        self._batch, self._batch_bytes = [], 0

    def fetch(self, stored: FileInSpool) -> bytes:
        """Return one file's content again, all of it at once, after waiting as `finish` does.

        Raises:
            OSError: The disk did not take it, or does not give it back.
        """
        self.finish()
        return self._spool.fetch(stored.content())

    def _compress(self, batch: _Batch) -> None:
        for file, part in batch:
            file.place(self._spool.compress(part))
