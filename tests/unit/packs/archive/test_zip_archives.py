"""Zip archives: what ordinary tools write is read as they mean it, and what readers read differently is refused."""

import io
import shutil
import stat
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.reading import DEFAULT_LIMITS, read
from tests.corpus.skills import HEAD
from tests.witnesses import witness

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.packs.archive.limits import ArchiveLimits

SKILL = HEAD + b"---\n# PDF tools\n"
LOCAL = 30
END = 22


def zipped(
    files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"", mode: int = 0o100644
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.create_system, member.external_attr = 3, mode << 16
            archive.writestr(member, content, method)
        archive.comment = comment
    return out.getvalue()


ONE = zipped({"SKILL.md": SKILL})
TWO = zipped({"SKILL.md": SKILL, "a.txt": b"a" * 1000})


def refused(archive: bytes, *, limits: ArchiveLimits = DEFAULT_LIMITS) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refusal:
        read(archive, limits=limits)
    return refusal.value.fields


def patched(archive: bytes, at: int, content: bytes) -> bytes:
    return archive[:at] + content + archive[at + len(content) :]


def entry_at(archive: bytes) -> int:
    """Return where the directory's first entry is."""
    return archive.index(b"PK\x01\x02")


def test_a_skill_may_come_as_a_zip() -> None:
    contents = read(
        zipped({"pdf-tools/SKILL.md": SKILL, "pdf-tools/assets/a.bin": b"\0" * 100_000, "__MACOSX/._a": b""})
    )

    assert [(file.path, file.size) for file in contents.files] == [
        ("SKILL.md", len(SKILL)),
        ("assets/a.bin", 100_000),
    ]
    assert contents.directories == ("assets",)
    assert contents.manifest.name == "pdf-tools"


def test_a_pack_may_come_as_a_zip() -> None:
    manifest = {"pack.yaml": b"name: slack\nversion: 1.4.0\n"}

    contents = read(zipped(manifest | {"guides/a.md": b"a"}, method=zipfile.ZIP_STORED))

    assert (contents.manifest.name, contents.manifest.version) == ("slack", "1.4.0")
    assert refused(zipped(manifest | {"x.md": b""})).keys() == {"archive:x.md"}


def _by_python(folder: Path, archive: Path) -> None:
    shutil.make_archive(str(archive.with_suffix("")), "zip", folder.parent, folder.name)


def _by_bsdtar(folder: Path, archive: Path) -> None:
    command = [
        witness("bsdtar"),
        "-c",
        "--format",
        "zip",
        "-f",
        str(archive),
        "-C",
        str(folder.parent),
        folder.name,
    ]
    subprocess.run(command, check=True)  # noqa: S603 - a witness


@pytest.mark.parametrize("pack", [_by_python, _by_bsdtar])
def test_what_a_tool_writes_from_a_folder_is_read_as_it_is(
    pack: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    folder = tmp_path / "pdf-tools"
    (folder / "a").mkdir(parents=True)
    (folder / "SKILL.md").write_bytes(SKILL)
    (folder / "a" / "text.txt").write_text("word " * 10_000)
    (folder / "a" / "none").write_bytes(b"")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)

    pack(folder, tmp_path / "made.zip")

    contents = read((tmp_path / "made.zip").read_bytes())
    found = {file.path: (file.content, file.executable) for file in contents.files}
    assert found == {
        "SKILL.md": (SKILL, False),
        "a/text.txt": (b"word " * 10_000, False),
        "a/none": (b"", False),
        "run.sh": (b"#!/bin/sh\n", True),
    }


DAMAGED = {
    "cut off in the directory": (ONE[:-30], "is cut off"),
    "cut off behind the first header": (ONE[:40], "is cut off"),
    "bytes before the first file": (
        b"PK\x03\x04" + ONE,
        "the directory at the end of the zip is not where it says",
    ),
    "bytes behind the end": (ONE + b"x", "something else follows"),
    "a second end in the comment": (
        zipped({"SKILL.md": SKILL}, comment=b"PK\x05\x06" + bytes(18)),
        "readers differ",
    ),
    "a part of a split zip": (patched(ONE, len(ONE) - END + 4, b"\1\0"), "was split"),
    "Zip64": (patched(ONE, len(ONE) - END + 8, b"\xff" * 12), "is a Zip64 file"),
    "another name in the header": (patched(ONE, LOCAL, b"SKILL.MD"), "whose header says something else"),
    "another size in the header": (patched(ONE, 22, b"\1\0\0\0"), "whose header says something else"),
    "another size in both places": (
        patched(patched(ONE, 22, b"\1\0\0\0"), entry_at(ONE) + 24, b"\1\0\0\0"),
        "is corrupt: the content of SKILL.md",
    ),
    "another checksum in both places": (
        patched(patched(ONE, 14, b"\1\0\0\0"), entry_at(ONE) + 16, b"\1\0\0\0"),
        "is corrupt: the content of SKILL.md",
    ),
    "a directory with fewer entries than files": (
        # The end says one entry, and the directory has one: the second file belongs to nothing.
        TWO[: TWO.index(b"PK\x01\x02")]
        + ONE[entry_at(ONE) : -END]
        + struct.pack(
            "<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(ONE) - END - entry_at(ONE), entry_at(TWO), 0
        ),
        "bytes between its files",
    ),
    "a version that is too new": (patched(ONE, entry_at(ONE) + 6, b"\x33\0"), "newer version"),
    "another count at the end": (patched(ONE, len(ONE) - END + 8, b"\2\0\2\0"), "is cut off"),
}


@pytest.mark.parametrize(("archive", "says"), DAMAGED.values(), ids=DAMAGED.keys())
def test_what_readers_read_differently_is_refused(archive: bytes, says: str) -> None:
    assert says in refused(archive)["archive"]


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        (stat.S_IFLNK | 0o777, "is a symbolic link"),
        (stat.S_IFIFO | 0o644, "is neither"),
        (stat.S_IFDIR | 0o755, "some readers"),
    ],
)
def test_a_member_that_is_no_file_is_refused(mode: int, says: str) -> None:
    assert says in refused(zipped({"SKILL.md": SKILL}, mode=mode))["archive:SKILL.md"]


