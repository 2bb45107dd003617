"""The parser of the command line: argparse, with failures for complaints and help as wide as the terminal."""

import argparse
import os
import re
from functools import cache
from typing import Any, Final, NoReturn

from packyard_cli.failure import Exit, Failure

_COLUMNS: Final = 80
_INVALID_CHOICE: Final = re.compile(r"invalid choice: '([^']*)'.*\(choose from (.*)\)")


class _Help(argparse.HelpFormatter):
    """Help as wide as the terminal.

    argparse makes a formatter for each argument that is added, and each would import shutil to ask for the width.
    """

    def __init__(self, prog: str, **more: Any) -> None:
        super().__init__(prog, **{"width": _width(), **more})


@cache
def _width() -> int:
    """Return the columns of the terminal, less the margin that argparse leaves."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return int(columns) - 2
    try:
        return (os.get_terminal_size(1).columns or _COLUMNS) - 2
    except OSError:
        return _COLUMNS - 2


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are failures, like all others."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": _Help, **settings})

    def error(self, message: str) -> NoReturn:
        """Raise a complaint of argparse as a failure, with what was most likely meant.

        Raises:
            Failure: Always.
        """
        wrong = _INVALID_CHOICE.search(message)
        if wrong is not None:
            from packyard.text.suggestion import closest  # noqa: PLC0415 - only for mistakes

            near = closest(wrong[1], words(self))
            choices = wrong[2].replace("'", "")
            message = (
                f"there is no {wrong[1]!r}; {f'did you mean {near}?' if near else f'there are {choices}'}"
            )
        ended = message if message.endswith("?") else f"{message}."
        raise Failure(Exit.USAGE, f"{ended[:1].upper()}{ended[1:]}", f"See {self.prog} --help.")


def words(parser: argparse.ArgumentParser) -> list[str]:
    """Return the words that an argument of a parser may be, such as the names of its commands."""
    actions = parser._actions  # noqa: SLF001 - no public way to list them
    return [str(choice) for action in actions for choice in (action.choices or ())]
