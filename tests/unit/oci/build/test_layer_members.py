"""Taking a layer of ours apart: what is taken is what the layer holds, or nothing is."""

import gzip
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.third_party_images import pieces
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.layer_members import NotOurForm, edited_entries, entries_of, taken_files
from packyard.oci.build.tree import File, canonical_order, with_file
from packyard.oci.content import GzipMember
from packyard.oci.read.file_index import FileIndex, IndexedFile, index_of_layer

TREE = SMALL_TREE | {"data/large.bin": bytes(range(256)) * 9000, "data/" + "ü" * 90 + ".md": b"long"}


def a_layer(directories: tuple[str, ...] = ("data/none",)) -> tuple[bytes, FileIndex]:
    with LayerSpool() as spool:
        layer = lay(spool, TREE, executables=["scripts/post.sh"], directories=directories)
        return b"".join(layer.chunks()), index_of_layer(layer)


BLOB, INDEX = a_layer()


@pytest.mark.parametrize("size", [1, 1000, len(BLOB)])
def test_a_layer_put_together_again_is_the_same_layer(size: int) -> None:
    with LayerSpool() as spool:
        files = list(taken_files(entries_of(INDEX), iter(pieces(BLOB, size)), size=len(BLOB), spool=spool))
        again = spool.assemble(canonical_order(directories=INDEX.directories, files=files))

        assert b"".join(again.chunks()) == BLOB
        assert again.digest == INDEX.layers[0].digest
        assert index_of_layer(again) == INDEX


@pytest.mark.parametrize("path", ["pack.yaml", "guides/empty.md", "data/none/new", "LICENSE", "zz"])
def test_an_edited_layer_is_the_one_that_would_have_been_built_of_the_edited_files(path: str) -> None:
    with LayerSpool() as one, LayerSpool() as other:
        built = lay(one, TREE | {path: b"new"}, executables=["scripts/post.sh"], directories=["data/none"])
        new = File(path, executable=False, content=other.store([b"new"]))
        old = iter(pieces(BLOB, 4096))
        entries = entries_of(INDEX)
        edited = other.assemble(
            edited_entries(entries, new, old, order=with_file(entries, new), size=len(BLOB), spool=other)
        )

        assert edited.digest == built.digest
        assert index_of_layer(edited) == index_of_layer(built)


def changed(path: str, change: Callable[[IndexedFile], IndexedFile]) -> FileIndex:
    return replace(INDEX, files=tuple(change(file) if file.path == path else file for file in INDEX.files))


def renamed(file: IndexedFile) -> IndexedFile:
    return replace(file, path="scripts/past.sh")


def swapped() -> FileIndex:
    """The contents of two files of one size exchanged; nothing but their headers could tell."""
    one, two = (
        next(file for file in INDEX.files if file.path == path) for path in ("README.md", "pack.yaml")
    )
    exchanged = {"README.md": replace(two, path="README.md"), "pack.yaml": replace(one, path="pack.yaml")}
    return replace(INDEX, files=tuple(exchanged.get(file.path, file) for file in INDEX.files))


WRONG = {
    "another name": changed("scripts/post.sh", renamed),
    "another mode": changed("scripts/post.sh", lambda file: replace(file, mode=0o644)),
    "another size": changed("README.md", lambda file: replace(file, size=file.size - 1)),
    "members elsewhere": changed("README.md", lambda file: replace(file, members=(GzipMember(5, 9, 512),))),
    "contents exchanged": swapped(),
    "a file too few": replace(INDEX, files=INDEX.files[1:]),
    "a directory too few": replace(INDEX, directories=()),
    "a directory too many": replace(INDEX, directories=("data/none", "data/nought")),
    "a layer that goes on": replace(INDEX, layers=(replace(INDEX.layers[0], size=len(BLOB) + 1),)),
}


@pytest.mark.parametrize("index", WRONG.values(), ids=WRONG.keys())
def test_an_index_that_says_otherwise_is_found_out_and_the_layer_is_read_to_its_end(index: FileIndex) -> None:
    chunks = iter(pieces(BLOB, 4096))

    with LayerSpool() as spool, pytest.raises(NotOurForm):
        list(taken_files(entries_of(index), chunks, size=index.layers[0].size, spool=spool))

    assert list(chunks) == []


def test_an_index_that_no_layer_of_ours_can_have_needs_no_look_at_the_layer() -> None:
    index = changed("README.md", lambda file: replace(file, members=(), at=512))

    with pytest.raises(NotOurForm):
        entries_of(index)


def test_a_layer_of_one_member_is_none_of_ours() -> None:
    one_member = gzip.compress(gzip.decompress(BLOB))

    with LayerSpool() as spool, pytest.raises(NotOurForm):
        list(taken_files(entries_of(INDEX), iter([one_member]), size=len(BLOB), spool=spool))
