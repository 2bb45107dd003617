"""The tutorial goes as it says, on the deployed stack: each command, its output and its exit code."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from local.demo.story import TUTORIAL, played, surroundings
from local.stack import StackDescription

from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer


def test_the_tutorial_goes_as_it_says(
    stack: StackDescription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    environment = surroundings(stack, tmp_path)

    def packyard(arguments: Sequence[str]) -> tuple[int, str]:
        printed = io.StringIO()
        context = Context(
            environment=environment, printer=Printer(out=printed, err=printed), stdin=io.StringIO()
        )
        return run(arguments, context), printed.getvalue()

    now = played(stack, folder, packyard, show=lambda _: None)

    # Where it differs for a good reason: `make demo ARGS=--write`.
    assert now == TUTORIAL.read_text(encoding="utf-8")
