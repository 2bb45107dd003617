"""`packyard diff`, `impact` and `deprecate` against the real handlers."""

from pathlib import Path

import pytest
from tests.command import Command, pack_folder
from tests.service import ACME, GLOBEX, PackArchive, Service

CAPABILITIES = "capabilities: [{{name: api, type: http, allow: [{{domains: [{}], methods: [GET]}}]}}]\n"


def manifest(version: str, more: str = "") -> str:
    return f"name: slack\nversion: {version}\n{more}"


@pytest.fixture
def slack(packyard: Command, tmp_path: Path) -> Path:
    """A folder whose pack has two revisions, of which the second may do more."""
    folder = pack_folder(tmp_path / "slack", version="1.0.0")
    assert packyard("push", "-q", folder).exit_code == 0
    wider = CAPABILITIES.format("a.test")
    pack_folder(folder, version="1.1.0", pack_yaml=manifest("1.1.0", wider), guides__new_md="# New\n")
    assert packyard("push", "-q", folder).exit_code == 0
    return folder


@pytest.mark.parametrize("revisions", [("1", "2"), ("1.0.0", "1.1.0"), ("1",), ("1.0.0",)])
def test_two_revisions_are_compared_by_their_numbers_or_versions(
    packyard: Command, slack: Path, revisions: tuple[str, ...]
) -> None:
    ran = packyard("diff", "slack", *revisions)

    assert ran.out.splitlines() == [
        "slack, revision 1 to 2",
        "~ version 1.0.0 to 1.1.0",
        "+ capability api: GET to a.test, every path",
        "+ guides/new.md (6 B)",
        "~ pack.yaml (27 B to 113 B)",
        "The least step of the version that fits: major.",
    ]
    assert slack.exists()


