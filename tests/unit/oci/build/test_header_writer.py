import tarfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.oci.build.header_writer import (
    BLOCK,
    directory_header,
    end_of_archive,
    file_header,
    file_member_size,
    padding,
)

# Everything that a pack's path may hold, and much that it may not.
SEGMENTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=60
)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=32).map("/".join)

ASCII_PATHS = {
    "short": "pack.yaml",
    "name-full": "n" * 100,
    "prefix-needed": "guides/" + "n" * 100,
    "prefix-and-name-full": "p" * 155 + "/" + "n" * 100,
    "split-at-the-last-slash-that-fits": "/".join(["segment"] * 30),
}
PAX_PATHS = {
    "name-too-long": "n" * 101,
    "prefix-too-long": "p" * 156 + "/" + "n" * 100,
    "no-place-to-split": "p" * 50 + "/" + "n" * 101,
    "not-ascii": "guides/größe.md",
    "astral": "guides/\N{PARTY POPPER}.md",
    "length-of-the-record-gains-a-digit": "n" * 989,
    "as-long-as-a-path-may-be": "/".join(["guides", "n" * 1017]),
}


def only_member(header: bytes) -> tarfile.TarInfo:
    with tarfile.open(fileobj=BytesIO(header + end_of_archive())) as archive:
        (member,) = archive.getmembers()
        return member


@pytest.mark.parametrize("path", ASCII_PATHS.values(), ids=ASCII_PATHS)
def test_a_path_that_ustar_can_say_takes_one_block(path: str) -> None:
    header = file_header(path, size=0, executable=False)

    assert len(header) == BLOCK
    assert only_member(header).name == path


@pytest.mark.parametrize("path", PAX_PATHS.values(), ids=PAX_PATHS)
def test_any_other_path_is_stored_in_a_pax_record(path: str) -> None:
    header = file_header(path, size=0, executable=False)

    assert header[156:157] == b"x"
    assert only_member(header).name == path


@given(path=PATHS)
def test_every_path_reads_back(path: str) -> None:
    assert only_member(file_header(path, size=0, executable=False)).name == path
    assert only_member(directory_header(path)).name == path


@given(path=PATHS)
def test_every_header_is_whole_blocks(path: str) -> None:
    assert len(file_header(path, size=0, executable=False)) % BLOCK == 0
    assert len(directory_header(path)) % BLOCK == 0


@pytest.mark.parametrize(("executable", "mode"), [(False, 0o644), (True, 0o755)])
def test_a_file_says_its_size_and_mode_and_nothing_about_its_origin(executable: bool, mode: int) -> None:
    member = only_member(file_header("scripts/a", size=0, executable=executable))

    assert member.isreg()
    assert member.mode == mode
    assert (member.uid, member.gid, member.uname, member.gname, member.mtime) == (0, 0, "", "", 0)


def test_a_directory_is_open_to_read_for_all() -> None:
    member = only_member(directory_header("guides"))

    assert member.isdir()
    assert member.mode == 0o755


def test_the_size_is_the_content_s() -> None:
    header = file_header("data/a", size=8**11 - 1, executable=False)

    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == 8**11 - 1


def test_a_size_that_ustar_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="8 GiB"):
        file_header("data/a", size=8**11, executable=False)


@pytest.mark.parametrize(("size", "zeros"), [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511)])
def test_padding_fills_the_last_block(size: int, zeros: int) -> None:
    assert padding(size) == bytes(zeros)


@given(path=PATHS, size=st.integers(min_value=0, max_value=2000))
def test_the_size_of_a_member_is_that_of_what_is_written(path: str, size: int) -> None:
    written = len(file_header(path, size=size, executable=True)) + size + len(padding(size))

    assert file_member_size(path, size) == written
