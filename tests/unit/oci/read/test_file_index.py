"""The file index: what it says of a layer of ours, and that nothing wrong is ever read out of a document."""

import gzip
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from isal import igzip
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.compression import inflate_pieces
from packyard.oci.build.layer import LayerSpool
from packyard.oci.content import LayerForm, Piece
from packyard.oci.digest import digest_of
from packyard.oci.read.checkpoints import MAX_KEPT_BYTES, Checkpoint
from packyard.oci.read.file_index import (
    FileIndex,
    IndexedFile,
    IndexedLayer,
    empty_directories,
    index_of_layers,
    line_of,
    to_line,
)
from packyard.oci.read.index_parser import (
    WITHOUT_HARD_LINKS,
    parse_index,
)

LAYER = IndexedLayer(digest_of(b"layer"), 1000, LayerForm.FLUSHED, digest_of(b"tar"))
FILE = IndexedFile("guides/a.md", 5, 0o644, "0" * 64, 0, pieces=(Piece(10, 20, 512),))
INDEX = FileIndex((LAYER,), (FILE,), ("data/empty",))
CHECKPOINTS = (Checkpoint(5000, 100, 0, 0, 300), Checkpoint(9000, 999, 7, 300, MAX_KEPT_BYTES))
CHECKED = replace(INDEX, layers=(replace(LAYER, checkpoints=CHECKPOINTS, windows=digest_of(b"windows")),))


def body_of(index: FileIndex) -> dict[str, Any]:
    head, *files = map(json.loads, gzip.decompress(index.to_bytes()).split(b"\n"))
    assert isinstance(head, dict)
    return head | {"files": files}


def earlier_body(index: FileIndex) -> dict[str, Any]:
    """What a document said of layers before format 4."""
    layers = [[layer.digest, layer.size, layer.form is LayerForm.PLAIN] for layer in index.layers]
    return body_of(index) | {"format": 3, "layers": layers}


def document(body: object) -> bytes:
    files = body.pop("files", []) if isinstance(body, dict) else []
    return igzip.compress("\n".join(map(json.dumps, (body, *files))).encode())


def test_a_document_says_again_what_it_was_made_of() -> None:
    assert parse_index(INDEX.to_bytes()) == INDEX
    assert parse_index(CHECKED.to_bytes()) == CHECKED


@pytest.mark.parametrize(
    "path", ["a b.md", 'quo"te\\.md', "tab\t.md", "naïve-文.md", "line\u2028.md", "del\x7f.md"]
)
@pytest.mark.parametrize("pieces", [(), (Piece(15, 9, 512),), (Piece(15, 9, 512), Piece(24, 0, 7))])
def test_the_line_of_a_file_is_its_json(path: str, pieces: tuple[Piece, ...]) -> None:
    file = FILE._replace(path=path, pieces=pieces)

    assert line_of(file) == to_line(file)
    assert json.loads(line_of(file)) == json.loads(json.dumps(file))


def test_of_a_document_one_file_can_be_read_without_the_others() -> None:
    # Names that begin alike, and one that would end its line and begin another file's if it stood there as it is.
    paths = ["guides/a.md", "guides/a", "guides/ü.md", 'x\n["guides/b.md",', "guides/z"]
    files = tuple(FILE._replace(path=path) for path in paths)
    document = replace(INDEX, files=files).to_bytes()

    for file in files:
        assert parse_index(document, only=file.path) == replace(INDEX, files=(file,))
    for path in ("guides", "guides/b.md", "", "z"):
        assert parse_index(document, only=path) == replace(INDEX, files=())


def test_a_layer_of_ours_is_indexed_file_by_file_in_the_order_of_their_paths() -> None:
    with LayerSpool() as spool:
        layer = lay(spool, SMALL_TREE, executables=["scripts/post.sh"], directories=["data/deep/empty"])
        index = index_of_layers([layer])
        blob = b"".join(layer.chunks())

    assert [file.path for file in index.files] == sorted(SMALL_TREE)
    assert index.directories == ("data/deep/empty",)
    assert index.layers == (IndexedLayer(layer.digest, len(blob), LayerForm.FLUSHED, layer.diff_id),)
    for file in index.files:
        row = b"".join(blob[piece.offset : piece.offset + piece.length] for piece in file.pieces)
        content = inflate_pieces(row, size=sum(piece.raw_size for piece in file.pieces))[: file.size]
        assert content == SMALL_TREE[file.path]
        assert hashlib.sha256(content).hexdigest() == file.sha256
        assert file.mode == (0o755 if file.path == "scripts/post.sh" else 0o644)


def test_only_directories_that_hold_nothing_need_to_be_named() -> None:
    assert empty_directories(["a", "a/b", "c", "d/e"], ["a/b/file"]) == ("c", "d/e")


def _first_file(change: Callable[[list[Any]], None]) -> bytes:
    body = body_of(INDEX)
    change(body["files"][0])
    return document(body)


def _checkpoint(number: int, **wrong: int) -> bytes:
    checkpoints = list(CHECKPOINTS)
    checkpoints[number] = checkpoints[number]._replace(**wrong)
    return replace(CHECKED, layers=(replace(CHECKED.layers[0], checkpoints=tuple(checkpoints)),)).to_bytes()


def _layer_row(*columns: object) -> bytes:
    return document(body_of(INDEX) | {"layers": [[LAYER.digest, 1000, "members", None, *columns]]})


def _set(place: int, value: object) -> bytes:
    return _first_file(lambda row: row.__setitem__(place, value))


