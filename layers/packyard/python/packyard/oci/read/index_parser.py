"""Reading a file index back: whatever is wrong with the document is one error.

Its offsets are checked, so that they lie inside of their layers.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

from isal import igzip_lib

from packyard.oci.content import LayerForm, Piece
from packyard.oci.digest import parse_digest
from packyard.oci.read.checkpoints import MAX_CHECKPOINTS, MAX_KEPT_BYTES, Checkpoint
from packyard.oci.read.file_index import (
    FORMAT,
    MAX_FILES,
    MAX_JSON_BYTES,
    FileIndex,
    IndexedFile,
    IndexedLayer,
    to_line,
)

# 3: hard links are files. What was written of other people's images before lacks them, and is made anew.
WITH_HARD_LINKS: Final = 3
# The layers that we build have no hard links, so that what was written of them before is right.
WITHOUT_HARD_LINKS: Final = 2
# The stub declares an instance.
_GZIP_ERROR: Final[type[Exception]] = igzip_lib.IsalError  # type: ignore[assignment]
_MAX_SIZE: Final = 2**53 - 1
# The most bits that a block can have in the byte that it shares with the block before it.
_MAX_BITS: Final = 7
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def parse_index(document: bytes, *, only: str | None = None, oldest: int = WITH_HARD_LINKS) -> FileIndex:
    """Return what a document says; its offsets lie inside of its layers.

    Args:
        document: As `FileIndex.to_bytes` has made it.
        only: The path of the only file that is wanted; None for all.
        oldest: The oldest format that is taken: `WITHOUT_HARD_LINKS` for a layer that has none, else
            `WITH_HARD_LINKS`.

    Raises:
        ValueError: It is not a document of such a format, or not whole.
    """
    with index_errors():
        return _parse(inflated_index(document), only, oldest)


@contextmanager
def index_errors() -> Iterator[None]:
    """Turn everything that can be wrong with a document into a ValueError."""
    try:
        yield
    except (_GZIP_ERROR, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError("the index cannot be read") from error


def inflated_index(document: bytes) -> bytes:
    """Return the text of a document.

    Raises:
        ValueError: It is cut off or too large. Within `index_errors`, also where it is no gzip.
    """
    inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    text = inflater.decompress(document, MAX_JSON_BYTES)
    if not inflater.eof:
        raise ValueError("the index is cut off or too large")
    return text


def parse_head(text: bytes, oldest: int) -> tuple[Any, tuple[IndexedLayer, ...], bytes]:
    """Return the first line of a document's text, the layers that it states, and the lines of the files.

    Args:
        text: As `inflated_index` returns it.
        oldest: As for `parse_index`.

    Raises:
        ValueError: It is of another format. Within `index_errors`, also where anything else is wrong.
    """
    head, _, lines = text.partition(b"\n")
    body = json.loads(head)
    if not oldest <= body["format"] <= FORMAT:
        raise ValueError("the index is of another format")
    parse_layer = _layer if body["format"] > WITH_HARD_LINKS else _layer_of_before
    return body, tuple(map(parse_layer, body["layers"])), lines


def _parse(text: bytes, only: str | None, oldest: int) -> FileIndex:
    body, layers, lines = parse_head(text, oldest)
    rows = _all_rows(lines) if only is None else _rows_of(only, lines)
    return FileIndex(layers, _files(rows, layers), tuple(_text(path) for path in body["directories"]))


def _all_rows(lines: bytes) -> Any:
    rows = json.loads(b"[%b]" % lines.replace(b"\n", b","))
    if len(rows) > MAX_FILES:
        raise ValueError("the index names too many files")
    return rows


def _rows_of(path: str, lines: bytes) -> list[Any]:
    """Return the row of a path, if there is one: JSON escapes a line feed, so that none begins within another."""
    start = (b"\n" + lines).find(b"\n" + to_line([path]).removesuffix(b"]") + b",")
    return [] if start < 0 else [json.loads(lines[start:].partition(b"\n")[0])]


def _files(rows: Any, layers: tuple[IndexedLayer, ...]) -> tuple[IndexedFile, ...]:
    """Return the files of some rows, which are checked column by column: that takes half the time."""
    if not rows:
        return ()
    paths, sizes, modes, sums, numbers, starts, pieces = zip(*rows, strict=True)
    placed = [tuple(map(Piece._make, rows)) for rows in pieces]
    for column in (sizes, modes, numbers, starts, [*chain.from_iterable(chain.from_iterable(placed))]):
        _require_counts(column)
    if set(map(type, paths)) != {str} or not all(paths):
        raise ValueError("the index states no path where it has to")
    if not all(map(_SHA256.fullmatch, sums)):
        raise ValueError("the index states no sha256 of a file")
    files = tuple(map(IndexedFile, paths, sizes, modes, sums, numbers, starts, placed))
    for file in files:
        layer = layers[file.layer]
        if file.pieces:
            _check_pieces(file.pieces, file.size, layer)
        elif layer.form is LayerForm.PLAIN and file.at + file.size > layer.size:
            raise ValueError("the index states a file outside of its layer")
    return files


def _check_pieces(pieces: tuple[Piece, ...], size: int, layer: IndexedLayer) -> None:
    """Check that pieces follow one another inside of a layer and are enough for a file of `size`."""
    end = pieces[0].offset
    raw_size = 0
    for piece in pieces:
        if piece.offset != end or not piece.length:
            raise ValueError("the index states pieces that do not follow one another")
        end += piece.length
        raw_size += piece.raw_size
    if end > layer.size or raw_size < size:
        raise ValueError("the index states a file outside of its layer")


def _count(value: Any) -> int:
    _require_counts((value,))
    return int(value)


def _require_counts(values: Sequence[Any]) -> None:
    if values and (set(map(type, values)) != {int} or min(values) < 0 or max(values) > _MAX_SIZE):
        raise ValueError("the index states no number where it has to")


def _layer(row: Any) -> IndexedLayer:
    digest, size, form, diff_id, windows, *rows = row
    return IndexedLayer(
        parse_digest(digest),
        _count(size),
        LayerForm(form),
        None if diff_id is None else parse_digest(diff_id),
        _checkpoints(rows, size=size),
        parse_digest(windows) if rows else None,
    )


def _checkpoints(rows: Sequence[Any], *, size: int) -> tuple[Checkpoint, ...]:
    if len(rows) > MAX_CHECKPOINTS:
        raise ValueError("the index states too many checkpoints")
    found = tuple(map(Checkpoint._make, rows))
    at = offset = kept_at = 0
    for checkpoint in found:
        if set(map(type, checkpoint)) != {int}:
            raise ValueError("the index states no number where it has to")
        if not at < checkpoint.at <= _MAX_SIZE or not offset < checkpoint.offset < size:
            raise ValueError("the index states checkpoints outside of their layer")
        if not 0 <= checkpoint.bits <= _MAX_BITS:
            raise ValueError("the index states more bits than a byte shares")
        if checkpoint.kept_at != kept_at or not 0 < checkpoint.kept_size <= MAX_KEPT_BYTES:
            raise ValueError("the index states windows that do not follow one another")
        at, offset, kept_at = checkpoint.at, checkpoint.offset, kept_at + checkpoint.kept_size
    return found


def _layer_of_before(row: Any) -> IndexedLayer:
    """Return a layer as formats before 4 have it: they say only whether it is plain."""
    digest, size, plain = row
    if not isinstance(plain, bool):
        raise TypeError("the index states no truth where it has to")
    form = LayerForm.PLAIN if plain else LayerForm.MEMBERS
    return IndexedLayer(parse_digest(digest), _count(size), form)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("the index states no path where it has to")
    return value
