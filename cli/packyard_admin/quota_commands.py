"""Commands about what organisations use and may use."""

import argparse
import re
from typing import Any, Final

from packyard.packs.usage import UNLIMITED, Quota
from packyard_admin.admin import Admin
from packyard_admin.operator import operator
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result, table

_NUMBER: Final = re.compile(r"([0-9]{1,15})(KiB|MiB|GiB|TiB)?")
_UNITS: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DEFAULT: Final = "default"
_UNLIMITED: Final = "unlimited"


def show_quotas(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Show what an organisation uses and may use, and which limits are its own."""
    usage, own = admin.quotas.read(options.org)
    document: dict[str, Any] = {}
    rows = []
    for quota in Quota:
        limit = usage.limits.of(quota)
        whose = _DEFAULT if own.of(quota) is None else "own"
        document[quota.value] = {"used": usage.of(quota), "limit": limit, "set": whose}
        rows.append([quota.value, str(usage.of(quota)), _UNLIMITED if limit is None else str(limit), whose])
    return Result(
        document=document,
        lines=table(rows, heading=("WHAT", "USED", "LIMIT", "SET")),
        essence=[f"{row[0]} {row[1]} {row[2]}" for row in rows],
    )


def set_quotas(admin: Admin, options: argparse.Namespace, context: Context) -> Result:
    """Set what an organisation may use."""
    given = {quota: getattr(options, quota.value) for quota in Quota}
    limits = {quota: _limit(quota, text) for quota, text in given.items() if text is not None}
    if not limits:
        raise Failure(Exit.USAGE, "The command names no limit.", "Name one, as in --packs 100.")
    admin.quotas.set_limits(options.org, limits, by=operator(options.by))
    return show_quotas(admin, options, context)


def recount(admin: Admin, options: argparse.Namespace, _: Context) -> Result:
    """Count what is stored for each pack of an organisation anew."""
    counts = dict(admin.quotas.recount(options.org))
    changed = {pack_id: count for pack_id, count in counts.items() if count.before != count.stored_bytes}
    return Result(
        document={
            "counted": len(counts),
            "corrected": [
                {"pack_id": pack_id, "before": count.before, "stored_bytes": count.stored_bytes}
                for pack_id, count in changed.items()
            ],
        },
        lines=[
            *(
                f"{pack_id}: {'not counted' if count.before is None else count.before} -> {count.stored_bytes} bytes"
                for pack_id, count in changed.items()
            ),
            f"{len(counts)} packs are counted; {len(changed)} were corrected.",
        ],
        essence=list(changed),
    )


def _limit(quota: Quota, text: str) -> int | None:
    """Return the limit that an option states; None for the deployment's default.

    Raises:
        Failure: It states none.
    """
    if text == _DEFAULT:
        return None
    if text == _UNLIMITED:
        return UNLIMITED
    number = _NUMBER.fullmatch(text)
    unit = number[2] if number else None
    limit = int(number[1]) * _UNITS.get(unit or "", 1) if number else -1
    least = 1 if quota is Quota.BUILDS_AT_ONCE else 0
    if not least <= limit < UNLIMITED or (unit and quota is not Quota.STORED_BYTES):
        option = "--" + quota.value.replace("_", "-")
        units = ", with or without KiB, MiB, GiB or TiB" if quota is Quota.STORED_BYTES else ""
        raise Failure(
            Exit.USAGE,
            f"{option} {text!r} is not a whole number from {least} on{units}.",
            "Write a number, unlimited, or default for the deployment's own.",
        )
    return limit
