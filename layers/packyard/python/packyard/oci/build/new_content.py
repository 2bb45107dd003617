"""Keeping only the content of an archive that an image does not have already."""

from collections.abc import Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Final, Self

from packyard.oci.build.file_in_spool import FileInSpool, cut_into_pieces
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.overlap import Overlap
from packyard.oci.content import Content
from packyard.oci.image_fault import NotOurForm

# Whether a file's content is known is seen at its end, and until then it is in memory. A larger file is compressed.
MAX_HELD_BYTES: Final = 4 << 20
# The thread is handed this much at a time.
_BATCH_BYTES: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file on its way.

    Attributes:
        chunks: What it consists of.
        whole: Whether it is all of the file, so that it may be known.
    """

    file: FileInSpool
    chunks: list[bytes]
    whole: bool


class NewContent:
    """Hashes files and puts those into a spool whose content is not known, some time before `finish` returns.

    It does for a known image what `LayerWriter` does for a new one. A context manager; leaving it early drops what is
    not done yet.

    Args:
        spool: Where new content goes. One thread writes to it, so that files keep their order.
        known: The SHA-256 of known contents, in hex.
    """

    def __init__(self, spool: LayerSpool, *, known: Container[str]) -> None:
        self._spool = spool
        self._known = known
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._under_way: Overlap[None] = Overlap(self._thread)
        self._batch: list[_Part] = []
        self._batch_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def store(self, chunks: Iterable[bytes]) -> FileInSpool:
        """Take one file's content; once `finish` has returned, what is returned has no pieces if it is known.

        Raises:
            OSError: The disk did not take an earlier one.
        """
        file = FileInSpool()
        held: list[bytes] = []
        size = 0
        rest = iter(chunks)
        for chunk in rest:
            held.append(chunk)
            size += len(chunk)
            if size > MAX_HELD_BYTES:
                for part in cut_into_pieces(chain(held, rest)):
                    self._hand_over(_Part(file, [part], whole=False), len(part))
                return file
        self._hand_over(_Part(file, held, whole=True), size)
        return file

    def finish(self) -> None:
        """Wait until all new content is in the spool.

        Raises:
            OSError: The disk did not take it.
        """
        for _ in self._under_way.finish():
            pass
        self._take(self._batch)
        self._batch, self._batch_bytes = [], 0

    def fetch(self, stored: FileInSpool) -> bytes:
        """Return one file's content again, all of it at once, after waiting as `finish` does.

        Raises:
            NotOurForm: The content is known, so it was not kept.
            OSError: The disk did not take it, or does not give it back.
        """
        self.finish()
        content = stored.content()
        if not_kept(content):
            raise NotOurForm
        return self._spool.fetch(content)

    def _hand_over(self, part: _Part, size: int) -> None:
        self._batch.append(part)
        self._batch_bytes += size
        if self._batch_bytes >= _BATCH_BYTES:
            self._under_way.start(self._take, self._batch)
            self._batch, self._batch_bytes = [], 0

    def _take(self, batch: list[_Part]) -> None:
        for part in batch:
            for chunk in part.chunks:
                part.file.hash(chunk)
            if part.whole and part.file.content().sha256 in self._known:
                continue
            for piece in cut_into_pieces(part.chunks):
                part.file.place(self._spool.compress(piece))


def not_kept(content: Content) -> bool:
    """Return whether content is known, so that it has to be taken from the image."""
    return content.size > 0 and not content.pieces
