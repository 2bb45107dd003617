"""Which paths a change of many files may name, and which the pack has after it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.errors import InvalidRequest
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.file_changes import ChangedPaths, changed_paths, check_deletions

FILES = ("pack.yaml", "README.md", "guides/a.md", "guides/deep/b.md", "data/caf\u00e9.txt")
EMPTY = ("templates/empty", "guides/none")


def change(
    *deletions: str,
    written: Sequence[str] = (),
    new_directories: Sequence[str] = (),
    files: Sequence[str] = FILES,
    directories: Sequence[str] = EMPTY,
) -> ChangedPaths:
    check_deletions(deletions)
    return changed_paths(
        files=files,
        directories=directories,
        deletions=deletions,
        written=written,
        new_directories=new_directories,
        field=lambda path: f"archive:{path}",
    )


@pytest.mark.parametrize(
    ("deletions", "files", "directories"),
    [
        pytest.param((), set(), set(EMPTY), id="nothing"),
        pytest.param(("README.md",), {"README.md"}, set(EMPTY), id="a file"),
        pytest.param(
            ("guides/",), {"guides/a.md", "guides/deep/b.md"}, {"templates/empty"}, id="a folder in use"
        ),
        pytest.param(("guides/deep/",), {"guides/deep/b.md"}, set(EMPTY), id="a folder below another"),
        pytest.param(("templates/empty/",), set(), {"guides/none"}, id="an empty folder"),
        pytest.param(("templates/",), set(), {"guides/none"}, id="a folder of an empty folder"),
        pytest.param(
            ("guides/a.md", "guides/deep/"), {"guides/a.md", "guides/deep/b.md"}, set(EMPTY), id="several"
        ),
    ],
)
def test_what_a_deletion_takes_away(deletions: Sequence[str], files: set[str], directories: set[str]) -> None:
    paths = change(*deletions)

    assert paths.deleted == frozenset(files)
    assert set(paths.directories) == directories


@pytest.mark.parametrize(
    ("deletions", "fields"),
    [
        pytest.param(
            ("README.md", "README.md"),
            {"delete:README.md": "is given more than once; give it once"},
            id="a file twice",
        ),
        pytest.param(
            ("guides/", "guides/a.md"),
            {"delete:guides/a.md": "is in guides/, which the change deletes too; name one of them"},
            id="a folder and a file in it",
        ),
        pytest.param(
            ("guides/deep/", "guides/"),
            {"delete:guides/deep/": "is in guides/, which the change deletes too; name one of them"},
            id="a folder and a folder in it",
        ),
        pytest.param(
            ("pack.yaml",),
            {
                "delete:pack.yaml": "a pack must have it; to replace it, put another one into the archive",
            },
            id="the manifest",
        ),
        pytest.param(
            ("guides/c.md",),
            {"delete:guides/c.md": "is not in the pack; GET /packs/{id}/files lists its files"},
            id="a file that is not there",
        ),
        pytest.param(
            ("guide/",),
            {"delete:guide/": "is not in the pack; GET /packs/{id}/files lists its files"},
            id="a folder that is not there",
        ),
        pytest.param(
            ("guides",),
            {"delete:guides": "is a folder; write guides/ to delete it with everything in it"},
            id="a folder without its slash",
        ),
        pytest.param(
            ("README.md/",),
            {"delete:README.md/": "is a file; write README.md, without the slash at its end"},
            id="a file with a slash",
        ),
        pytest.param(
            ("guides//a.md", "./guides/"),
            {
                "delete:guides//a.md": "has an empty or '.' segment; write guides/a.md",
                "delete:./guides/": "has an empty or '.' segment; write guides/",
            },
            id="segments that mean nothing",
        ),
        pytest.param(
            ("data/cafe\u0301.txt",),
            {
                "delete:data/cafe\u0301.txt": "is in the pack in another Unicode spelling; take the path from "
                "GET /packs/{id}/files"
            },
            id="another spelling",
        ),
        pytest.param(
            ("", "/"),
            dict.fromkeys(
                ("delete:", "delete:/"),
                "names no path; write one as GET /packs/{id}/files lists it, and a slash at the end of a folder",
            ),
            id="no path",
        ),
        pytest.param(
            ("../guides/a.md",),
            {"delete:../guides/a.md": "is not in the pack; GET /packs/{id}/files lists its files"},
            id="a path that leads out",
        ),
    ],
)
def test_what_cannot_be_deleted(deletions: Sequence[str], fields: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        change(*deletions)

    assert refusal.value.fields == fields


@pytest.mark.parametrize(
    ("deletions", "written", "new_directories", "fields"),
    [
        pytest.param(
            ("README.md",),
            ("README.md",),
            (),
            {"archive:README.md": "is deleted by the same change; leave it out there to replace the file"},
            id="deleted and written",
        ),
        pytest.param(
            ("guides/",),
            ("guides/new.md",),
            (),
            {
                "archive:guides/new.md": "is in guides/, which the same change deletes; delete that folder's other "
                "files by path"
            },
            id="written into a folder that is deleted",
        ),
        pytest.param(
            (),
            ("guides/deep",),
            (),
            {"archive:guides/deep": "the path is that of a file and of a directory"},
            id="a file in place of a folder",
        ),
        pytest.param(
            (),
            ("guides/a.md/x",),
            (),
            {"archive:guides/a.md/x": "the path is below that of a file"},
            id="a file below a file",
        ),
        pytest.param(
            (),
            (),
            ("guides/a.md",),
            {"archive:guides/a.md": "the path is that of a file and of a directory"},
            id="a folder in place of a file",
        ),
        pytest.param(
            (),
            ("data/cafe\u0301.txt",),
            (),
            {
                "archive:data/cafe\u0301.txt": "another member has the same path in another Unicode spelling; "
                "rename one of them"
            },
            id="another spelling of a path that stays",
        ),
    ],
)
def test_what_cannot_be_written(
    deletions: Sequence[str], written: Sequence[str], new_directories: Sequence[str], fields: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        change(*deletions, written=written, new_directories=new_directories)

    assert refusal.value.fields == fields


@pytest.mark.parametrize(
    ("deletions", "written"),
    [
        pytest.param(
            ("guides/a.md",), ("guides/a.md/b.md",), id="a folder takes the place of a deleted file"
        ),
        pytest.param(("guides/deep/",), ("guides/deep",), id="a file takes the place of a deleted folder"),
        pytest.param(("data/caf\u00e9.txt",), ("data/cafe\u0301.txt",), id="a name takes another spelling"),
        pytest.param((), ("guides/none/x.md",), id="an empty folder gets a file"),
        pytest.param((), ("guides/a.md", "pack.yaml"), id="files are replaced"),
    ],
)
def test_what_may_be_written(deletions: Sequence[str], written: Sequence[str]) -> None:
    change(*deletions, written=written)


def test_new_folders_join_those_that_stay() -> None:
    paths = change("guides/none/", new_directories=["data/new"])

    assert set(paths.directories) == {"templates/empty", "data/new"}


def test_at_most_a_hundred_faults_are_reported() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        change(*(f"data/{number}" for number in range(300)))

    assert len(refusal.value.fields) == 100


SEGMENTS = st.sampled_from(["a", "b", "c", "e\u0301", "\u00e9"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


def is_a_tree(files: Sequence[str]) -> bool:
    tree = PathTree()
    try:
        for file in files:
            tree.add(file, directory=False)
    except ValueError:
        return False
    return True


@given(
    files=st.lists(PATHS, unique=True, max_size=5).filter(is_a_tree),
    deletions=st.lists(st.tuples(PATHS, st.sampled_from(["", "/"])).map("".join), max_size=3),
    written=st.lists(PATHS, unique=True, max_size=3),
)
def test_an_accepted_change_names_each_path_once_and_leaves_a_tree(
    files: list[str], deletions: list[str], written: list[str]
) -> None:
    try:
        paths = change(*deletions, files=files, directories=(), written=written)
    except InvalidRequest:
        return

    assert paths.deleted.isdisjoint(written)
    assert len(set(deletions)) == len(deletions)
    assert is_a_tree([*(set(files) - paths.deleted - set(written)), *written])


def test_a_path_to_delete_that_no_pack_can_have_is_refused_before_anything_looks_at_it() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_deletions(["a/" * 100_000, "README.md"])

    assert list(refused.value.fields.values()) == ["is over 4096 bytes, which no path in a pack is"]


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("guides", "is deleted by the same change; name it once"),
        ("guides/new", "is in guides/, which the same change deletes; name one of them"),
    ],
)
def test_a_folder_is_not_deleted_and_added_by_one_change(new: str, why: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        change("guides/", new_directories=[new])

    assert refused.value.fields == {f"archive:{new}": why}
