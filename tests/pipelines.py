"""Runs the GitHub Action and the jobs of the GitLab component, as their runners do: every script as it is written.

Only what installs the command is left out: the command is this checkout's.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

PROJECT: Final = Path(__file__).parents[1]
ACTION: Final[dict[str, Any]] = yaml.safe_load((PROJECT / "integrations/github/action.yml").read_text())
_COMPONENT: Final = (PROJECT / "integrations/gitlab/templates/packyard/template.yml").read_text()
SPEC, JOBS = (dict[str, Any](part) for part in yaml.safe_load_all(_COMPONENT))
_EXPRESSION: Final = re.compile(r"\$\{\{ ([a-z_.-]+) \}\}")
_CONDITION: Final = re.compile(r"([a-z_.]+) (==|!=) '([a-z-]+)'")
_INPUT: Final = re.compile(r"\$\[\[ inputs\.([a-z-]+) \]\]")
_SECONDS: Final = 120


@dataclass(frozen=True)
class Ended:
    """How a pipeline ended.

    Attributes:
        exit_code: Of the first script that failed, or 0.
        log: What the scripts printed.
        outputs: What they left for others.
    """

    exit_code: int
    log: str
    outputs: dict[str, str]


def run_action(
    workspace: Path,
    inputs: Mapping[str, str],
    *,
    event: str,
    ref_type: str = "branch",
    steps: slice = slice(None),
    python: str = sys.executable,
) -> Ended:
    """Run the action in a workspace.

    Args:
        workspace: The folder of the repository. Files of the runner are written beside it.
        inputs: The inputs that a workflow gives.
        event: The event that started the workflow.
        ref_type: `branch` or `tag`.
        steps: Which steps to run.
        python: The Python that has the command.
    """
    values = {f"inputs.{name}": str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
    values |= {f"inputs.{name}": text for name, text in inputs.items()}
    values |= {"github.event_name": event, "github.ref_type": ref_type, "github.action_path": "unused"}
    files = {name: workspace.parent / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    exit_code, log = 0, ""
    for step in ACTION["runs"]["steps"][steps]:
        if step.get("id") == "install":
            values["steps.install.outputs.python"] = python
        elif exit_code == 0 and _holds(step.get("if"), values):
            for file in files.values():
                file.write_text("")
            environment = {name: _expand(text, values) for name, text in step["env"].items()}
            environment |= {name: str(file) for name, file in files.items()}
            exit_code, said = _bash(step["run"], workspace, environment)
            log += said
            for line in files["GITHUB_OUTPUT"].read_text().splitlines():
                name, _, text = line.partition("=")
                values[f"steps.{step['id']}.outputs.{name}"] = text
    outputs = {name: _expand(each["value"], values) for name, each in ACTION["outputs"].items()}
    return Ended(exit_code, log, outputs)


def run_job(name: str, project: Path, inputs: Mapping[str, str], variables: Mapping[str, str]) -> Ended:
    """Run a job of the component in a project.

    Args:
        name: The job.
        project: The folder of the repository. Programs are written beside it.
        inputs: The inputs that a pipeline gives.
        variables: The CI/CD variables of the project.
    """
    given = {name: each["default"] for name, each in SPEC["spec"]["inputs"].items() if "default" in each}
    given |= {"package": "https://packages.example/packyard.tar.gz", **inputs}
    for key, text in given.items():
        each = SPEC["spec"]["inputs"][key]
        assert re.search(each.get("regex", ""), text), f"GitLab refuses the input {key}"
        assert text in each.get("options", [text]), f"GitLab refuses the input {key}"
    programs = project.parent / "programs"
    programs.mkdir(exist_ok=True)
    for program, script in (("packyard", f'exec {sys.executable} -m packyard_cli "$@"'), ("python", "")):
        (programs / program).write_text(f"#!/bin/sh\n{script}\n")
        (programs / program).chmod(0o755)
    job = JOBS[name]
    environment = {
        key: _INPUT.sub(lambda found: given[found[1]], text) for key, text in job["variables"].items()
    }
    environment |= {**variables, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    exit_code, log = _bash("\n".join(job["script"]), project, environment)
    left = project / "packyard.env"
    lines = left.read_text().splitlines() if left.exists() else []
    return Ended(exit_code, log, {key: text for key, _, text in (line.partition("=") for line in lines)})


def _expand(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the values of its expressions. What has no value is empty, as GitHub has it."""
    return _EXPRESSION.sub(lambda found: values.get(found[1], ""), text)


def _holds(condition: str | None, values: Mapping[str, str]) -> bool:
    if condition is None:
        return True
    found = _CONDITION.fullmatch(condition)
    assert found is not None
    return (values.get(found[1], "") == found[3]) is (found[2] == "==")


def _bash(script: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a script with the options that both runners use, and return its exit code and what it printed."""
    ended = subprocess.run(  # noqa: S603 - scripts of ours
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
    )
    return ended.returncode, ended.stdout
