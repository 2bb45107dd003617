"""Taking a layer of ours apart into what its files consist of, so that others can be made of the same pieces.

Where a file lies is only said by an index, which may be wrong. But a layer of ours follows from its files and
directories: what stands between the files must be their headers, and nothing else. So what was taken apart is what the
layer holds.
"""

import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Final

from isal import igzip_lib

from packyard.oci.build.compression import END_OF_STREAM, compress_piece, inflate_pieces
from packyard.oci.build.header_writer import end_of_archive, padding
from packyard.oci.build.layer import LayerSpool, header_of
from packyard.oci.build.layer_row import GZIP_HEADER, GZIP_TRAILER_BYTES
from packyard.oci.build.tree import Directory, Entry, File, leaves_in_order, with_parents
from packyard.oci.content import Content, LayerForm, Piece
from packyard.oci.image_fault import ImageFault, NotOurForm
from packyard.oci.read.file_index import FileIndex, IndexedFile
from packyard.oci.read.inflation import inflate_layer

# The stub declares an instance.
_GZIP_ERROR: Final[type[Exception]] = igzip_lib.IsalError  # type: ignore[assignment]


def leaves_of_layers(index: FileIndex) -> list[list[Entry]]:
    """Return the files and empty directories of each layer of an image of ours, in the layer's order, with its pieces.

    Raises:
        NotOurForm: The index is of an image that we have not built.
    """
    number_of = {file.path: file.layer for file in index.files}
    layers: list[list[Entry]] = [[]]
    # Empty directories are in the layer of the file that follows them, or else in the last.
    directories: list[Entry] = []
    for entry in leaves_in_order(directories=index.directories, files=map(_in_layer, index.files)):
        if isinstance(entry, Directory):
            directories.append(entry)
            continue
        if number_of[entry.path] == len(layers) and layers[-1]:
            layers.append([])
        if number_of[entry.path] != len(layers) - 1:
            raise NotOurForm
        layers[-1] += (*directories, entry)
        directories.clear()
    layers[-1] += directories
    if len(layers) != len(index.layers):
        raise NotOurForm
    return layers


def taken_files(  # noqa: PLR0913 - by name; a layer, and what is wanted of it
    leaves: Sequence[Entry],
    chunks: Iterator[bytes],
    *,
    form: LayerForm,
    size: int,
    spool: LayerSpool,
    wanted: Container[str],
) -> Iterator[File]:
    """Yield some files of a layer in its order, their content put into a spool.

    Pieces that end with a full flush are kept as they are. Gzip members, of which our layers were before, are
    compressed anew.

    Args:
        leaves: Its files and empty directories, as `leaves_of_layers` has them.
        chunks: The blob; what raises there passes through. It is read to its end.
        form: Of the layer.
        size: Of the blob, in bytes.
        spool: Where to put the content.
        wanted: The paths of the files.

    Raises:
        NotOurForm: The layer does not follow from these; maybe only at the end.
    """
    take_apart = {LayerForm.FLUSHED: _Flushed, LayerForm.MEMBERS: _Members}.get(form)
    try:
        if take_apart is None:
            raise NotOurForm
        yield from take_apart(_Cutter(chunks), spool).taken(with_parents(leaves), size, wanted)
    except (ImageFault, ValueError, _GZIP_ERROR) as fault:
        raise NotOurForm from fault
    finally:
        # Only a whole blob is known to be the one that was asked for.
        for _ in chunks:
            pass


def _in_layer(file: IndexedFile) -> File:
    """Return a file as a layer of ours has it."""
    raw_size = sum(piece.raw_size for piece in file.pieces)
    if raw_size != file.size + len(padding(file.size)):
        raise NotOurForm
    return File(file.path, bool(file.mode & 0o111), Content(file.size, file.sha256, file.pieces))


