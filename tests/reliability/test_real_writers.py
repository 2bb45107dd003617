"""One ordinary folder, packed by every writer that can be had: each archive is accepted, and is that folder."""

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest
from local.readers import go, node, prepare_readers
from tests.corpus.reading import read
from tests.reliability.listing_readers import SeenFile
from tests.witnesses import run

_LONG: Final = "/".join(["a-folder-with-a-rather-long-name-that-a-person-could-give-it-0123456789"] * 2)
_CONTENTS: Final[Mapping[str, bytes]] = {
    "pack.yaml": b"name: slack\nversion: 1.4.0\n",
    "README.md": b"# Slack\n",
    "data/empty": b"",
    "data/block": b"x" * 512,
    "data/with a space & more.bin": bytes(range(256)) * 100,
    f"data/{_LONG}/file.txt": b"deep down\n",
    "guides/Gr\u00fc\u00dfe \u65e5\u672c.md": b"# \xc3\xa9\n",
    "scripts/run.sh": b"#!/bin/sh\n",
}
_EXECUTABLE: Final = "scripts/run.sh"
_EMPTY_FOLDER: Final = "templates/empty"

# Packs the folder into the archive.
Write = Callable[[Path, Path], None]


def _gnu_tar(*options: str) -> Write:
    def write(folder: Path, archive: Path) -> None:
        run("tar", *options, "-C", str(folder.parent), "-czf", str(archive), folder.name)

    return write


def _bsdtar(tar_format: str) -> Write:
    def write(folder: Path, archive: Path) -> None:
        run("bsdtar", f"--format={tar_format}", "-C", str(folder), "-czf", str(archive), ".")

    return write


def _python(tar_format: int) -> Write:
    def write(folder: Path, archive: Path) -> None:
        with tarfile.open(archive, "w:gz", format=tar_format) as tar:
            tar.add(folder, arcname=folder.name)

    return write


def _shutil(folder: Path, archive: Path) -> None:
    made = shutil.make_archive(str(archive.with_name("made")), "gztar", root_dir=folder)
    Path(made).rename(archive)


def _git_archive(folder: Path, archive: Path) -> None:
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "--all"], [*settings, "commit", "-q", "-m", "x"]):
        run("git", "-C", str(folder), *command)
    run(
        "git",
        "-C",
        str(folder),
        "archive",
        "--format=tar.gz",
        "--prefix=slack-1.4.0/",
        "-o",
        str(archive),
        "HEAD",
    )


def _in_node(writer: str) -> Write:
    def write(folder: Path, archive: Path) -> None:
        subprocess.run([*node("write.js"), writer, folder, archive], check=True)  # noqa: S603 - our own script

    return write


def _in_go(tar_format: str) -> Write:
    def write(folder: Path, archive: Path) -> None:
        subprocess.run([go(), tar_format, folder, archive], check=True)  # noqa: S603 - our own program

    return write


WRITERS: Final[Mapping[str, Write]] = {
    **{f"GNU tar, {name}": _gnu_tar(f"--format={name}") for name in ("oldgnu", "gnu", "ustar", "posix")},
    "GNU tar, xattrs and acls": _gnu_tar("--format=posix", "--xattrs", "--acls"),
    "GNU tar, numeric owners": _gnu_tar("--numeric-owner", "--owner=4000000000", "--group=4000000000"),
    "GNU tar, before 1970": _gnu_tar("--mtime=@-86400"),
    **{f"bsdtar, {name}": _bsdtar(name) for name in ("ustar", "pax", "gnutar")},
    "Python, ustar": _python(tarfile.USTAR_FORMAT),
    "Python, gnu": _python(tarfile.GNU_FORMAT),
    "Python, pax": _python(tarfile.PAX_FORMAT),
    "Python, shutil": _shutil,
    "git archive": _git_archive,
    **{
        f"npm's {name}": _in_node(name)
        for name in ("node-tar", "node-tar-portable", "node-tar-without-pax", "tar-stream")
    },
    **{f"Go, {name}": _in_go(name) for name in ("auto", "pax", "gnu", "unclosed-pax")},
}
# It does not put down empty folders.
_WITHOUT_EMPTY_FOLDERS: Final = ("git archive",)


@pytest.mark.parametrize("writer", WRITERS)
def test_an_ordinary_folder_is_accepted_whoever_packs_it(writer: str, tmp_path: Path) -> None:
    prepare_readers()
    folder, archive = tmp_path / "slack", tmp_path / "pack.tar.gz"
    _lay_out(folder)

    WRITERS[writer](folder, archive)

    contents = read(archive.read_bytes())
    assert {file.path: _seen(file.content, file.executable) for file in contents.files} == {
        path: _seen(content, path == _EXECUTABLE) for path, content in _CONTENTS.items()
    }
    assert (_EMPTY_FOLDER in contents.directories) is (writer not in _WITHOUT_EMPTY_FOLDERS)


def _lay_out(folder: Path) -> None:
    for path, content in _CONTENTS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        (folder / path).chmod(0o755 if path == _EXECUTABLE else 0o644)
    (folder / _EMPTY_FOLDER).mkdir(parents=True)


def _seen(content: bytes, executable: bool) -> SeenFile:
    return SeenFile(hashlib.sha256(content).hexdigest(), executable)
