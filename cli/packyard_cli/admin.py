"""`packyard admin`: the operator's commands, which the package `packyard_admin` has. They need the extra `admin`."""

import argparse
from importlib import import_module
from typing import Final

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result

# What the extra installs, by the names that are imported (pyproject.toml).
_EXTRA: Final = frozenset({"boto3", "botocore", "ulid"})


def run(options: argparse.Namespace, context: Context) -> Result:
    """Run the command that `options.action` names.

    Raises:
        Failure: The extra is not installed, or the command failed.
    """
    try:
        entry = import_module("packyard_admin.entry")
    except ModuleNotFoundError as missing:
        if str(missing.name).partition(".")[0] not in _EXTRA:
            raise
        raise Failure(
            Exit.EXTRA_MISSING,
            "The operator's commands need the extra admin, which is not installed.",
            "Install it, in a clone: pipx install --force '.[admin]'.",
        ) from None
    result: Result = entry.run(options, context)
    return result
