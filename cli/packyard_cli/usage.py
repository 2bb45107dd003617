"""The command about what the organisation uses (API contract, section 9)."""

import argparse
from typing import Any

from packyard_cli.context import Context
from packyard_cli.result import Result, table


def usage(_: argparse.Namespace, context: Context) -> Result:
    """Show what the organisation uses, and of what."""
    used = context.service().call("GET", "/usage").body
    return Result(
        document=used,
        lines=table(
            [_row(name, each) for name, each in used.items()], heading=("WHAT", "USED", "LIMIT", "RESETS")
        ),
        essence=[f"{name} {each['used']}" for name, each in used.items()],
    )


def _row(name: str, used: dict[str, Any]) -> list[str]:
    return [name, str(used["used"]), str(used.get("limit", "unlimited")), used.get("resets_at", "")]
