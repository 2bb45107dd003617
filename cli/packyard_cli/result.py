"""What a command answers, before anybody knows whether a person or a program reads it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from packyard_cli.failure import Exit


class Result(NamedTuple):
    """The answer of one command.

    Attributes:
        document: What `--json` prints. Its shape is stable: fields may be added, and none changes its meaning. None for
            nothing, after lines that have been printed already.
        lines: What a person reads.
        essence: The lines that `--quiet` prints.
        content: Bytes to print instead of lines, without `--json`.
        exit_code: Other than 0 when the answer itself is bad news, such as a fault that was found.
    """

    document: Any
    lines: Sequence[str] = ()
    essence: Sequence[str] = ()
    content: bytes | None = None
    exit_code: Exit = Exit.DONE


def table(rows: Sequence[Sequence[str]], *, heading: Sequence[str]) -> list[str]:
    """Return rows as aligned columns below a heading; nothing where there are no rows."""
    if not rows:
        return []
    everything = [heading, *rows]
    widths = [max(len(row[column]) for row in everything) for column in range(len(heading))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in everything
    ]


def counted(count: int, singular: str) -> str:
    """Return a number of things in words, such as `1 file` and `2 files`."""
    return f"{count} {singular}" if count == 1 else f"{count} {singular}s"


def size_text(count: int) -> str:
    """Return a number of bytes as people read it."""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:  # noqa: PLR2004 - the step between units
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