def test_the_answer_of_the_service_is_the_document(packyard: Command, slack: Path) -> None:
    document = packyard("diff", "slack", "2", "1", "--json").document

    assert (document["equal"], document["from"], document["to"], document["bump"]) == (False, 2, 1, "major")
    assert [file["path"] for file in document["files"]["removed"]] == ["guides/new.md"]
    assert packyard("diff", "slack", "2", "2").out.splitlines()[1:] == ["Nothing differs."]
    assert packyard("diff", "slack", "2", "2", "-q").out == ""
    assert slack.exists()


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("slack", "1", "9"), 6, "no revision 9"),
        (("slack", "1.0.0", "3.0.0"), 6, "packyard revisions slack lists"),
        (("slack", "1", "latest"), 2, "packyard revisions slack lists both"),
        (("none", "1", "2"), 6, "packyard list shows"),
    ],
)
def test_what_is_no_revision_is_said(
    packyard: Command, slack: Path, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    ran = packyard("diff", *words)

    assert ran.exit_code == exit_code
    assert said in ran.err
    assert slack.exists()


def test_two_folders_are_compared_with_their_manifests(packyard: Command, tmp_path: Path) -> None:
    old = pack_folder(tmp_path / "old", version="1.0.0")
    more = "category: chat\n" + CAPABILITIES.format("a.test")
    new = pack_folder(tmp_path / "new", pack_yaml=manifest("2.0.0", more))

    ran, document = packyard("diff", old, new), packyard("diff", old, new, "--json").document

    assert ran.out.splitlines() == [
        "~ version 1.0.0 to 2.0.0",
        "~ category",
        "+ capability api: GET to a.test, every path",
        "~ pack.yaml (27 B to 128 B)",
    ]
    assert (document["bump"], document["capabilities"]["widened"]) == ("major", True)


def test_folders_that_are_no_packs_are_compared_by_their_files(packyard: Command, tmp_path: Path) -> None:
    old, new = pack_folder(tmp_path / "1"), pack_folder(tmp_path / "2", pack_yaml="name: [\n")

    document = packyard("diff", old, new, "--json").document

    assert [file["path"] for file in document["files"]["changed"]] == ["pack.yaml"]
    assert not {"bump", "capabilities"} & document.keys()


def test_a_folder_beside_the_pack_that_stands_says_which_step_fits(packyard: Command, slack: Path) -> None:
    (slack / "guides" / "new.md").write_text("# Newer\n")

    assert packyard("diff", slack, "--json").document["bump"] == "patch"


# -- impact -------------------------------------------------------------------------------------------------------


def test_roles_that_use_a_pack_are_listed_and_others_counted(
    packyard: Command, slack: Path, service: Service
) -> None:
    pack = packyard("show", "slack", "--json").document["id"]
    service.pin("old", [{"id": pack, "revision": 1}], ACME)
    service.pin("new", [{"id": pack, "follow": True}], ACME)
    service.update(pack, "community")
    service.set_role("theirs", [pack], GLOBEX)

    ran = packyard("impact", "slack")

    assert [line.split() for line in ran.out.splitlines()[:-1]] == [
        ["ROLE", "REVISION", "FOLLOWS", "STALE"],
        ["new", "2", "yes", "no"],
        ["old", "1", "no", "yes"],
    ]
    assert ran.out.splitlines()[-1] == "1 role of other organisations."
    assert packyard("impact", "slack", "-q").out == "new\nold\n"
    assert slack.exists()


def test_roles_at_the_image_of_a_revision_are_listed(
    packyard: Command, slack: Path, service: Service
) -> None:
    pack = packyard("show", "slack", "--json").document["id"]
    service.pin("old", [{"id": pack, "revision": 1}], ACME)
    service.pin("new", [{"id": pack}], ACME)
    service.update(pack, "community")
    service.pin("shared", [{"id": pack}], ACME)

    by_number = packyard("impact", "slack", "3", "--json").document
    by_version = packyard("impact", "slack", "1.0.0", "--json").document

    # Revision 3 has another visibility, and the image of revision 2.
    assert [role["role_id"] for role in by_number["roles"]] == ["new", "shared"]
    assert (by_version["revision"], [role["role_id"] for role in by_version["roles"]]) == (1, ["old"])
    assert slack.exists()


def test_of_another_organisations_pack_only_own_roles_are_told(packyard: Command, service: Service) -> None:
    theirs = service.upload(PackArchive(name="jira").build(), GLOBEX, visibility="community").body["id"]
    service.set_role("theirs", [theirs], GLOBEX)

    assert packyard("impact", "jira").out == "No role of your organisation.\n"
    service.set_role("mine", [theirs], ACME)
    assert packyard("impact", "jira", "1.4.0", "--json").document == {
        "pack_id": theirs,
        "revision": 1,
        "roles": [{"role_id": "mine", "revision": 1, "follow": False, "stale": False}],
    }


# -- deprecate ----------------------------------------------------------------------------------------------------


def test_a_pack_is_deprecated_shown_as_such_and_not_any_more(
    packyard: Command, slack: Path, service: Service
) -> None:
    chat = service.upload(PackArchive(name="chat").build()).body["id"]

    said = packyard("deprecate", "slack", "Use chat instead.", "--replacement", "chat")

    told = ["  deprecated    Use chat instead.", f"  instead       {chat}"]
    assert said.out.splitlines() == ["slack 1.1.0", *told]
    assert packyard("show", "slack").out.splitlines()[:3] == ["slack 1.1.0", *told]
    assert [line.endswith("(deprecated)") for line in packyard("list").out.splitlines()[1:]] == [False, True]
    assert packyard("deprecate", "slack", "--undo").out.splitlines()[1:] == ["slack is not deprecated."]
    assert "deprecated" not in packyard("show", "slack", "--json").document
    assert slack.exists()


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        ((), 2),
        (("Gone.", "--undo"), 2),
        (("--undo", "--replacement", "chat"), 2),
        (("Gone.", "--replacement", "none"), 6),
        (("Gone.", "--replacement", "slack"), 3),
        (("two\nlines",), 3),
    ],
)
def test_a_deprecation_that_says_nothing_right_is_refused(
    packyard: Command, slack: Path, words: tuple[str, ...], exit_code: int
) -> None:
    assert packyard("deprecate", "slack", *words).exit_code == exit_code
    assert "deprecated" not in packyard("show", "slack", "--json").document
    assert slack.exists()
