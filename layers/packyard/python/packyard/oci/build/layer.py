"""Building layers while keeping neither the archive nor a layer in memory.

A layer is one gzip member (RFC 1952), since many readers stop after the first. Its deflate stream is a row of pieces
that end with a full flush (API contract, section 4), so that one file can be read alone with one ranged request. It
also lets content be compressed once, in the order in which an archive brings it, and the layer be those same bytes in
another order.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import Final, Self

from packyard.oci.build.compression import compress_piece, inflate_pieces
from packyard.oci.build.file_in_spool import FileInSpool, cut_into_pieces
from packyard.oci.build.header_writer import directory_header, end_of_archive, file_header, padding
from packyard.oci.build.layer_row import GZIP_HEADER, LayerFile, LayerRow, LayerSums
from packyard.oci.build.overlap import mapped_ahead
from packyard.oci.build.processors import usable_processors
from packyard.oci.build.spool import Spool
from packyard.oci.build.tree import Directory, Entry
from packyard.oci.content import Content, Piece
from packyard.oci.digest import Digest

# As much of the content as is also kept as it is.
_RAW_BYTES: Final = 16 << 20
# Headers that no content separates share a piece, up to about this much.
_HEADER_RUN_BYTES: Final = 64 << 10
_CHUNK_BYTES: Final = 256 << 10
_BATCH_BYTES: Final = 512 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerContents:
    """A layer of ours, wherever its blob is.

    Attributes:
        digest: Of the blob.
        size: Of the blob, in bytes.
        diff_id: Of the uncompressed tar: the same for the same content on any machine.
        files: The files that it holds, in the blob's order.
        directories: The directories that it holds, in the blob's order; those that hold something may be missing.
    """

    digest: Digest
    size: int
    diff_id: Digest
    files: tuple[LayerFile, ...]
    directories: tuple[str, ...]


class LayerSpool:
    """Compressed content, in memory while it is small and on local disk beyond 8 MiB.

    A context manager: what was spooled, and every layer assembled from it, ends with it.

    Attributes:
        processors: As many as content is compressed and inflated on at once.

    Args:
        processors: By default those that this process may use.
    """

    def __init__(self, *, processors: int | None = None) -> None:
        self.processors = processors or usable_processors()
        self._spool = Spool()
        # All layers use the same: each new thread would take memory of its own.
        self._threads = ThreadPoolExecutor(max_workers=self.processors, thread_name_prefix="layers")
        # By offset: what the last pass need not inflate again.
        self._raw: dict[int, bytes] = {}
        self._raw_lock = Lock()
        self._raw_bytes_left = _RAW_BYTES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._raw.clear()
        self._spool.__exit__(kind, error, traceback)

    @property
    def size(self) -> int:
        """Bytes that have been put into it."""
        return self._spool.size

    def store(self, chunks: Iterable[bytes]) -> Content:
        """Compress one file's content and keep it."""
        file = FileInSpool()
        for part in cut_into_pieces(chunks):
            file.hash(part)
            file.place(self.compress(part))
        return file.content()

    def compress(self, part: bytes) -> Piece:
        """Compress a part of a file's content and keep it; any thread may ask.

        Args:
            part: As `cut_into_pieces` cuts it: all but a file's last are of 1 MiB, so that only that one is padded.
        """
        return self._append(part + padding(len(part)))

    def adopt(self, compressed: bytes, *, raw: bytes) -> Piece:
        """Keep a piece of another layer as it is.

        Args:
            compressed: The piece.
            raw: What it inflates to.
        """
        offset = self._spool.append(compressed)
        with self._raw_lock:
            if len(raw) <= self._raw_bytes_left:
                self._raw_bytes_left -= len(raw)
                self._raw[offset] = raw
        return Piece(offset, len(compressed), len(raw))

    def forget(self, since: int) -> None:
        """Drop everything that was put in since the spool had this size; nothing may refer to it any more."""
        self._spool.truncate(since)
        for offset in [offset for offset in self._raw if offset >= since]:
            self._raw_bytes_left += len(self._raw.pop(offset))

    def assemble(self, entries: Iterable[Entry], *, copy: Callable[[bytes], object] | None = None) -> "Layer":
        """Return the layer that holds `entries`, given in canonical order with content of this spool.

        Args:
            entries: What it holds.
            copy: Is given the blob from its start, part by part, while it is hashed.

        Raises:
            ValueError: A file is of 8 GiB or more.
        """
        row = LayerRow()
        sums = LayerSums(copy or _nobody)
        for compressed, raw in mapped_ahead(self._threads, self._inflate, _batches(self._laid(entries, row))):
            sums.add(compressed, raw)
        trailer = sums.finish()
        return Layer(
            digest=sums.digest,
            size=row.size + len(trailer),
            diff_id=sums.diff_id,
            files=tuple(row.files),
            directories=tuple(row.directories),
            _spool=self,
            _row=tuple(row.pieces),
            _trailer=trailer,
        )

    def read(self, piece: Piece) -> bytes:
        """Return the compressed bytes of a piece that lies in this spool; any thread may ask."""
        return self._spool.read(piece.offset, piece.length)

    def fetch(self, stored: Content) -> bytes:
        """Return one file's content again; all of it is held in memory."""
        return self._inflate(stored.pieces)[1][: stored.size]

    def _laid(self, entries: Iterable[Entry], row: LayerRow) -> Iterator[Piece]:
        """Lay entries into a row, and yield its pieces as they lie here."""
        headers = bytearray()
        for entry in entries:
            headers += header_of(entry)
            content = () if isinstance(entry, Directory) else entry.content.pieces
            if content or len(headers) > _HEADER_RUN_BYTES:
                yield row.lay(self._append(bytes(headers)))
                headers.clear()
            row.enter(entry)
            yield from map(row.lay, content)
        yield row.lay(self._append(bytes(headers + end_of_archive())))

    def _append(self, raw: bytes) -> Piece:
        return self.adopt(compress_piece(raw), raw=raw)

    def _inflate(self, pieces: Iterable[Piece]) -> tuple[bytes, bytes]:
        """Return pieces as they lie here, joined, and what they inflate to."""
        row = list(pieces)
        compressed = b"".join(map(self.read, row))
        known = [self._raw.get(piece.offset) for piece in row]
        raw = [content for content in known if content is not None]
        if len(raw) == len(row):
            return compressed, b"".join(raw)
        return compressed, inflate_pieces(compressed, size=sum(piece.raw_size for piece in row))


def _nobody(_part: bytes) -> None:
    """Stand in for whoever takes a copy of a blob."""


def _batches(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Cut a row into parts that inflate to about half a mebibyte."""
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += piece.raw_size
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(LayerContents):
    """A layer whose blob is here, readable as often as needed while its spool is open."""

    _spool: LayerSpool
    _row: tuple[Piece, ...]
    _trailer: bytes

    def chunks(self) -> Iterator[bytes]:
        """Yield the blob from its start, in parts of up to 1.3 MiB."""
        parts: list[bytes] = [GZIP_HEADER]
        size = 0
        for piece in self._row:
            parts.append(self._spool.read(piece))
            size += piece.length
            if size >= _CHUNK_BYTES:
                yield b"".join(parts)
                parts.clear()
                size = 0
        yield b"".join((*parts, self._trailer))


def header_of(entry: Entry) -> bytes:
    """Return what precedes an entry's content in a layer.

    Raises:
        ValueError: It is a file of 8 GiB or more.
    """
    if isinstance(entry, Directory):
        return directory_header(entry.path)
    return file_header(entry.path, size=entry.content.size, executable=entry.executable)
