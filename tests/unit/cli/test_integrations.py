"""The GitHub Action, the GitLab component and the pre-commit hook, without a service."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.command import pack_folder
from tests.pipelines import ACTION, JOBS, PROJECT, run_action, run_job

from packyard_cli.command_line import parse

SIGNED_IN = {"url": "https://acme.packyard.test/v1", "token": "sk_x"}
PLAN = slice(1)
REFERENCE = f"registry.test/packs/slack@sha256:{'0' * 64}"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A repository with a pack."""
    pack_folder(tmp_path / "repository" / "packs" / "slack")
    return tmp_path / "repository"


def test_no_input_becomes_part_of_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
    for job in JOBS.values():
        assert "$[[" not in "".join(job["script"])


@pytest.mark.parametrize(
    ("command", "event", "ref_type", "done"),
    [
        ("auto", "pull_request", "branch", "check"),
        ("auto", "push", "branch", "check"),
        ("auto", "workflow_dispatch", "branch", "check"),
        ("auto", "release", "tag", "push"),
        ("auto", "push", "tag", "push"),
        ("check", "release", "tag", "check"),
        ("dry-run", "pull_request", "branch", "dry-run"),
        ("push", "workflow_dispatch", "branch", "push"),
    ],
)
def test_the_event_says_what_the_action_does(
    workspace: Path, command: str, event: str, ref_type: str, done: str
) -> None:
    inputs = {"command": command, "folder": "packs/slack", **SIGNED_IN}

    ended = run_action(workspace, inputs, event=event, ref_type=ref_type, steps=PLAN)

    assert (ended.exit_code, ended.outputs["command"]) == (0, done), ended.log


def test_a_push_that_fails_has_the_exit_code_of_the_command_and_no_reference(workspace: Path) -> None:
    pack_folder(workspace / "packs" / "slack", version="1.4")

    ended = run_action(workspace, {"folder": "packs/slack", **SIGNED_IN}, event="release", ref_type="tag")

    assert (ended.exit_code, ended.outputs) == (3, {"command": "push", "reference": ""}), ended.log


@pytest.mark.parametrize(
    ("inputs", "words", "reference"),
    [
        ({"command": "push"}, "push ./packs/slack", REFERENCE),
        ({"command": "push", "visibility": "org"}, "push --visibility org ./packs/slack", REFERENCE),
        ({"command": "dry-run"}, "push --dry-run ./packs/slack", ""),
    ],
)
def test_what_the_command_gets_and_what_becomes_of_its_answer(
    workspace: Path, inputs: dict[str, str], words: str, reference: str
) -> None:
    stand_in = workspace.parent / "python"
    stand_in.write_text(f'#!/bin/sh\ntest "$1" = -c && exec echo token\necho "$@" >&2\necho {REFERENCE}\n')
    stand_in.chmod(0o755)

    ended = run_action(
        workspace,
        {"folder": "packs/slack", **SIGNED_IN, **inputs},
        event="pull_request",
        python=str(stand_in),
    )

    assert ended.log == f"::stop-commands::token\n-m packyard_cli {words}\n{REFERENCE}\n::token::\n"
    assert ended.outputs == {"command": inputs["command"], "reference": reference}


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"command": "delete"}, "The input command must be auto, check, dry-run or push."),
        ({"command": "push\ncommand=check", **SIGNED_IN}, "The input command must be"),
        ({"visibility": "public"}, "The input visibility must be org or community."),
        ({"folder": "packs/jira"}, "The input folder names no folder"),
        ({"folder": "$(touch made)`touch made`"}, "The input folder names no folder"),
        ({"command": "push", "token": "sk_x"}, "The input url is empty, and push needs it."),
        ({"command": "push", "url": "https://acme.packyard.test/v1"}, "The input token is empty"),
    ],
)
def test_an_input_that_the_action_does_not_take_is_named(
    workspace: Path, inputs: dict[str, str], said: str
) -> None:
    ended = run_action(workspace, {"folder": "packs/slack", **inputs}, event="pull_request", steps=PLAN)

    assert (ended.exit_code, ended.outputs["command"]) == (1, "")
    assert ended.log.startswith(f"::error title=Packyard::{said}")
    assert not (workspace / "made").exists()


def test_the_action_fails_for_a_pack_with_faults_and_lets_no_name_command_the_runner(workspace: Path) -> None:
    folder = workspace / "packs" / "$(touch made) x"
    pack_folder(folder, version="1.4")
    (folder / "::set-output name=reference::evil").write_text("")

    ended = run_action(workspace, {"folder": "packs/$(touch made) x"}, event="pull_request")

    assert ended.exit_code == 3
    first, *lines, last = ended.log.splitlines()
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"
    assert any(line.startswith("::set-output") for line in lines)
    assert any(line.startswith("pack.yaml:2:1: version must be") for line in lines)
    assert not (workspace / "made").exists()


@pytest.mark.parametrize(("version", "exit_code"), [("1.4.0", 0), ("1.4", 3)])
def test_the_gitlab_job_checks_a_pack(workspace: Path, version: str, exit_code: int) -> None:
    pack_folder(workspace / "packs" / "slack", version=version)

    ended = run_job("packyard-check", workspace, {"folder": "packs/slack"}, {})

    assert ended.exit_code == exit_code, ended.log


def test_the_gitlab_job_says_which_variable_is_missing(workspace: Path) -> None:
    ended = run_job("packyard-push", workspace, {"folder": "packs/slack"}, {"PACKYARD_TOKEN": "sk_x"})

    assert ended.exit_code != 0
    assert "Set the CI/CD variable PACKYARD_URL" in ended.log
    assert ended.outputs == {}


@pytest.mark.parametrize("folder", ["-x", "a b", "$HOME", "a;b", ""])
def test_gitlab_refuses_a_folder_that_a_shell_could_misread(workspace: Path, folder: str) -> None:
    with pytest.raises(AssertionError, match="GitLab refuses the input folder"):
        run_job("packyard-check", workspace, {"folder": folder}, {})


def test_the_hook_of_pre_commit_checks_a_folder() -> None:
    hooks: list[dict[str, Any]] = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())

    (hook,) = hooks
    program, *words = hook["entry"].split()
    assert (program, hook["language"], hook["pass_filenames"]) == ("packyard", "python", False)
    assert parse([*words, "packs/slack"]).handler == "checking:check"
