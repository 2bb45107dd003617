import io
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.command import Command, pack_folder

from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive
from packyard_cli.archive import write_archive
from packyard_cli.folder import LocalFile


class _Kept:
    """Keeps contents as they are."""

    def store(self, chunks: Iterable[bytes]) -> bytes:
        return b"".join(chunks)

    def fetch(self, stored: bytes) -> bytes:
        return stored


def _packed(packyard: Command, folder: Path, output: Path) -> bytes:
    ran = packyard("pack", "-o", output, folder)
    assert ran.exit_code == 0, ran.err
    return output.read_bytes()


def test_the_same_files_give_the_same_bytes_whenever_they_are_packed(
    packyard: Command, tmp_path: Path
) -> None:
    first = pack_folder(tmp_path / "one", data__b_csv="b", data__a_csv="a")
    second = pack_folder(tmp_path / "two", data__a_csv="a", data__b_csv="b")
    os.utime(second / "data" / "a.csv", (1, 1))

    assert _packed(packyard, first, tmp_path / "1.tar.gz") == _packed(packyard, second, tmp_path / "2.tar.gz")


def test_source_date_epoch_is_the_time_of_every_entry(packyard: Command, tmp_path: Path) -> None:
    packyard.environment["SOURCE_DATE_EPOCH"] = "1735689600"

    archive = _packed(packyard, pack_folder(tmp_path / "pack"), tmp_path / "a.tar.gz")

    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        assert {member.mtime for member in opened} == {1735689600}
    assert int.from_bytes(archive[4:8], "little") == 1735689600


@pytest.mark.parametrize("epoch", ["now", "-1", "1.5", "99999999999"])
def test_a_source_date_epoch_that_is_no_time_is_refused(
    packyard: Command, tmp_path: Path, epoch: str
) -> None:
    packyard.environment["SOURCE_DATE_EPOCH"] = epoch

    ran = packyard("pack", "-o", tmp_path / "a.tar.gz", pack_folder(tmp_path / "pack"))

    assert ran.exit_code == 2
    assert "SOURCE_DATE_EPOCH" in ran.err
    assert not list(tmp_path.glob("*a.tar.gz*"))


def test_an_archive_is_not_written_into_the_folder_that_it_holds(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")

    ran = packyard("pack", "-o", folder / "data" / "a.tar.gz", folder)

    assert ran.exit_code == 2
    assert "inside the folder" in ran.err


def test_nothing_stays_of_an_archive_that_cannot_be_written(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    (tmp_path / "out").mkdir()
    (folder / "guides" / "post.md").chmod(0)
    (folder / "guides" / "gone.md").write_text("x")

    ran = packyard("pack", "-o", tmp_path / "nowhere" / "a.tar.gz", folder)

    assert ran.exit_code == 15
    assert not (tmp_path / "nowhere").exists()


def test_quiet_prints_the_path_alone(packyard: Command, tmp_path: Path) -> None:
    output = tmp_path / "a.tar.gz"

    assert packyard("pack", "-q", "-o", output, pack_folder(tmp_path / "pack")).out == f"{output}\n"


@given(
    contents=st.dictionaries(
        st.text("ab\u00e9\u4e2d/ .", min_size=1, max_size=150).filter(
            lambda path: not {"", ".", ".."} & set(path.split("/"))
        ),
        st.tuples(st.binary(max_size=2000), st.booleans()),
        max_size=5,
    )
)
def test_the_service_reads_what_was_packed(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, tuple[bytes, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("pack")
    wanted = {"pack.yaml": (b"name: slack\nversion: 1.4.0\n", False)}
    wanted |= {f"data/{number}/{path}": content for number, (path, content) in enumerate(contents.items())}
    files = []
    for number, (path, (content, executable)) in enumerate(wanted.items()):
        place = folder / str(number)
        place.write_bytes(content)
        files.append(LocalFile(path=path, location=str(place), size=len(content), executable=executable))
    out = io.BytesIO()

    written = write_archive(out, files)

    out.seek(0)
    read = read_archive(out, limits=ArchiveLimits(), contents=_Kept())
    assert {file.path: (file.content, file.executable) for file in read.files} == wanted
    assert written.size == len(out.getvalue())
