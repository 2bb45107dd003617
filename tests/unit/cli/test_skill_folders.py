"""`packyard check` and `packyard pack` of an Agent Skill's folder, by the service's rules."""

import tarfile
from pathlib import Path

import pytest
from tests.command import Command

KNOWN = "allowed-tools, compatibility, description, license, metadata, name"
HEAD = "---\nname: pdf-tools\ndescription: Work with PDF files.\n"


def skill_folder(folder: Path, more: str = "", **files: str) -> Path:
    """Write a skill's folder. Names of files have `__` for a slash and `_` for a dot."""
    texts = {
        "references/forms.md": "# Forms\n",
        "assets/.env": "x=1\n",
        "SKILL.md": f"{HEAD}{more}---\n# PDF\n",
    }
    texts |= {key.replace("__", "/").replace("_", "."): text for key, text in files.items()}
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    return folder


def test_a_skill_is_valid_whatever_stands_beside_it(packyard: Command, tmp_path: Path) -> None:
    ran = packyard("check", skill_folder(tmp_path / "pdf-tools", Dockerfile="FROM scratch\n"))

    assert ran.exit_code == 0
    assert ran.out == "The pack is valid: 4 files, 89 B.\n"


def test_what_breaks_the_specification_is_a_warning_with_its_line(packyard: Command, tmp_path: Path) -> None:
    folder = skill_folder(tmp_path / "pdf", "metadata:\n  stars: 5\neffort: high\n")

    ran = packyard("check", folder)

    assert ran.exit_code == 0
    assert ran.out.splitlines()[:3] == [
        "SKILL.md:2:1: name must be that of the skill's folder, which is pdf (a warning)",
        "SKILL.md:5:3: metadata.stars must be text; put it in quotes (a warning)",
        f"SKILL.md:6:1: effort is not a key of the specification; known are {KNOWN} (a warning)",
    ]
    fields = [warning["field"] for warning in packyard("check", "--json", folder).document["warnings"]]
    assert fields == ["SKILL.md:name", "SKILL.md:metadata.stars", "SKILL.md:effort"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# PDF\n", "SKILL.md: does not begin with frontmatter"),
        (f"{HEAD}license: a: b\n---\n", "SKILL.md:4:"),
        ("---\nname: pdf-tools\n---\n", "SKILL.md:2:1: description is required"),
    ],
)
def test_what_the_service_would_refuse_is_a_fault(
    packyard: Command, tmp_path: Path, text: str, fault: str
) -> None:
    folder = skill_folder(tmp_path / "pdf-tools")
    (folder / "SKILL.md").write_text(text)

    ran = packyard("check", folder)

    assert ran.exit_code == 3
    assert ran.out.startswith(fault)


def test_beside_a_pack_yaml_a_skill_has_no_place(packyard: Command, tmp_path: Path) -> None:
    folder = skill_folder(tmp_path / "pdf-tools", pack_yaml="name: pdf-tools\nversion: 1.0.0\n")

    ran = packyard("check", "--json", folder)

    assert {fault["field"] for fault in ran.document["faults"]} == {
        "archive:SKILL.md",
        "archive:assets",
        "archive:references",
    }


def test_an_excluded_pack_yaml_leaves_a_skill(packyard: Command, tmp_path: Path) -> None:
    folder = skill_folder(tmp_path / "pdf-tools", pack_yaml="name: pdf-tools\nversion: 1.0.0\n")

    assert packyard("check", "--exclude", "/pack.yaml", folder).exit_code == 0


def test_the_archive_of_a_skill_begins_with_its_skill_file(
    packyard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    unstated = packyard("pack", "--json", skill_folder(tmp_path / "pdf-tools")).document
    stated = packyard(
        "pack", "--json", skill_folder(tmp_path / "b" / "pdf-tools", "metadata: {version: 1.2.0}\n")
    )

    assert (unstated["archive"], "version" in unstated) == ("pdf-tools.tar.gz", False)
    assert (stated.document["archive"], stated.document["version"]) == ("pdf-tools-1.2.0.tar.gz", "1.2.0")

    with tarfile.open(tmp_path / "pdf-tools.tar.gz") as archive:
        assert archive.getnames() == ["SKILL.md", "assets/.env", "references/forms.md"]
