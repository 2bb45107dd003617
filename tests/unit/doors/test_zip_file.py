"""The zip of a pack."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.doors.document import ServedFile
from packyard.doors.zip_file import MAX_RATIO, write_zip

REPETITIVE: Final = b"a" * 200_000
FILES: Final = {
    "SKILL.md": b"---\nname: a\n---\n",
    "A.md": b"# A\n",
    "scripts/run.sh": b"#!/bin/sh\necho\n",
    "data/caf\u00e9.bin": bytes(range(256)) * 8,
    "data/empty": b"",
}


def served(files: Mapping[str, bytes]) -> list[ServedFile]:
    return [
        ServedFile(path, len(content), hashlib.sha256(content).hexdigest(), 0o755 if "run" in path else 0o644)
        for path, content in files.items()
    ]


def zip_of(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    write_zip(target, served(files), lambda file: [files[file.path][:5], files[file.path][5:]])
    return target.getvalue()


def test_the_skill_is_first_and_nothing_is_wrapped_or_lost() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_of(FILES))) as archive:
        names = archive.namelist()
        assert {name: archive.read(name) for name in names} == FILES
        modes = {member.filename: oct(member.external_attr >> 16) for member in archive.infolist()}
        flags = {member.flag_bits & 0x8 for member in archive.infolist()}
        made_by = {(member.create_system, member.date_time, member.extra) for member in archive.infolist()}

    assert names == ["SKILL.md", "A.md", "data/caf\u00e9.bin", "data/empty", "scripts/run.sh"]
    assert modes["scripts/run.sh"] == "0o100755"
    assert modes["A.md"] == "0o100644"
    assert made_by == {(3, (1980, 1, 1, 0, 0, 0), b"")}
    assert flags == {0}, "sizes stand before the data"


def test_the_same_files_in_another_order_are_the_same_bytes() -> None:
    assert zip_of(FILES) == zip_of(dict(reversed(FILES.items())))


def test_what_compresses_too_well_is_stored() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_of({**FILES, "data/a": REPETITIVE}))) as archive:
        kinds = {member.filename: member.compress_type for member in archive.infolist()}
        assert archive.read("data/a") == REPETITIVE

    assert kinds["data/a"] == zipfile.ZIP_STORED
    assert kinds["data/caf\u00e9.bin"] == zipfile.ZIP_DEFLATED


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?", fullmatch=True), st.binary(max_size=64), max_size=5
    )
)
def test_no_member_is_compressed_more_than_claude_code_takes(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(
        io.BytesIO(zip_of({path: content * 500 for path, content in files.items()}))
    ) as archive:
        assert archive.testzip() is None
        for member in archive.infolist():
            assert member.file_size <= MAX_RATIO * member.compress_size


def test_a_content_of_another_size_is_no_zip() -> None:
    with pytest.raises(ValueError, match="size"):
        write_zip(io.BytesIO(), [ServedFile("a", 3, "", 0o644)], lambda _file: [b"ab"])
