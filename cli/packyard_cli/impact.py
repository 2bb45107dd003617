"""`packyard impact`: who uses a pack, and so whom a change of it concerns."""

import argparse
from typing import Any

from packyard_cli.context import Context
from packyard_cli.result import Result, counted, table
from packyard_cli.revisions import history_of, revision_number, revision_view
from packyard_cli.service import Service
from packyard_cli.standing import StandingPack, find_pack

_HEADING = ("ROLE", "REVISION", "FOLLOWS", "STALE")


def impact(options: argparse.Namespace, context: Context) -> Result:
    """List the roles of the organisation that use a pack: all, or those at the image of one revision.

    Raises:
        Failure: There is no such pack or revision.
    """
    service = context.service()
    pack = find_pack(service, options.pack)
    number = None if options.revision is None else revision_number(service, pack, options.revision)
    concerned = None if number is None else _same_image(service, pack, number)
    path = f"{pack.path}/references"
    others = service.get(path, query={"limit": "1"}).body.get("others")
    roles = [
        role
        for role in service.pages(path, "roles", query={"limit": "100"})
        if concerned is None or role["revision"] in concerned
    ]
    rows = [
        [str(role["role_id"]), str(role["revision"]), _yes(role["follow"]), _yes(role["stale"])]
        for role in roles
    ]
    document: dict[str, Any] = {"pack_id": pack.id, "roles": roles}
    document |= {} if number is None else {"revision": number}
    document |= {} if others is None else {"others": others}
    return Result(
        document=document,
        lines=[
            *(table(rows, heading=_HEADING) or ["No role of your organisation."]),
            *_others(others, number),
        ],
        essence=[row[0] for row in rows],
    )


def _same_image(service: Service, pack: StandingPack, number: int) -> set[int]:
    """Return the revisions that have the image of one of them; of another organisation's pack, that one alone."""
    digest = revision_view(service, pack, number)["image_digest"]
    if not pack.view["owned"]:
        return {number}
    return {int(entry["revision"]) for entry in history_of(service, pack) if entry["image_digest"] == digest}


def _others(others: int | None, number: int | None) -> list[str]:
    if not others:
        return []
    where = "" if number is None else ", at whichever revisions"
    return [f"{counted(others, 'role')} of other organisations{where}."]


def _yes(value: object) -> str:
    return "yes" if value else "no"
