from pathlib import Path

from tests.command import Command

HEAD = "---\nname: pdf-tools\ndescription: Work with PDF files.\n"


def written(folder: Path, more: str = "", body: str = "# PDF\n") -> Path:
    (folder / "references").mkdir(parents=True, exist_ok=True)
    (folder / "references" / "forms.md").write_text("# Forms\n")
    (folder / "SKILL.md").write_text(f"{HEAD}{more}---\n{body}")
    return folder


def version(packyard: Command) -> str:
    return str(packyard("show", "--json", "pdf-tools").document["version"])


def test_a_skill_gets_its_version_from_the_command_or_the_next_patch(
    packyard: Command, tmp_path: Path
) -> None:
    folder = written(tmp_path / "pdf-tools", "effort: high\n")

    first = packyard("push", folder)
    unchanged = packyard("push", "--json", folder).document
    written(folder, body="# Other\n")
    difference = packyard("diff", folder)
    packyard("push", folder)
    patched = version(packyard)
    named = packyard("push", "--json", "--version", "1.0.0", folder).document

    assert first.exit_code == 0, first.err
    assert first.err.splitlines()[0] == "pdf-tools 0.1.0 is a new pack of your organisation."
    assert "! SKILL.md:effort is not a key of the specification" in first.err
    assert not unchanged["changed"]
    assert difference.out.splitlines() == ["~ SKILL.md (77 B to 66 B)"]
    assert patched == "0.1.1"
    assert (named["changed"], version(packyard)) == (True, "1.0.0")


def test_a_version_that_is_none_or_that_the_pack_states_is_refused(packyard: Command, tmp_path: Path) -> None:
    folder = written(tmp_path / "pdf-tools")
    (tmp_path / "slack").mkdir()
    (tmp_path / "slack" / "pack.yaml").write_text("name: slack\nversion: 1.4.0\n")

    unfit = packyard("push", "--version", "1.0", folder)
    stated = packyard("push", "--version", "2.0.0", tmp_path / "slack")

    assert (unfit.exit_code, "write 1.0.0" in unfit.err) == (2, True)
    assert (stated.exit_code, "must be 1.4.0, which pack.yaml states" in stated.err) == (3, True)
    assert packyard.gateway.paths("POST") == []


def test_a_dry_run_of_a_skill_says_the_version_that_would_come(packyard: Command, tmp_path: Path) -> None:
    outcome = packyard("push", "--json", "--dry-run", "--version", "2.0.0", written(tmp_path / "pdf-tools"))

    assert outcome.document["pack"]["version"] == "2.0.0"
