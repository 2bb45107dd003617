"""A pack's archive as a zip: Python's own reader finds the same files in an accepted one."""

import io
import unicodedata
import zipfile
from collections.abc import Iterator

from tests.corpus.skills import HEAD

from fuzz.accepted_archive import read_or_refuse
from packyard.packs.archive.member_path import is_litter

_SIGNATURE = b"PK"


def check(data: bytes) -> None:
    contents = read_or_refuse(_SIGNATURE + data.removeprefix(_SIGNATURE))
    if contents is None:
        return
    with zipfile.ZipFile(io.BytesIO(_SIGNATURE + data.removeprefix(_SIGNATURE))) as theirs:
        seen = {
            _plain(member.filename): theirs.read(member)
            for member in theirs.infolist()
            if not member.is_dir() and not is_litter(_plain(member.filename))
        }
    if contents.manifest.file not in seen:
        seen = {path.partition("/")[2]: content for path, content in seen.items()}
    assert {unicodedata.normalize("NFC", file.path): file.content for file in contents.files} == seen


def _plain(name: str) -> str:
    path = "/".join(segment for segment in name.split("/") if segment not in {"", "."})
    return unicodedata.normalize("NFC", path)


def seeds() -> Iterator[bytes]:
    skill = {"SKILL.md": HEAD + b"---\n", "a/b.txt": b"b" * 50, "é/": b""}
    pack = {"p/pack.yaml": b"name: slack\nversion: 1.4.0\n", "p/guides/a.md": b"a", "p/.DS_Store": b""}
    for files in (skill, pack, {}):
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", method) as archive:
                for name, content in files.items():
                    archive.writestr(zipfile.ZipInfo(name), content, method)
            yield out.getvalue()
