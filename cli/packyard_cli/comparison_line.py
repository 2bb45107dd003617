"""The command line of what compares packs and says who uses them; see `command_line`."""

import argparse
from typing import Any, Protocol


class Commands(Protocol):
    """What commands are added to."""

    def add(self, name: str, handler: str, text: str, **defaults: Any) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""
        ...


def add_comparison(commands: Commands) -> None:
    """Add the commands."""
    diff = commands.add(
        "diff",
        "diffing:diff",
        "compare a folder with the pack that stands (diff [FOLDER]), two folders (diff FOLDER FOLDER), or two "
        "revisions of a pack (diff PACK FROM [TO], by their numbers or versions)",
    )
    diff.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER|PACK", help="a folder (here), or a pack"
    )
    diff.add_argument(
        "other", nargs="?", metavar="FOLDER|FROM", help="another folder; or a revision of the pack"
    )
    diff.add_argument("to", nargs="?", metavar="TO", help="another revision of the pack (the present one)")
    diff.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="leave out of a folder (repeatable)"
    )
    diff.add_argument("--pack", metavar="PACK", help="what a folder is compared with (the pack of its name)")
    impact = commands.add(
        "impact", "impact:impact", "list the roles that use a pack, and which of them are stale"
    )
    impact.add_argument("pack", metavar="PACK", help="its id, or its name")
    impact.add_argument(
        "revision",
        nargs="?",
        metavar="REVISION",
        help="only roles at this revision, by its number or version",
    )
    deprecate = commands.add(
        "deprecate",
        "deprecating:deprecate",
        "say in every answer with a pack that it should not be used any more",
    )
    deprecate.add_argument("pack", metavar="PACK", help="its id, or its name")
    deprecate.add_argument(
        "message", nargs="?", metavar="MESSAGE", help="one line: why, and what to do instead"
    )
    deprecate.add_argument("--replacement", metavar="PACK", help="the pack to use instead")
    deprecate.add_argument("--undo", action="store_true", help="say nothing any more")
