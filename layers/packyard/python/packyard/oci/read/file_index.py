"""Where each file of an image lies: what it takes to list them, and to read one without the rest.

The document is a cache beside the image: it can always be made again from the layers. So whatever is wrong with one
that is read back is one error, after which its reader makes it again.

It is compressed text: a line of JSON about the layers, and one for each file. Who wants one file of thousands looks for
its line, and reads no other.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from isal import igzip, igzip_lib

from packyard.oci.content import LayerForm, Piece
from packyard.oci.digest import Digest, parse_digest
from packyard.oci.read.checkpoints import MAX_CHECKPOINTS, MAX_KEPT_BYTES, Checkpoint

if TYPE_CHECKING:
    from packyard.oci.build.layer import LayerContents

MAX_FILES: Final = 200_000
# As it is stored, and as JSON.
MAX_BYTES: Final = 16 << 20
_MAX_JSON_BYTES: Final = 64 << 20
# Of the document, and of what it says: one more when either changes, so that nothing older is taken for the present.
# 4: a layer has a form, where it was said only whether it is plain, a diff_id, and checkpoints.
FORMAT: Final = 4
# 3: hard links are files. What was written of other people's images before lacks them, and is made anew.
WITH_HARD_LINKS: Final = 3
# The layers that we build have no hard links, so that what was written of them before is right.
WITHOUT_HARD_LINKS: Final = 2
# The stub declares an instance.
_GZIP_ERROR: Final[type[Exception]] = igzip_lib.IsalError  # type: ignore[assignment]
_MAX_SIZE: Final = 2**53 - 1
# The most bits that a block can have in the byte that it shares with the block before it.
_MAX_BITS: Final = 7
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class IndexedLayer:
    """A layer blob.

    Attributes:
        digest: Of the blob.
        size: Of the blob, in bytes.
        form: How the pieces of its files are compressed.
        diff_id: Of the tar in it; None in what was written before it was noted.
        checkpoints: Where inflating can start besides the layer's start, in order. Only a third-party layer of one gzip
            member has any.
        windows: The digest of the checkpoints' windows as they are stored; None if there are no checkpoints.
    """

    digest: Digest
    size: int
    form: LayerForm
    diff_id: Digest | None = None
    checkpoints: tuple[Checkpoint, ...] = ()
    windows: Digest | None = None


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A regular file of the image.

    Attributes:
        path: Relative to the image's root.
        size: Bytes.
        mode: Permission bits.
        sha256: Of its content, in hex.
        layer: Which of the index's layers holds its content.
        at: Where its content starts in that layer's tar, in bytes; 0 when `pieces` says where.
        pieces: Inflated one after the other they give the content, and up to 1 MiB that is of no interest. None when
            it is empty, or when the layer's form does not let it be read alone.
    """

    path: str
    size: int
    mode: int
    sha256: str
    layer: int
    at: int = 0
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class FileIndex:
    """The files of one image.

    Attributes:
        layers: Those that hold any of the files.
        files: Sorted by path.
        directories: Those that hold nothing; sorted.
    """

    layers: tuple[IndexedLayer, ...]
    files: tuple[IndexedFile, ...]
    directories: tuple[str, ...] = ()

    def find(self, path: str) -> IndexedFile | None:
        """Return the file of this path, if there is one."""
        return next((file for file in self.files if file.path == path), None)

    def to_bytes(self) -> bytes:
        """Return the document.

        Raises:
            ValueError: It would be larger than what is read back.
        """
        head = {
            "format": FORMAT,
            "layers": [
                [layer.digest, layer.size, layer.form, layer.diff_id, layer.windows, *layer.checkpoints]
                for layer in self.layers
            ],
            "directories": self.directories,
        }
        text = b"\n".join(map(_line, (head, *map(_row, self.files))))
        document = igzip.compress(text)
        if len(text) > _MAX_JSON_BYTES or len(document) > MAX_BYTES:
            raise ValueError("the index is too large to keep")
        return document


