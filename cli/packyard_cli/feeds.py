"""Commands about feeds (API contract, section 12)."""

import argparse
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from packyard.packs.pack import is_pack_id
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.feed_commands import door_commands
from packyard_cli.packs import confirm
from packyard_cli.result import Result, counted, table
from packyard_cli.service import JsonBody, segment
from packyard_cli.standing import find_pack

_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LIFETIME: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])", re.ASCII)


def list_feeds(_: argparse.Namespace, context: Context) -> Result:
    """List the organisation's feeds."""
    feeds = list(context.service().pages("/feeds", "feeds"))
    return Result(
        document={"feeds": feeds},
        lines=table([_row(feed) for feed in feeds], heading=("LABEL", "SERVES", "MADE", "ENDS", "ID"))
        or ["No feeds."],
        essence=[feed["id"] for feed in feeds],
    )


def create(options: argparse.Namespace, context: Context) -> Result:
    """Make a feed, and print its address, which is shown this once, with what to type for each client.

    Raises:
        Failure: The options name neither a role nor packs, or both, or no time; or the service refused.
    """
    if (options.role is None) == (not options.packs):
        raise Failure(
            Exit.USAGE,
            "A feed serves either a role or packs.",
            "Write packyard feeds create --role ROLE, or packyard feeds create PACK…",
        )
    service = context.service()
    asked: dict[str, Any] = {"role_id": options.role}
    if options.packs:
        asked = {
            "pack_ids": [text if is_pack_id(text) else find_pack(service, text).id for text in options.packs]
        }
    if options.label is not None:
        asked["label"] = options.label
    if options.expires_in is not None:
        asked["expires_in"] = _seconds(options.expires_in)
    feed = service.call("POST", "/feeds", body=JsonBody.of(asked)).body
    if not str(feed["url"]).startswith("https://"):
        # The gateway of a local stack does not know its own address. It is where this command has just reached it.
        secret = feed["url"].rstrip("/").rpartition("/")[2]
        feed = {**feed, "url": f"{service.url(f'/f/{segment(secret)}')}/"}
    context.printer.note(
        f"The feed {feed['id']} ends {feed.get('expires_at', 'when you revoke it')}. Whoever has its address may read "
        "what it serves. The address is shown this once."
    )
    lines = [feed["url"]]
    for door in door_commands(feed["url"]):
        lines += ["", f"# {door.client}", *([f"# {door.note}"] if door.note else []), door.command]
    return Result(document=feed, lines=lines, essence=[feed["url"]])


def show(options: argparse.Namespace, context: Context) -> Result:
    """Show a feed: when it was last used, and what each door serves and leaves out."""
    feed = context.service().get(f"/feeds/{segment(options.feed)}").body
    seen = (
        f"{feed['last_seen']}, from {counted(feed['networks'], 'network')}"
        if "last_seen" in feed
        else "not in 30 days"
    )
    facts = {
        "serves": _serves(feed),
        "label": feed.get("label", "none"),
        "made": f"{feed['created_at']} by {feed['created_by']}",
        "ends": feed.get("expires_at", "never"),
        "last used": seen,
    }
    return Result(
        document=feed,
        lines=[
            *table([[name, value] for name, value in facts.items()], heading=("FEED", feed["id"])),
            *_door_lines(feed),
        ],
        essence=[feed["id"]],
    )


def _door_lines(feed: Mapping[str, Any]) -> Iterator[str]:
    if feed.get("role_gone"):
        yield "Its role was deleted: the address answers 404."
    for door, state in feed.get("doors", {}).items():
        yield f"{door}: {counted(len(state['serves']), 'pack')}"
        for left in state["leaves_out"]:
            called = f"{left['owner']}/{left['name']}" if "name" in left else left["pack_id"]
            yield f"  not {called}: {left['reason']}"
    preparing = len(feed.get("preparing", ()))
    if preparing:
        yield f"{counted(preparing, 'pack')} will be there in a moment."


def revoke(options: argparse.Namespace, context: Context) -> Result:
    """Remove a feed, after the user has agreed."""
    confirm(f"Revoke the feed {options.feed}? Its address stops working at once.", options, context)
    context.service().call("DELETE", f"/feeds/{segment(options.feed)}")
    return Result(
        document={"id": options.feed, "status": "deleted"},
        lines=[f"{options.feed} is revoked."],
        essence=[options.feed],
    )


def _seconds(text: str) -> int:
    parts = _LIFETIME.fullmatch(text)
    if parts is None:
        raise Failure(Exit.USAGE, f"--expires-in {text} is no time.", "Write 12h, or 30d.")
    return int(parts[1]) * _SECONDS[parts[2]]


def _serves(feed: dict[str, Any]) -> str:
    packs = feed.get("pack_ids", [])
    return (
        f"the role {feed['role_id']}" if "role_id" in feed else f"{len(packs)} pack{'s'[: len(packs) != 1]}"
    )


def _row(feed: dict[str, Any]) -> list[str]:
    return [
        feed.get("label", "-"),
        _serves(feed),
        feed["created_at"],
        str(feed.get("expires_at", "never")),
        feed["id"],
    ]
