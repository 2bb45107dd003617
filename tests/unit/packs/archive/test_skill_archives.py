"""Archives of Agent Skills: a `SKILL.md` at the root, and any names beside it (API contract, section 12)."""

import pytest
from tests.corpus.accept_cases import MANIFEST, PACK, packed
from tests.corpus.reading import DEFAULT_LIMITS, read
from tests.corpus.skills import HEAD
from tests.corpus.tar_bytes import directory, file, link

from packyard.errors import InvalidRequest
from packyard.packs.archive.limits import ArchiveLimits

SKILL = HEAD + b"---\n# PDF tools\n"


def refused(*members: bytes, limits: ArchiveLimits = DEFAULT_LIMITS) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refusal:
        read(packed(*members), limits=limits)
    return refusal.value.fields


@pytest.mark.parametrize("wrapper", ["", "pdf-tools/"])
def test_any_names_may_be_beside_a_skill(wrapper: str) -> None:
    paths = [
        "references/a.md",
        "assets/.env",
        "LICENSE.txt",
        "Dockerfile",
        "src/a.py",
        "archive.zip",
        ".hidden/x",
    ]

    contents = read(
        packed(*(file(wrapper + path, b"x") for path in paths), file(f"{wrapper}SKILL.md", SKILL))
    )

    assert [found.path for found in contents.files] == sorted([*paths, "SKILL.md"])
    assert {found.path: found.content for found in contents.files}["SKILL.md"] == SKILL
    assert (contents.manifest.file, contents.manifest.name, contents.manifest.warnings) == (
        "SKILL.md",
        "pdf-tools",
        (),
    )


def test_what_archivers_add_is_dropped_from_a_skill_too() -> None:
    contents = read(packed(file("SKILL.md", SKILL), file("._SKILL.md", b"x"), file(".DS_Store", b"x")))

    assert [found.path for found in contents.files] == ["SKILL.md"]


def test_a_skill_in_a_folder_of_another_name_is_warned_of() -> None:
    contents = read(packed(file("pdf/SKILL.md", SKILL)))

    assert contents.manifest.warnings == ("SKILL.md:name must be that of the skill's folder, which is pdf",)


def test_a_folder_with_both_files_is_a_pack_in_which_the_skill_has_no_place() -> None:
    fields = refused(PACK, file("SKILL.md", SKILL), file("references/a.md", b"x"))

    assert fields.keys() == {"archive:SKILL.md", "archive:references"}
    assert "move it into skills/NAME/" in fields["archive:SKILL.md"]


def test_a_pack_may_hold_skills_as_free_as_that() -> None:
    contents = read(
        packed(
            PACK,
            file("skills/pdf-tools/SKILL.md", b"not even frontmatter"),
            file("skills/pdf-tools/assets/x", b""),
            directory("skills/pdf-tools/empty/"),
        )
    )

    assert contents.manifest.file == "pack.yaml"
    assert "skills/pdf-tools/empty" in contents.directories


def test_a_skill_that_is_a_hard_link_is_read() -> None:
    contents = read(packed(file("a.md", SKILL), link("SKILL.md", "a.md")))

    assert contents.manifest.name == "pdf-tools"


def test_the_faults_of_a_skill_and_of_its_members_come_together() -> None:
    fields = refused(file("SKILL.md", b"# no frontmatter\n"), file("a/../b", b""), file("notes.txt", b""))

    assert fields.keys() == {"SKILL.md", "archive:a/../b"}


def test_two_skills_beside_each_other_are_no_skill() -> None:
    reason = refused(file("a/SKILL.md", SKILL), file("b/SKILL.md", SKILL))["pack.yaml"]

    assert "there is one in a/ and b/" in reason


def test_a_name_in_small_letters_is_no_skill() -> None:
    assert "rename skill.md to SKILL.md" in refused(file("skill.md", SKILL))["pack.yaml"]


def test_only_the_frontmatter_of_a_long_skill_is_limited() -> None:
    limits = ArchiveLimits(manifest_bytes=len(HEAD) + 4)

    contents = read(packed(file("SKILL.md", SKILL + b"x" * 100_000)), limits=limits)

    assert contents.files[0].size == len(SKILL) + 100_000
    assert refused(file("SKILL.md", SKILL), limits=ArchiveLimits(manifest_bytes=len(HEAD))).keys() == {
        "SKILL.md"
    }
    assert refused(file("pack.yaml", MANIFEST + b"#" * 200), limits=limits).keys() == {"pack.yaml"}
