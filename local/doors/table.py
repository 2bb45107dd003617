"""The table of doors, clients, versions and what was verified, on the terminal and in `docs/doors.md`."""

from collections.abc import Sequence
from typing import Final

from local.doors.trial import Passed
from local.environments import PROJECT

DOCUMENT: Final = PROJECT / "docs" / "doors.md"
_BEGIN: Final = "<!-- `make doors ARGS=--write` writes this table -->"
_END: Final = "<!-- end of the table -->"
_HEAD: Final = ("door", "client", "version", "what it ran", "what was verified")


def table_of(rows: Sequence[Passed]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [_HEAD, ("---",) * len(_HEAD)]
    lines += [(f"`{row.door}`", row.client, row.version, row.ran, row.verified) for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def stated(document: str) -> str:
    """Return the table of a document."""
    return document.partition(_BEGIN)[2].partition(_END)[0].strip()


def written(document: str, table: str) -> str:
    """Return a document with the table in its place.

    Raises:
        ValueError: It has no place for one.
    """
    before, begin, rest = document.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{DOCUMENT.name} lacks the lines between which the table stands")
    return f"{before}{begin}\n\n{table}\n{end}{after}"
