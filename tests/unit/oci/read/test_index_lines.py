"""Two file indexes are compared by the beginnings of their lines, as their parsed files would be."""

import gzip
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip

from packyard.oci.content import LayerForm, Piece
from packyard.oci.digest import Digest
from packyard.oci.read.file_index import FileIndex, IndexedFile, IndexedLayer
from packyard.oci.read.index_lines import file_difference, line_difference, lines_of, parse_lines
from packyard.oci.read.index_parser import parse_index

LAYER = IndexedLayer(Digest(f"sha256:{'1' * 64}"), 1 << 20, LayerForm.FLUSHED)
# What JSON escapes, what the beginning of a line must not end at, and letters of more than one byte.
paths = st.text(st.sampled_from('ab/"\\,[]é \u2028'), min_size=1, max_size=6)
states = st.tuples(st.sampled_from("01"), st.sampled_from([0o644, 0o755]), st.integers(0, 9))


def index(files: Mapping[str, tuple[str, int, int]], at: int = 0) -> FileIndex:
    return FileIndex(
        (LAYER, LAYER),
        tuple(
            IndexedFile(path, 3, mode, digit * 64, where % 2, pieces=(Piece(at + where, 3, 3),))
            for path, (digit, mode, where) in sorted(files.items())
        ),
    )


trees = st.dictionaries(paths, states, max_size=5)


@given(trees, trees)
def test_lines_differ_as_the_files_do_wherever_content_lies(
    old: dict[str, tuple[str, int, int]], new: dict[str, tuple[str, int, int]]
) -> None:
    before, after = index(old), index(new, at=7)

    found = line_difference(parse_lines(before.to_bytes()), parse_lines(after.to_bytes()))

    expected = file_difference(before.files, after.files)
    assert [file.path for file in found.added] == [file.path for file in expected.added]
    assert [file.path for file in found.removed] == [file.path for file in expected.removed]
    assert [(old[:4], new[:4]) for old, new in found.changed] == [
        (
            (old_file.path, old_file.size, old_file.mode, old_file.sha256),
            (new_file.path, new_file.size, new_file.mode, new_file.sha256),
        )
        for old_file, new_file in expected.changed
    ]
    assert lines_of(before) == parse_lines(before.to_bytes())


RIGHT = gzip.decompress(index({"a": ("1", 0o644, 0)}).to_bytes())


@pytest.mark.parametrize(
    "text",
    [
        RIGHT.replace(b'"a"', b"7"),
        RIGHT.replace(b'"a"', b'""'),
        RIGHT.replace(b"420", b"true"),
        RIGHT.replace(b"420", b"-1"),
        RIGHT.replace(b'"' + b"1" * 64 + b'",0', b'"junk",0'),
        RIGHT + b"\njunk",
        RIGHT + b'\n["b"',
        RIGHT + b"\n",
    ],
)
def test_a_line_that_is_no_file_is_one_error(text: bytes) -> None:
    nothing = lines_of(FileIndex((), ()))
    lines = parse_lines(igzip.compress(text))

    with pytest.raises(ValueError, match=r"the index|values to unpack|Expecting value"):
        line_difference(lines, nothing)


@pytest.mark.parametrize(
    "document",
    [b"", b"junk", igzip.compress(b"{}"), igzip.compress(b'{"format":1}')],
    ids=["empty", "not gzip", "an empty object", "one field"],
)
def test_what_is_no_index_is_one_error(document: bytes) -> None:
    with pytest.raises(ValueError, match="the index"):
        parse_lines(document)


def test_an_index_of_no_files_has_no_lines() -> None:
    document = FileIndex((), ()).to_bytes()

    assert parse_index(document).files == ()
    assert parse_lines(document).lines == frozenset()
