"""What a change of files makes of an image's layers: the same as a build of the changed files, for less."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.small_layers import shrink_layers

from packyard.oci.build.change import LayerPlan, plan_change
from packyard.oci.build.cut import cut
from packyard.oci.build.image import build_image
from packyard.oci.build.layer import Layer, LayerContents, LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.oci.digest import Digest
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import FileIndex, IndexedLayer, index_of_layers

Tree = Mapping[str, bytes]


@pytest.fixture(autouse=True)
def small_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_layers(monkeypatch)


def stored(spool: LayerSpool, tree: Tree) -> list[File]:
    return [File(path, path.endswith(".sh"), spool.store([content])) for path, content in tree.items()]


def built(spool: LayerSpool, tree: Tree, directories: list[str]) -> list[Layer]:
    order = canonical_order(directories=directories, files=stored(spool, tree))
    return [spool.assemble(entries) for entries in cut(order)]


class Blobs:
    """An image's blobs, which notes what is read of them."""

    def __init__(self, layers: list[Layer]) -> None:
        self.blobs: dict[Digest, bytes] = {layer.digest: b"".join(layer.chunks()) for layer in layers}
        self.read: list[Digest] = []

    @contextmanager
    def opened(self, layer: IndexedLayer) -> Iterator[Iterator[bytes]]:
        self.read.append(layer.digest)
        blob = self.blobs[layer.digest]
        yield iter([blob[start : start + 1000] for start in range(0, len(blob), 1000)])


def carried_out(plan: LayerPlan, spool: LayerSpool, blobs: Blobs) -> list[LayerContents]:
    return plan.layers([spool.assemble(entries) for entries in plan.made(spool, opened=blobs.opened)])


def contents_of(layers: list[LayerContents]) -> list[tuple[Digest, int, Digest]]:
    return [(layer.digest, layer.size, layer.diff_id) for layer in layers]


def a_tree(files: int = 200) -> dict[str, bytes]:
    return {"pack.yaml": b"name: slack\n"} | {
        f"data/{number % 17}/{number}.{'sh' if number % 5 else 'md'}": b"%d " % number * (number * 7 % 300)
        for number in range(files)
    }


TREE = a_tree()
PATHS = sorted(TREE)
CHANGES = st.dictionaries(
    st.sampled_from([*PATHS[:180:7], "LICENSE", "data/new/deep/a.md", "zz.md"]),
    st.none() | st.binary(max_size=9000),
    min_size=1,
    max_size=6,
)


@given(changes=CHANGES, vouched=st.booleans())
@settings(max_examples=25)
def test_a_changed_image_is_the_one_that_would_have_been_built_of_the_changed_files(
    changes: dict[str, bytes | None], vouched: bool
) -> None:
    after = {path: content for path, content in (TREE | changes).items() if content is not None}
    with LayerSpool() as old_spool, LayerSpool() as spool, LayerSpool() as other:
        old = built(old_spool, TREE, ["data/none"])
        new = {
            path: None if content is None else File(path, path.endswith(".sh"), spool.store([content]))
            for path, content in changes.items()
        }
        blobs = Blobs(old)
        plan = plan_change(index_of_layers(old), new, vouched=vouched)
        layers = carried_out(plan, spool, blobs)
        wanted = built(other, after, ["data/none"])

        assert contents_of(layers) == contents_of([*wanted])
        assert index_of_layers(layers) == index_of_layers(wanted)
        image = build_image(layers=layers, title="a", version="1.0.0")
        assert image.index == build_image(layers=wanted, title="a", version="1.0.0").index
        standing = [layer.digest for layer in layers if not isinstance(layer, Layer)]
        assert len(blobs.read) == len(set(blobs.read))
        assert not vouched or set(blobs.read).isdisjoint(standing)
        assert vouched or standing == []


def test_a_change_in_one_layer_reads_that_one_and_makes_that_one() -> None:
    with LayerSpool() as old_spool, LayerSpool() as spool:
        old = built(old_spool, TREE, [])
        path = old[2].files[1].path
        blobs = Blobs(old)
        new = File(path, executable=False, content=spool.store([b"new"]))
        plan = plan_change(index_of_layers(old), {path: new}, vouched=True)
        layers = carried_out(plan, spool, blobs)

        assert len(old) > 3
        assert blobs.read == [old[2].digest]
        assert [isinstance(layer, Layer) for layer in layers] == [
            number == 2 for number in range(len(layers))
        ]


def test_a_layer_of_which_nothing_is_left_is_not_read() -> None:
    with LayerSpool() as old_spool, LayerSpool() as spool:
        old = built(old_spool, TREE, [])
        blobs = Blobs(old)
        plan = plan_change(
            index_of_layers(old), dict.fromkeys([file.path for file in old[-1].files]), vouched=True
        )
        layers = carried_out(plan, spool, blobs)

        assert contents_of(layers) == contents_of([*old[:-1]])
        assert blobs.read == []


def test_a_layer_that_is_not_what_the_index_says_is_found_out() -> None:
    with LayerSpool() as old_spool, LayerSpool() as spool:
        old = built(old_spool, TREE, [])
        index = index_of_layers(old)
        path = old[1].files[0].path
        wrong = FileIndex(
            index.layers,
            tuple(file._replace(sha256="0" * 64) if file.path == path else file for file in index.files),
        )
        new = File(old[1].files[1].path, executable=False, content=spool.store([b"new"]))
        plan = plan_change(wrong, {new.path: new}, vouched=True)

        with pytest.raises(NotOurForm):
            carried_out(plan, spool, Blobs(old))


def test_an_image_of_one_layer_that_grows_is_cut() -> None:
    small = {path: TREE[path] for path in ("pack.yaml", PATHS[5], PATHS[9])}
    with LayerSpool() as old_spool, LayerSpool() as spool, LayerSpool() as other:
        old = built(old_spool, small, [])
        added = {file.path: file for file in stored(spool, TREE) if file.path not in small}
        layers = carried_out(plan_change(index_of_layers(old), added, vouched=True), spool, Blobs(old))

        assert len(old) == 1
        assert contents_of(layers) == contents_of([*built(other, TREE, [])])
