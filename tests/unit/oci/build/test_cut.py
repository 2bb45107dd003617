"""Where an image is cut into layers: by content alone, so that a change stays local."""

import random
import statistics
from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from packyard.oci.build.cut import WHOLE_BYTES, cut
from packyard.oci.build.tree import Directory, Entry, File, canonical_order
from packyard.oci.content import Content

MIB = 1 << 20
Tree = dict[str, int]
TREES = st.dictionaries(
    st.sampled_from([f"{top}/{name}" for top in "abc" for name in range(40)]),
    st.sampled_from([0, 1, MIB, 3 * MIB, 7 * MIB, 11 * MIB, 30 * MIB, 49 * MIB, 100 * MIB]),
    max_size=60,
)


def a_file(path: str, size: int) -> File:
    return File(path, executable=False, content=Content(size, f"{size:064x}", ()))


def layers_of(tree: Tree, directories: Iterable[str] = ()) -> list[list[Entry]]:
    files = [a_file(path, size) for path, size in ({"pack.yaml": 100} | tree).items()]
    return cut(canonical_order(directories=directories, files=files))


def files_of(layers: Sequence[Sequence[Entry]]) -> list[list[str]]:
    return [[entry.path for entry in layer if isinstance(entry, File)] for layer in layers]


def size_of(layer: Sequence[Entry]) -> int:
    return sum(entry.content.size for entry in layer if isinstance(entry, File))


def a_pack(seed: int, *, files: int = 8_000, mean: int = 33_000) -> Tree:
    """A pack as people have them: many folders, files of log-normal sizes."""
    dice = random.Random(seed)  # noqa: S311 - the same each time
    return {
        f"{dice.choice(['guides', 'data', 'skills'])}/{dice.randrange(80)}/{number}": int(
            dice.lognormvariate(0, 1.2) * mean / 2
        )
        for number in range(files)
    }


@given(tree=TREES)
@settings(max_examples=200)
def test_layers_hold_each_file_once_and_in_canonical_order(tree: Tree) -> None:
    layers = layers_of(tree)

    whole = canonical_order(directories=[], files=[a_file(path, 0) for path in {"pack.yaml": 0} | tree])
    assert [path for paths in files_of(layers) for path in paths] == [
        entry.path for entry in whole if isinstance(entry, File)
    ]
    for layer in layers:
        assert layer == canonical_order(
            directories=[], files=[entry for entry in layer if isinstance(entry, File)]
        )


@given(tree=TREES)
@settings(max_examples=200)
def test_content_up_to_32_mib_is_one_layer_and_no_layer_is_too_large(tree: Tree) -> None:
    layers = layers_of(tree)
    total = sum(map(size_of, layers))
    most = (96 if total >= 512 * MIB else 48) * MIB

    assert (len(layers) == 1) or total > WHOLE_BYTES
    for layer in layers if total > WHOLE_BYTES else []:
        assert size_of(layer) <= most or len(files_of([layer])[0]) == 1
    assert len(layers) <= 100


def test_a_pack_of_32_mib_is_whole_and_one_byte_more_may_be_cut() -> None:
    half = 16 * MIB

    assert len(layers_of({"pack.yaml": 0, "data/a": half, "data/b": half})) == 1
    assert len(layers_of({"pack.yaml": 0, "data/a": WHOLE_BYTES, "data/b": half + 1})) == 2


def test_a_file_over_48_mib_is_a_layer_of_its_own() -> None:
    assert files_of(layers_of({"a": 10, "b": 49 * MIB, "c": 10})) == [["pack.yaml", "a"], ["b"], ["c"]]


def test_a_layer_ends_at_48_mib_at_the_latest() -> None:
    layers = files_of(layers_of({f"data/{number:02d}": 25 * MIB for number in range(4)}))

    assert max(map(len, layers[1:])) == 1


def test_from_512_mib_on_layers_are_twice_as_large() -> None:
    small = layers_of(a_pack(1, files=15_000))
    large = layers_of(a_pack(1, files=15_000, mean=44_000))

    assert sum(map(size_of, small)) < 512 * MIB <= sum(map(size_of, large))
    assert statistics.mean(map(size_of, small)) < 22 * MIB
    assert statistics.mean(map(size_of, large)) > 26 * MIB


def test_a_directory_stands_in_each_layer_that_has_something_below_it_and_an_empty_one_once() -> None:
    tree = {"data/a/x": 40 * MIB, "data/b/x": 40 * MIB, "data/c/x": 40 * MIB}
    layers = layers_of(tree, directories=["data/b/none", "zz"])

    paths = [[entry.path for entry in layer] for layer in layers]
    assert paths[0] == ["pack.yaml", "data", "data/a", "data/a/x"]
    assert paths[1] == ["data", "data/b", "data/b/none", "data/b/x"]
    assert paths[2] == ["data", "data/c", "data/c/x", "zz"]


def test_there_are_never_more_than_100_layers() -> None:
    """Where every layer ends as early as it may: a file that is as large as the least is the end of one."""
    for size in (8 * MIB, 9 * MIB, 16 * MIB, 17 * MIB, 49 * MIB, 97 * MIB):
        for total in (511 * MIB, 1 << 30, 3 << 30):
            tree = {f"data/{number:04d}": size for number in range(total // size)}
            assert len(layers_of(tree)) <= 100


def digests(layers: Sequence[Sequence[Entry]]) -> dict[tuple[Entry, ...], int]:
    return {tuple(layer): size_of(layer) for layer in layers}


def test_a_change_of_one_file_changes_the_layer_around_it_and_hardly_ever_another() -> None:
    """On average a changed file touches a twelfth of a pack of 20 layers: the layer around it, and some of the next."""
    tree = a_pack(2)
    before = digests(layers_of(tree))
    dice = random.Random(3)  # noqa: S311 - the same each time
    touched = []
    for number in range(60):
        path = dice.choice(sorted(tree))
        changed = dict(tree)
        if number % 3 == 0:
            changed[path] += dice.randrange(1, 50_000)
        elif number % 3 == 1:
            del changed[path]
        else:
            changed[f"{path}-new"] = dice.randrange(100_000)
        after = digests(layers_of(changed))
        touched.append(
            sum(size for layer, size in after.items() if layer not in before) / sum(after.values())
        )

    assert len(before) > 12
    assert statistics.mean(touched) < 0.09
    assert statistics.median(touched) < 0.08
    assert max(touched) < 0.5


def test_what_comes_before_the_changed_layer_is_never_touched() -> None:
    tree = a_pack(4)
    before = layers_of(tree)
    for layer in before[2::5]:
        path = files_of([layer])[0][-1]
        after = layers_of(tree | {path: tree[path] + 7})
        place = before.index(layer)

        assert after[:place] == before[:place]


def test_directories_among_others_are_as_given() -> None:
    assert layers_of({}, directories=["data"]) == [[a_file("pack.yaml", 100), Directory("data")]]