class _Flushed:
    """A layer of one gzip member, whose pieces end with full flushes."""

    def __init__(self, blob: "_Cutter", spool: LayerSpool) -> None:
        self._blob = blob
        self._spool = spool

    start: bytes = GZIP_HEADER
    trailer_bytes: int = GZIP_TRAILER_BYTES

    def taken(self, entries: Iterable[Entry], size: int, wanted: Container[str]) -> Iterator[File]:
        """See `taken_files`."""
        blob = self._blob
        if blob.take(len(self.start)) != self.start:
            raise NotOurForm
        headers = bytearray()
        at = len(self.start)
        for entry in entries:
            headers += header_of(entry)
            if isinstance(entry, Directory):
                continue
            content = entry.content
            if content.pieces:
                self.check_headers(blob.take(content.pieces[0].offset - at), bytes(headers))
                headers.clear()
                at = content.pieces[-1].offset + content.pieces[-1].length
            compressed = [(blob.take(piece.length), piece) for piece in content.pieces]
            if entry.path in wanted:
                yield File(entry.path, entry.executable, self._adopted(content, compressed))
        self.check_headers(blob.take(size - self.trailer_bytes - at), bytes(headers + end_of_archive()))
        self.check_trailer(blob.take(self.trailer_bytes))

    def check_headers(self, compressed: bytes, headers: bytes) -> None:
        """Check that what stands between two files inflates to these headers."""
        # As we compress them today, as a rule.
        if compressed != compress_piece(headers):
            _require(inflate_pieces(compressed, size=len(headers)) == headers)

    def check_trailer(self, trailer: bytes) -> None:
        """Check what follows the last piece. Its sums are those of what has been read by its digest."""
        _require(trailer.startswith(END_OF_STREAM))

    def adopt(self, compressed: bytes, raw_size: int) -> tuple[bytes, Piece]:
        """Return what a piece inflates to, and where it is in the spool."""
        raw = inflate_pieces(compressed, size=raw_size)
        return raw, self._spool.adopt(compressed, raw=raw)

    def _adopted(self, content: Content, compressed: Iterable[tuple[bytes, Piece]]) -> Content:
        sha256 = hashlib.sha256()
        left = content.size
        placed = []
        for data, piece in compressed:
            raw, there = self.adopt(data, piece.raw_size)
            sha256.update(memoryview(raw)[:left])
            left -= min(left, len(raw))
            placed.append(there)
        _require(sha256.hexdigest() == content.sha256)
        return Content(content.size, content.sha256, tuple(placed))


class _Members(_Flushed):
    """A layer of many gzip members, as we built them before."""

    start = b""
    trailer_bytes = 0

    def check_headers(self, compressed: bytes, headers: bytes) -> None:
        """See `_Flushed`. It is inflated as far as the headers are long and no further."""
        _require(b"".join(_bounded(inflate_layer([compressed]), len(headers))) == headers)

    def check_trailer(self, trailer: bytes) -> None:
        """See `_Flushed`: there is none."""

    def adopt(self, compressed: bytes, raw_size: int) -> tuple[bytes, Piece]:
        """See `_Flushed`. A member cannot become part of another, so its content is compressed anew."""
        raw = b"".join(_bounded(inflate_layer([compressed]), raw_size))
        _require(len(raw) == raw_size)
        return raw, self._spool.compress(raw)


def _require(fulfilled: bool, /) -> None:  # noqa: FBT001 - as `assert` has it
    if not fulfilled:
        raise NotOurForm


def _bounded(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    for piece in pieces:
        size -= len(piece)
        _require(size >= 0)
        yield piece


class _Cutter:
    """A blob that is read in pieces of given sizes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._chunk = b""
        self._position = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes, `count` of them."""
        if count < 0:
            raise NotOurForm
        end = self._position + count
        if end > len(self._chunk):
            self._refill(count)
            end = count
        data = self._chunk[self._position : end]
        self._position = end
        return data

    def _refill(self, count: int) -> None:
        """Have a chunk that holds what is left of this one, and at least `count` bytes."""
        pieces = [self._chunk[self._position :]]
        size = len(pieces[0])
        while size < count:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise NotOurForm
            pieces.append(chunk)
            size += len(chunk)
        self._chunk = b"".join(pieces)
        self._position = 0
