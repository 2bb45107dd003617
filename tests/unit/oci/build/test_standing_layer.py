"""Taking a layer of ours apart: what is taken is what the layer holds, or nothing is."""

import gzip
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path

import pytest
from tests.third_party_images import pieces
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.standing_layer import leaves_of_layers, taken_files
from packyard.oci.build.tree import File, canonical_order
from packyard.oci.content import LayerForm, Piece
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import (
    FileIndex,
    IndexedFile,
    index_of_layers,
)
from packyard.oci.read.index_parser import (
    WITHOUT_HARD_LINKS,
    parse_index,
)

TREE = SMALL_TREE | {"data/large.bin": bytes(range(256)) * 9000, "data/" + "ü" * 90 + ".md": b"long"}
# Made by the code that wrote a gzip member for each piece, of the tree below.
BEFORE = Path(__file__).parents[3] / "built_before"
TREE_OF_BEFORE = SMALL_TREE | {"data/large.bin": bytes(range(256)) * 9000}


class Everything(Container[str]):
    def __contains__(self, path: object) -> bool:
        return True


def a_layer(directories: tuple[str, ...] = ("data/none",)) -> tuple[bytes, FileIndex]:
    with LayerSpool() as spool:
        layer = lay(spool, TREE, executables=["scripts/post.sh"], directories=directories)
        return b"".join(layer.chunks()), index_of_layers([layer])


BLOB, INDEX = a_layer()


def taken(
    index: FileIndex,
    blob: bytes,
    spool: LayerSpool,
    *,
    cut: int = 4096,
    wanted: Container[str] = Everything(),
) -> list[File]:
    chunks = iter(pieces(blob, cut))
    (leaves,) = leaves_of_layers(index)
    (layer,) = index.layers
    try:
        return list(taken_files(leaves, chunks, form=layer.form, size=layer.size, spool=spool, wanted=wanted))
    finally:
        assert list(chunks) == []


@pytest.mark.parametrize("size", [1, 1000, len(BLOB)])
def test_a_layer_put_together_again_is_the_same_layer(size: int) -> None:
    with LayerSpool() as spool:
        files = taken(INDEX, BLOB, spool, cut=size)
        again = spool.assemble(canonical_order(directories=INDEX.directories, files=files))

        assert b"".join(again.chunks()) == BLOB
        assert index_of_layers([again]) == INDEX


def test_only_what_is_wanted_is_taken() -> None:
    with LayerSpool() as spool:
        files = taken(INDEX, BLOB, spool, wanted={"README.md", "guides/empty.md"})

        assert [file.path for file in files] == ["README.md", "guides/empty.md"]
        assert spool.fetch(files[0].content) == TREE["README.md"]
        assert spool.size < 100


def test_a_layer_of_before_becomes_the_one_that_we_build_of_its_files_today() -> None:
    index = parse_index((BEFORE / "index.json.gz").read_bytes(), oldest=WITHOUT_HARD_LINKS)
    with LayerSpool() as spool, LayerSpool() as other:
        files = taken(index, (BEFORE / "layer.tar.gz").read_bytes(), spool)
        again = spool.assemble(canonical_order(directories=index.directories, files=files))
        today = lay(other, TREE_OF_BEFORE, executables=["scripts/post.sh"], directories=["data/none"])

        assert index.layers[0].form is LayerForm.MEMBERS
        assert b"".join(again.chunks()) == b"".join(today.chunks())
        assert index_of_layers([again]) == index_of_layers([today])


def changed(path: str, change: Callable[[IndexedFile], IndexedFile]) -> FileIndex:
    return replace(INDEX, files=tuple(change(file) if file.path == path else file for file in INDEX.files))


def renamed(file: IndexedFile) -> IndexedFile:
    return file._replace(path="scripts/past.sh")


def swapped() -> FileIndex:
    """The contents of two files of one size exchanged; nothing but their headers could tell."""
    one, two = (
        next(file for file in INDEX.files if file.path == path) for path in ("README.md", "pack.yaml")
    )
    exchanged = {"README.md": two._replace(path="README.md"), "pack.yaml": one._replace(path="pack.yaml")}
    return replace(INDEX, files=tuple(exchanged.get(file.path, file) for file in INDEX.files))


WRONG = {
    "another name": changed("scripts/post.sh", renamed),
    "another mode": changed("scripts/post.sh", lambda file: file._replace(mode=0o644)),
    "another size": changed("README.md", lambda file: file._replace(size=file.size - 1)),
    "another content": changed("README.md", lambda file: file._replace(sha256="0" * 64)),
    "pieces elsewhere": changed("README.md", lambda file: file._replace(pieces=(Piece(15, 9, 512),))),
    "pieces in the header": changed("pack.yaml", lambda file: file._replace(pieces=(Piece(5, 9, 512),))),
    "contents exchanged": swapped(),
    "a file too few": replace(INDEX, files=INDEX.files[1:]),
    "a directory too few": replace(INDEX, directories=()),
    "a directory too many": replace(INDEX, directories=("data/none", "data/nought")),
    "a layer that goes on": replace(INDEX, layers=(replace(INDEX.layers[0], size=len(BLOB) + 1),)),
    "a layer that ends before": replace(INDEX, layers=(replace(INDEX.layers[0], size=len(BLOB) - 1),)),
    "another form": replace(INDEX, layers=(replace(INDEX.layers[0], form=LayerForm.MEMBERS),)),
    "no compression": replace(INDEX, layers=(replace(INDEX.layers[0], form=LayerForm.PLAIN),)),
}


@pytest.mark.parametrize("index", WRONG.values(), ids=WRONG.keys())
def test_an_index_that_says_otherwise_is_found_out_and_the_layer_is_read_to_its_end(index: FileIndex) -> None:
    with LayerSpool() as spool, pytest.raises(NotOurForm):
        taken(index, BLOB, spool)


IMPOSSIBLE = {
    "a file whose content is in one piece with others": changed(
        "README.md", lambda file: file._replace(pieces=(), at=512)
    ),
    "a file in a layer that is before its neighbours'": changed(
        "README.md", lambda file: file._replace(layer=1)
    ),
    "a layer that holds nothing": replace(INDEX, layers=INDEX.layers * 2),
}


@pytest.mark.parametrize("index", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_an_index_that_no_image_of_ours_can_have_needs_no_look_at_the_layers(index: FileIndex) -> None:
    with pytest.raises(NotOurForm):
        leaves_of_layers(index)


def test_a_layer_without_flushes_is_none_of_ours() -> None:
    with LayerSpool() as spool, pytest.raises(NotOurForm):
        taken(INDEX, gzip.compress(gzip.decompress(BLOB)), spool)
