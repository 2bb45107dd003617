import random

from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.build.tree import Directory, File, canonical_order
from packyard.oci.content import Content

EMPTY = Content(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ())
PATHS = st.lists(st.text("ab.-/é\N{PARTY POPPER}", min_size=1, max_size=8), max_size=12).map(
    lambda paths: sorted({"/".join(filter(None, path.split("/"))) for path in paths} - {""})
)


def a_file(path: str) -> File:
    return File(path, executable=False, content=EMPTY)


def test_the_manifest_comes_first_and_the_rest_is_sorted_by_path() -> None:
    entries = canonical_order(
        directories=["scripts"], files=map(a_file, ["scripts/b", "guides/a.md", "pack.yaml", "LICENSE"])
    )

    assert [entry.path for entry in entries] == [
        "pack.yaml",
        "LICENSE",
        "guides",
        "guides/a.md",
        "scripts",
        "scripts/b",
    ]


def test_what_a_directory_holds_follows_it_without_a_break() -> None:
    entries = canonical_order(
        directories=["data/a"], files=map(a_file, ["data/a-b", "data/a/z", "data/a.txt"])
    )

    assert [entry.path for entry in entries] == ["data", "data/a", "data/a/z", "data/a-b", "data/a.txt"]


def test_paths_compare_as_utf_8_bytes() -> None:
    beyond_the_surrogates = "data/\N{PARTY POPPER}"
    before_them = "data/\N{FULLWIDTH LATIN SMALL LETTER A}"

    entries = canonical_order(directories=[], files=map(a_file, [beyond_the_surrogates, before_them]))

    assert [entry.path for entry in entries] == ["data", before_them, beyond_the_surrogates]


def test_a_directory_without_a_member_of_its_own_gets_an_entry() -> None:
    named = canonical_order(directories=["data", "data/deep"], files=[a_file("data/deep/a")])
    unnamed = canonical_order(directories=[], files=[a_file("data/deep/a")])

    assert named == unnamed


def test_an_empty_directory_keeps_its_place() -> None:
    assert canonical_order(directories=["templates/none"], files=[]) == [
        Directory("templates"),
        Directory("templates/none"),
    ]


@given(paths=PATHS, seed=st.integers())
def test_the_order_of_the_arguments_leaves_no_trace(paths: list[str], seed: int) -> None:
    shuffled = random.Random(seed).sample(paths, len(paths))  # noqa: S311 - not a secret

    assert canonical_order(directories=shuffled, files=[]) == canonical_order(directories=paths, files=[])


@given(paths=PATHS)
def test_a_parent_precedes_its_children(paths: list[str]) -> None:
    order = [entry.path for entry in canonical_order(directories=paths, files=[])]

    assert len(set(order)) == len(order)
    for place, path in enumerate(order):
        parent, slash, _ = path.rpartition("/")
        assert not slash or parent in order[:place]