def index_of_layers(layers: "Sequence[LayerContents]") -> FileIndex:
    """Return the index of an image of these layers, which we have built.

    Args:
        layers: From the bottom up.
    """
    files = [
        IndexedFile(file.path, file.size, file.mode, file.sha256, number, pieces=file.pieces)
        for number, layer in enumerate(layers)
        for file in layer.files
    ]
    return FileIndex(
        tuple(IndexedLayer(layer.digest, layer.size, LayerForm.FLUSHED, layer.diff_id) for layer in layers),
        tuple(sorted(files, key=_path)),
        empty_directories(
            [path for layer in layers for path in layer.directories], (file.path for file in files)
        ),
    )


def empty_directories(directories: Iterable[str], files: Iterable[str]) -> tuple[str, ...]:
    """Return the directories that hold nothing, sorted; all others follow from what they hold.

    Args:
        directories: All of them; their parents may be missing.
        files: The paths of all files.
    """
    known = set(directories)
    holding: set[str] = set()
    for path in (*known, *files):
        parent = path.rpartition("/")[0]
        while parent and parent not in holding:
            holding.add(parent)
            parent = parent.rpartition("/")[0]
    return tuple(sorted(known - holding))


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
    try:
        return _parse(_inflated(document), only, oldest)
    except (_GZIP_ERROR, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError("the index cannot be read") from error


def _line(value: Any) -> bytes:
    return _JSON(value).encode()


def _inflated(document: bytes) -> bytes:
    inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    text = inflater.decompress(document, _MAX_JSON_BYTES)
    if not inflater.eof:
        raise ValueError("the index is cut off or too large")
    return text


def _parse(text: bytes, only: str | None, oldest: int) -> FileIndex:
    head, _, lines = text.partition(b"\n")
    body = json.loads(head)
    if not oldest <= body["format"] <= FORMAT:
        raise ValueError("the index is of another format")
    parse_layer = _layer if body["format"] > WITH_HARD_LINKS else _layer_of_before
    layers = tuple(map(parse_layer, body["layers"]))
    rows = _all_rows(lines) if only is None else _rows_of(only, lines)
    files = tuple(_file(row, layers) for row in rows)
    return FileIndex(layers, files, tuple(_text(path) for path in body["directories"]))


def _all_rows(lines: bytes) -> Any:
    rows = json.loads(b"[%b]" % lines.replace(b"\n", b","))
    if len(rows) > MAX_FILES:
        raise ValueError("the index names too many files")
    return rows


def _rows_of(path: str, lines: bytes) -> list[Any]:
    """Return the row of a path, if there is one: JSON escapes a line feed, so that none begins within another."""
    start = (b"\n" + lines).find(b"\n" + _line([path]).removesuffix(b"]") + b",")
    return [] if start < 0 else [json.loads(lines[start:].partition(b"\n")[0])]


def _row(file: IndexedFile) -> list[Any]:
    pieces = [[piece.offset, piece.length, piece.raw_size] for piece in file.pieces]
    return [file.path, file.size, file.mode, file.sha256, file.layer, file.at, pieces]


def _file(row: Any, layers: tuple[IndexedLayer, ...]) -> IndexedFile:
    path, size, mode, sha256, number, at, rows = row
    for value in (size, mode, number, at):
        _require_count(value)
    layer = layers[number]
    if _SHA256.fullmatch(sha256) is None:
        raise ValueError("the index states no sha256 of a file")
    pieces = tuple([_piece(*row) for row in rows])
    if pieces:
        _check_pieces(pieces, size, layer)
    elif layer.form is LayerForm.PLAIN and at + size > layer.size:
        raise ValueError("the index states a file outside of its layer")
    return IndexedFile(_text(path), size, mode, sha256, number, at, pieces)


def _piece(offset: Any, length: Any, raw_size: Any) -> Piece:
    for value in (offset, length, raw_size):
        _require_count(value)
    return Piece(offset, length, raw_size)


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
    _require_count(value)
    return int(value)


def _require_count(value: Any) -> None:
    if type(value) is not int or not 0 <= value <= _MAX_SIZE:
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


def _path(file: IndexedFile) -> str:
    return file.path