@pytest.mark.parametrize(
    ("flags", "method", "says"), [(1, 8, "is encrypted"), (0x20, 8, "flags"), (0, 12, "another method")]
)
def test_what_not_every_reader_can_read_is_refused(flags: int, method: int, says: str) -> None:
    fields = struct.pack("<2H", flags, method)
    archive = patched(patched(ONE, 6, fields), entry_at(ONE) + 8, fields)

    assert says in refused(archive)["archive:SKILL.md"]


def test_a_name_in_an_unstated_encoding_is_refused() -> None:
    name = "é.md".encode()
    archive = zipped({"SKILL.md": SKILL, "abcd.": b""}).replace(b"abcd.", name)

    assert "not marked as UTF-8" in refused(archive)["archive"]
    assert [file.path for file in read(zipped({"SKILL.md": SKILL, "é.md": b""})).files] == [
        "SKILL.md",
        "é.md",
    ]


def test_a_path_that_no_pack_has_and_one_that_is_there_twice_are_refused() -> None:
    archive = zipped(dict.fromkeys(("SKILL.md", "../a", "b1", "b2", "c\\d"), SKILL)).replace(b"b2", b"b1")

    assert refused(archive).keys() == {"archive:../a", "archive:b1", "archive:c\\\\d"}


def test_the_limits_are_those_of_any_archive() -> None:
    bomb = zipped({"SKILL.md": SKILL, "zeros": bytes(4 << 20)})

    assert "unpacks to more than" in refused(bomb, limits=ArchiveLimits(unpacked_bytes=1 << 20))["archive"]
    assert "more than 1 members" in refused(TWO, limits=ArchiveLimits(members=1))["archive"]
    with pytest.raises(PayloadTooLarge):
        read(TWO, limits=ArchiveLimits(compressed_bytes=100))


def test_a_size_that_understates_the_content_stops_the_reading() -> None:
    content = zlib.compressobj(wbits=-15)
    data = content.compress(bytes(1 << 24)) + content.flush()
    honest = zipped({"SKILL.md": SKILL, "zeros": bytes(1 << 24)})
    assert data in honest
    lying = honest.replace(struct.pack("<I", 1 << 24), struct.pack("<I", 100))

    assert "is corrupt: the content of zeros" in refused(lying)["archive"]


@given(st.data())
def test_a_damaged_zip_is_refused_or_what_python_reads(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TWO) - 1))
    archive = patched(TWO, at, bytes([data.draw(st.integers(0, 255))]))
    try:
        contents = read(archive)
    except InvalidRequest:
        return
    with zipfile.ZipFile(io.BytesIO(archive)) as theirs:
        assert {file.path: file.content for file in contents.files} == {
            name: theirs.read(name) for name in theirs.namelist()
        }