DAMAGED = {
    "nothing": b"",
    "no gzip": b"nothing of the kind",
    "cut off": INDEX.to_bytes()[:-9],
    "no JSON": igzip.compress(b"{"),
    "another kind of JSON": document([]),
    "no format": document({}),
    "an earlier format": document(earlier_body(INDEX) | {"format": 2}),
    "a later format": document(body_of(INDEX) | {"format": 5}),
    "no layers": document(body_of(INDEX) | {"layers": []}),
    "a layer of no digest": document(body_of(INDEX) | {"layers": [["sha256:1", 1000, "plain", None, None]]}),
    "a layer of no form": document(body_of(INDEX) | {"layers": [[LAYER.digest, 1000, "none", None, None]]}),
    "a layer of no diff_id": document(
        body_of(INDEX) | {"layers": [[LAYER.digest, 1000, "plain", "sha256:1", None]]}
    ),
    "a layer of the form of before": document(body_of(INDEX) | {"layers": [[LAYER.digest, 1000, False]]}),
    "a layer of before without its form": document(
        earlier_body(INDEX) | {"layers": [[LAYER.digest, 1000, 0]]}
    ),
    "a directory of no name": document(body_of(INDEX) | {"directories": [""]}),
    "a directory that is a number": document(body_of(INDEX) | {"directories": [1]}),
    "a file of no name": _set(0, ""),
    "a file of a negative size": _set(1, -1),
    "a file of a size that is true": _set(1, True),
    "a file larger than its pieces": _set(1, 513),
    "a file of no mode": _set(2, None),
    "a file of no sha256": _set(3, "0" * 63),
    "a file in a layer that is not there": _set(4, 1),
    "a file in a layer counted from the end": _set(4, -1),
    "a file that starts nowhere": _set(5, "0"),
    "a piece outside of its layer": _set(6, [[990, 20, 512]]),
    "a piece before its layer": _set(6, [[-5, 20, 512]]),
    "an empty piece": _set(6, [[10, 0, 512]]),
    "pieces apart from each other": _set(6, [[10, 20, 512], [40, 20, 512]]),
    "half a piece": _set(6, [[10, 20]]),
    "a file too short of columns": _first_file(lambda row: row.pop()),
    "a checkpoint at the start": _checkpoint(0, at=0),
    "a checkpoint before the one before it": _checkpoint(1, at=5000),
    "a checkpoint before its layer": _checkpoint(0, offset=-1),
    "a checkpoint behind its layer": _checkpoint(1, offset=1000),
    "a checkpoint whose blocks overlap": _checkpoint(1, offset=100),
    "a checkpoint of eight bits": _checkpoint(1, bits=8),
    "a checkpoint of fewer bits than none": _checkpoint(1, bits=-1),
    "a checkpoint at a truth": _checkpoint(0, at=True),
    "a checkpoint without end": _checkpoint(1, at=1 << 60),
    "a window that overlaps the one before it": _checkpoint(1, kept_at=299),
    "an empty window": _checkpoint(1, kept_size=0),
    "a window that is too large": _checkpoint(1, kept_size=MAX_KEPT_BYTES + 1),
    "a checkpoint too short of columns": _layer_row(LAYER.digest, [5000, 100, 0, 0]),
    "a checkpoint that is none": _layer_row(LAYER.digest, {"at": 5000}),
    "a checkpoint that is a number": _layer_row(LAYER.digest, 1),
    "checkpoints without windows": _layer_row(None, [5000, 100, 0, 0, 300]),
    "checkpoints with windows of no digest": _layer_row("../windows", [5000, 100, 0, 0, 300]),
    "too many checkpoints": _layer_row(LAYER.digest, *([at, at, 0, at - 1, 1] for at in range(1, 300))),
    "nested without end": igzip.compress(b"[" * 100_000),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_document_that_is_damaged_is_one_error(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"index|sha256|values to unpack|Expecting|LayerForm"):
        parse_index(damaged)


def test_an_index_from_before_hard_links_is_taken_of_a_layer_that_has_none() -> None:
    earlier = document(earlier_body(INDEX) | {"format": WITHOUT_HARD_LINKS})

    assert parse_index(earlier, oldest=WITHOUT_HARD_LINKS).files == INDEX.files
    with pytest.raises(ValueError, match="another format"):
        parse_index(document(body_of(INDEX) | {"format": 1}), oldest=WITHOUT_HARD_LINKS)


@pytest.mark.parametrize(
    ("form", "read_as"), [(LayerForm.PLAIN, LayerForm.PLAIN), (LayerForm.FLUSHED, LayerForm.MEMBERS)]
)
def test_an_index_from_before_layers_had_a_form_is_of_gzip_members_or_of_a_plain_layer(
    form: LayerForm, read_as: LayerForm
) -> None:
    index = replace(INDEX, layers=(replace(LAYER, form=form),))

    earlier = parse_index(document(earlier_body(index)))

    assert earlier.files == INDEX.files
    assert earlier.layers == (IndexedLayer(LAYER.digest, LAYER.size, read_as, None),)


def test_a_file_of_a_plain_layer_lies_inside_of_it() -> None:
    plain = FileIndex((replace(LAYER, form=LayerForm.PLAIN),), (FILE._replace(pieces=(), at=995),))
    outside = FileIndex((replace(LAYER, form=LayerForm.PLAIN),), (FILE._replace(pieces=(), at=996),))

    assert parse_index(plain.to_bytes()) == plain
    with pytest.raises(ValueError, match="outside"):
        parse_index(outside.to_bytes())


def test_a_document_that_inflates_without_end_is_not_inflated() -> None:
    with pytest.raises(ValueError, match="too large"):
        parse_index(igzip.compress(bytes(80 << 20)))


def test_an_index_that_could_not_be_read_back_is_not_written() -> None:
    files = tuple(FILE._replace(path=f"{number:05d}" + "x" * 4090) for number in range(17_000))

    with pytest.raises(ValueError, match="too large"):
        FileIndex((LAYER,), files).to_bytes()
