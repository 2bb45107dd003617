import os
from pathlib import Path

import pytest
from tests.command import Command, pack_folder

ROOT = "pack.yaml, behavior.md, README.md, LICENSE, guides/, scripts/, data/, templates/, skills/"
HOST_NAME = "must be a host name such as slack.com or *.slack.com"


def test_a_new_skeleton_is_a_valid_pack(packyard: Command, tmp_path: Path) -> None:
    folder = tmp_path / "My Pack"

    begun = packyard("init", folder)
    checked = packyard("check", folder)

    assert (begun.exit_code, checked.exit_code) == (0, 0)
    assert begun.out.startswith("Made the pack my-pack in ")
    assert checked.out == "The pack is valid: 2 files, 352 B.\n"


def test_a_skeleton_overwrites_nothing(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    before = (folder / "pack.yaml").read_bytes()

    ran = packyard("init", folder)

    assert ran.exit_code == 7
    assert "is there already" in ran.err
    assert (folder / "pack.yaml").read_bytes() == before


def test_every_fault_is_named_with_its_line_and_what_helps(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "pack.yaml").write_text(
        "name: Slack\n"
        "version: 1.4\n"
        "capabilities:\n"
        "  - name: slack-api\n"
        "    type: http\n"
        "    allow:\n"
        "      - domains: ['https://slack.com/x']\n"
        "        methods: [GET]\n"
        "licence: MIT\n"
    )
    (folder / "docs").mkdir()
    (folder / "docs" / "a.md").write_text("a")
    (folder / "guides" / "link.md").symlink_to("post.md")

    ran = packyard("check", folder)

    assert ran.exit_code == 3
    assert ran.out.splitlines() == [
        f"docs: is not one of {ROOT}; rename it to guides/",
        "guides/link.md: is a symbolic link, which a pack cannot hold; put a copy of the file or folder in its place",
        "pack.yaml:1:1: name must be lower-case letters and digits, joined by single hyphens, such as slack",
        "pack.yaml:2:1: version must be three numbers joined by dots: write 1.4.0 (SemVer 2.0.0)",
        f"pack.yaml:7:19: capabilities[0].allow[0].domains[0] {HOST_NAME}; write slack.com",
        "pack.yaml:9:1: licence is not a known key; put it into the file LICENSE",
        "6 faults: the service would refuse this pack.",
    ]


def test_what_is_no_yaml_is_named_with_line_and_column(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "pack.yaml").write_text("name: slack\nversion: 1.4.0\ndescription: a: b\n")

    ran = packyard("check", "--json", folder)

    assert ran.exit_code == 3
    assert ran.document["faults"] == [
        {
            "path": "pack.yaml",
            "line": 3,
            "column": 15,
            "field": "pack.yaml",
            "message": "a second colon in one value; put the value in quotes",
        }
    ]


def test_a_missing_key_is_named_at_the_start(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "pack.yaml").write_text("name: slack\n")

    assert packyard("check", folder).out.startswith(
        "pack.yaml:1:1: version is required, as in version: 1.4.0\n"
    )


def test_a_folder_without_a_manifest_is_told_how_to_get_one(packyard: Command, tmp_path: Path) -> None:
    ran = packyard("check", tmp_path)

    assert ran.exit_code == 3
    assert ran.out.startswith("pack.yaml: is required at the root of the pack; packyard init makes one\n")


def test_a_folder_that_is_not_there_is_wrong_usage(packyard: Command, tmp_path: Path) -> None:
    assert packyard("check", tmp_path / "nowhere").exit_code == 2


def test_version_control_and_what_the_author_excludes_is_left_out(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack", guides__draft_md="x", data__big_csv="x")
    for name in (".git/config", "node_modules/a.js", ".DS_Store", "guides/Thumbs.db"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    (folder / ".packyardignore").write_text("# not for others\nnode_modules/\nguides/draft*\n")

    ran = packyard("check", "--json", "--exclude", "*.csv", folder)

    assert (ran.exit_code, ran.document["files"], ran.document["left_out"]) == (0, 2, 7)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("guides/CON.md", "CON.md is a name that Windows reserves"),
        ("guides/com1", "com1 is a name that Windows reserves"),
        ("data/what?.csv", "what?.csv holds ?"),
        ("data/end.", "'end.' ends in a dot"),
    ],
)
def test_names_that_windows_cannot_hold_are_warned_of(
    packyard: Command, tmp_path: Path, name: str, said: str
) -> None:
    folder = pack_folder(tmp_path / "pack", data__a_md="a")
    (folder / name).write_text("x")

    ran = packyard("check", folder)

    assert ran.exit_code == 0
    assert said in ran.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"guides/\xff.md", "the path is not UTF-8"),
        (b"guides/a\nb.md", "the path holds a control character"),
        (b"guides/.wh.a", "mean deletion in an image layer"),
        (b"guides/a\\b.md", "the path holds a backslash"),
    ],
)
def test_a_name_that_the_service_refuses_is_refused_here(
    packyard: Command, tmp_path: Path, name: bytes, said: str
) -> None:
    folder = pack_folder(tmp_path / "pack")
    Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")

    ran = packyard("check", folder)

    assert ran.exit_code == 3
    assert said in ran.out


def test_two_spellings_of_one_name_are_refused(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack")
    for name in ("e\u0301.md", "\u00e9.md"):
        (folder / "guides" / name).write_text("x")

    assert "another Unicode spelling" in packyard("check", folder).out


def test_on_windows_a_file_is_executable_if_it_begins_as_a_script(packyard: Command, tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack", scripts__run_sh="#!/bin/sh\n", scripts__lib_sh="x=1\n")
    packyard.windows = True

    ran = packyard("pack", "-o", tmp_path / "a.tar.gz", folder)

    assert ran.exit_code == 0
