"""`packyard completion`: what a shell needs to complete commands and options."""

import argparse

import shtab

from packyard_cli.command_line import make_parser
from packyard_cli.context import Context
from packyard_cli.result import Result


def complete(options: argparse.Namespace, _: Context) -> Result:
    """Return the script of a shell."""
    script = shtab.complete(make_parser(), shell=options.shell)
    lines = script.splitlines()
    return Result(document={"shell": options.shell, "script": script}, lines=lines, essence=lines)
