from pathlib import Path

import pytest
from local.doors.pack import DoorFailed, File, ServedPack
from local.doors.table import DOCUMENT, stated, table_of, written
from local.doors.trial import Passed

PACK = ServedPack(
    id="pack_1",
    owner="acme",
    name="tools",
    flat_name="tools",
    folder="tools",
    version="1.0.0",
    image="",
    files={"SKILL.md": File(b"skill\n"), "scripts/run.sh": File(b"#!/bin/sh\n", executable=True)},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, file in PACK.files.items():
        place = tmp_path / path
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(file.content)
        place.chmod(0o755 if file.executable else 0o644)
    return tmp_path


def test_a_folder_with_the_pack_s_files_is_accepted(folder: Path) -> None:
    (folder / "own.json").write_text("{}")

    PACK.require_in(folder, modes=True, beside=frozenset({"own.json"}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "SKILL.md").unlink(), "SKILL.md is missing"),
        (lambda folder: (folder / "SKILL.md").write_text("other\n"), "SKILL.md has other bytes"),
        (lambda folder: (folder / "more.md").write_text(""), "more.md is none of its files"),
        (lambda folder: (folder / "more.md").symlink_to("SKILL.md"), "more.md is none of its files"),
        (lambda folder: (folder / "scripts/run.sh").chmod(0o644), "scripts/run.sh has lost or gained"),
    ],
)
def test_whatever_differs_is_named(folder: Path, change: "object", told: str) -> None:
    assert callable(change)
    change(folder)

    with pytest.raises(DoorFailed, match=told):
        PACK.require_in(folder, modes=True)


def test_the_table_is_written_between_its_lines() -> None:
    row = Passed(door="mcp", client="fastmcp", version="1", ran="list", verified="names")
    document = DOCUMENT.read_text(encoding="utf-8")

    changed = written(document, table_of([row]))

    assert stated(changed) == table_of([row]).strip()
    assert "| `mcp` | fastmcp | 1 | list | names |" in changed
    assert written(changed, "") == written(document, "")
    with pytest.raises(ValueError, match="lacks the lines"):
        written("no place", "")
