"""Plays the tutorial: writes its files, runs its commands, and returns them with their real output."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.demo.placeholders import Placeholders
from local.demo.tutorial import PROMPT, Chapter, File, Ran, Session
from local.environments import PROJECT

_STATUS: Final = "echo $?"
# Runs `packyard` with arguments in the story's folder, and returns its exit code and all that it prints.
Packyard = Callable[[Sequence[str]], tuple[int, str]]


class StoryFailed(Exception):
    """A command ended otherwise than the tutorial says. The message has the command and what it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Plays chapters.

    Attributes:
        folder: The reader's folder.
        packyard: Runs the command.
        placeholders: Replaces what differs from run to run.
        show: Is told each line that a reader sees on the terminal.
    """

    folder: Path
    packyard: Packyard
    placeholders: Placeholders
    show: Callable[[str], None]

    def play(self, chapters: Sequence[Chapter]) -> list[Session]:
        """Return the sessions as they went.

        Raises:
            StoryFailed: A command failed, and the tutorial does not go on with its exit code.
        """
        sessions = []
        for chapter in chapters:
            self.show(f"\n## {chapter.title}\n")
            for step in chapter.steps:
                if isinstance(step, Session):
                    sessions.append(Session(tuple(self._run(step))))
                    continue
                self.show(f"# {step.path} is written")
                self._write(step)
        return sessions

    def _write(self, file: File) -> None:
        place = self.folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.text.encode())

    def _run(self, session: Session) -> Iterator[Ran]:
        exit_code, told = 0, ""
        for wanted in session.ran:
            self.show(f"{PROMPT}{wanted.command}")
            if wanted.command == _STATUS:
                output, exit_code = f"{exit_code}\n", 0
            else:
                _require(exit_code, told)
                exit_code, output = self.packyard(_arguments(wanted.command))
                told = f"{PROMPT}{wanted.command}\n{output}"
            for line in output.splitlines():
                self.show(line)
            yield Ran(wanted.command, tuple(map(self.placeholders.replaced, output.splitlines())))
        _require(exit_code, told)


def _require(exit_code: int, told: str) -> None:
    if exit_code:
        raise StoryFailed(f"exit code {exit_code}, without `{_STATUS}` after it:\n{told}")


def _arguments(command: str) -> Sequence[str]:
    program, *arguments = shlex.split(command)
    if program != "packyard":
        raise StoryFailed(f"the tutorial runs `{command}`, which is neither `packyard` nor `{_STATUS}`")
    return arguments


def own_process(folder: Path, environment: Mapping[str, str]) -> Packyard:
    """Return what runs the command as users do, in a process of its own.

    Args:
        folder: The reader's folder.
        environment: The variables that the command reads.
    """
    places = os.pathsep.join(str(PROJECT / place) for place in ("cli", "layers/packyard/python"))
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PACKYARD_")}

    def packyard(arguments: Sequence[str]) -> tuple[int, str]:
        finished = subprocess.run(
            [sys.executable, "-m", "packyard_cli", *arguments],
            check=False,
            cwd=folder,
            env={**kept, "PYTHONPATH": places, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return finished.returncode, finished.stdout

    return packyard
