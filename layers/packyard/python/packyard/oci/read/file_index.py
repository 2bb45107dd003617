"""Where each file of an image lies: what it takes to list them, and to read one without the rest.

The document is a cache beside the image: it can always be made again from the layers. So whatever is wrong with one
that is read back is one error, after which its reader makes it again.

It is compressed text: a line of JSON about the layers, and one for each file. Who wants one file of thousands looks for
its line, and reads no other.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from isal import igzip

from packyard.oci.content import LayerForm, Piece
from packyard.oci.digest import Digest
from packyard.oci.read.checkpoints import Checkpoint

if TYPE_CHECKING:
    from packyard.oci.build.layer import LayerContents

MAX_FILES: Final = 200_000
# As it is stored, and as JSON.
MAX_BYTES: Final = 16 << 20
MAX_JSON_BYTES: Final = 64 << 20
# Of the document, and of what it says: one more when either changes, so that nothing older is taken for the present.
# 4: a layer has a form, where it was said only whether it is plain, a diff_id, and checkpoints.
FORMAT: Final = 4
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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


class IndexedFile(NamedTuple):
    """A regular file of the image, as its line of the document has it.

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
        text = b"\n".join((to_line(head), *map(line_of, self.files)))
        document = igzip.compress(text)
        if len(text) > MAX_JSON_BYTES or len(document) > MAX_BYTES:
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


def to_line(value: Any) -> bytes:
    """Return a value as a line of the document has it."""
    return _JSON(value).encode()


def line_of(file: IndexedFile) -> bytes:
    """Return a file's line of the document: what `to_line` returns, in a third of the time."""
    path, size, mode, sha256, layer, at, pieces = file
    places = ",".join([f"[{offset},{length},{raw_size}]" for offset, length, raw_size in pieces])
    return f'[{_JSON(path)},{size},{mode},"{sha256}",{layer},{at},[{places}]]'.encode()


def _path(file: IndexedFile) -> str:
    return file.path
