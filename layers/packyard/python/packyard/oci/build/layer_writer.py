"""Compressing files on other threads while the archive that they are in is read further."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from packyard.oci.build.file_in_spool import PIECE_BYTES, FileInSpool, cut_into_pieces
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.overlap import Overlap
from packyard.oci.content import Piece

# Threads are handed this much at a time; a pack that is smaller needs none.
_BATCH_BYTES: Final = 256 << 10
# With two processors, the one that reads has time for the SHA-256 of files: then both have equal work.
_HASHED_WHERE_READ: Final = 2
# Batches that wait for a thread.
_WAITING: Final = 3


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file on its way into the spool.

    Attributes:
        hashed: Whether its file has taken note of it already.
    """

    file: FileInSpool
    raw: bytes
    hashed: bool


class LayerWriter:
    """Puts files into a spool, some time before `finish` returns.

    A context manager; leaving it early drops what is not done yet.

    Args:
        spool: Where they go. All of its processors but one compress, which is left to the thread that reads.
    """

    def __init__(self, spool: LayerSpool) -> None:
        self._spool = spool
        self._hashed_here = spool.processors <= _HASHED_WHERE_READ
        compressing = spool.processors - 1
        self._threads = ThreadPoolExecutor(max_workers=compressing)
        self._under_way: Overlap[list[tuple[FileInSpool, Piece]]] = Overlap(
            self._threads, ahead=compressing + _WAITING
        )
        self._batch: list[_Part] = []
        self._batch_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def store(self, chunks: Iterable[bytes]) -> FileInSpool:
        """Take one file's content; what is returned holds it once `finish` has returned.

        Raises:
            OSError: The disk did not take an earlier one.
        """
        file = FileInSpool()
        alone = True
        for raw in cut_into_pieces(chunks):
            # What may have more after it is hashed here, where the parts of a file come in order.
            alone = alone and len(raw) < PIECE_BYTES
            hashed = self._hashed_here or not alone
            if hashed:
                file.hash(raw)
            self._batch.append(_Part(file, raw, hashed))
            self._batch_bytes += len(raw)
            if self._batch_bytes >= _BATCH_BYTES:
                for done in self._under_way.start(self._compress, self._batch):
                    _place(done)
                self._batch, self._batch_bytes = [], 0
        if self._hashed_here or not alone:
            file.end()
        return file

    def finish(self) -> None:
        """Wait until everything is in the spool.

        Raises:
            OSError: The disk did not take it.
        """
        for done in self._under_way.finish():
            _place(done)
        _place(self._compress(self._batch))
        self._batch, self._batch_bytes = [], 0

    def fetch(self, stored: FileInSpool) -> bytes:
        """Return one file's content again, all of it at once, after waiting as `finish` does.

        Raises:
            OSError: The disk did not take it, or does not give it back.
        """
        self.finish()
        return self._spool.fetch(stored.content())

    def _compress(self, batch: Iterable[_Part]) -> list[tuple[FileInSpool, Piece]]:
        pieces = []
        for part in batch:
            if not part.hashed:
                part.file.hash(part.raw)
                part.file.end()
            pieces.append((part.file, self._spool.compress(part.raw)))
        return pieces


def _place(pieces: Iterable[tuple[FileInSpool, Piece]]) -> None:
    """Tell files where their parts are: in order, whichever thread was first."""
    for file, piece in pieces:
        file.place(piece)
