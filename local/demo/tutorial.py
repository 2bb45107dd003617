"""The tutorial as a story: what its reader writes and runs, and what the command answers.

Two kinds of fenced blocks are played, in their order. All else is prose.

- A block whose info string is a language and a path, such as `yaml team-guide/pack.yaml`, is a file to write.
- A block `console` has commands after `$ `, each with its output below it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

PROMPT: Final = "$ "
_FENCE: Final = re.compile(
    r"^```(?P<info>[^\n`]+)\n(?P<body>.*?)^```$|^## (?P<heading>[^\n]+)$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class File:
    """A file that the reader writes.

    Attributes:
        path: Below the reader's folder.
        text: Its content.
    """

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Ran:
    """A command with its output.

    Attributes:
        command: As it is typed.
        output: Its lines.
    """

    command: str
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A block of commands.

    Attributes:
        ran: The commands.
    """

    ran: tuple[Ran, ...]

    def text(self) -> str:
        """Return the block's body."""
        lines = (line for ran in self.ran for line in (f"{PROMPT}{ran.command}", *ran.output))
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Chapter:
    """What is played of one section.

    Attributes:
        title: Its heading.
        steps: Files and sessions.
    """

    title: str
    steps: tuple[File | Session, ...]


def chapters(markdown: str) -> tuple[Chapter, ...]:
    """Return the sections of the tutorial in which something is played."""
    found: list[tuple[str, list[File | Session]]] = [("", [])]
    for match in _FENCE.finditer(markdown):
        if match["heading"]:
            found.append((match["heading"], []))
            continue
        step = _step(match["info"], match["body"])
        if step is not None:
            found[-1][1].append(step)
    return tuple(Chapter(title, tuple(steps)) for title, steps in found if steps)


def with_sessions(markdown: str, sessions: Iterable[Session]) -> str:
    """Return the tutorial with the sessions given instead of its own, in their order."""
    remaining = iter(sessions)

    def replaced(match: re.Match[str]) -> str:
        if match["heading"] or not isinstance(_step(match["info"], match["body"]), Session):
            return match[0]
        return f"```{match['info']}\n{next(remaining).text()}```"

    return _FENCE.sub(replaced, markdown)


def _step(info: str, body: str) -> File | Session | None:
    match info.split():
        case ["console"]:
            return Session(tuple(_ran(body.splitlines())))
        case [_, path]:
            return File(path, body)
    return None


def _ran(lines: Sequence[str]) -> Iterator[Ran]:
    starts = [number for number, line in enumerate(lines) if line.startswith(PROMPT)]
    ends: Mapping[int, int] = dict(zip(starts, [*starts[1:], len(lines)], strict=True))
    for start, end in ends.items():
        yield Ran(lines[start].removeprefix(PROMPT), tuple(lines[start + 1 : end]))
