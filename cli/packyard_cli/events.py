"""The command `packyard events`: what the organisation has accepted (API contract, section 9)."""

import argparse
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from packyard.packs.pack import is_pack_id
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result, table
from packyard_cli.service import Service
from packyard_cli.standing import find_pack

Event = dict[str, Any]

_LONGEST_LIST: Final = 10_000
_PAGE: Final = 100
_SECONDS_BETWEEN_POLLS: Final = 2.0
# Sorts before every id.
_FIRST: Final = "0" * 26
_HEADING: Final = ("AT", "TYPE", "OF", "REVISION", "ACTOR", "ID")


def list_events(options: argparse.Namespace, context: Context) -> Result:
    """List events, or print them as they come.

    Raises:
        Failure: There is no such pack, or the service refused the request.
    """
    if not 1 <= options.limit <= _LONGEST_LIST:
        raise Failure(Exit.USAGE, f"--limit {options.limit} is not from 1 to {_LONGEST_LIST}.")
    service = context.service()
    asked = _filters(options, service)
    if options.follow:
        return _follow(service, asked, context)
    listed = service.pages("/events", "events", query=asked | {"limit": str(min(options.limit, _PAGE))})
    events = list(islice(listed, options.limit))
    return Result(
        document={"events": events},
        lines=table([_row(event) for event in events], heading=_HEADING) or ["No events."],
        essence=[event["id"] for event in events],
    )


def _filters(options: argparse.Namespace, service: Service) -> dict[str, str]:
    pack_id = options.pack
    if pack_id is not None and not is_pack_id(pack_id):
        pack_id = find_pack(service, pack_id).id
    given = {
        "type": options.type,
        "pack_id": pack_id,
        "role_id": options.role,
        "actor": options.actor,
        "after": options.after,
        "before": options.before,
    }
    return {name: value for name, value in given.items() if value is not None}


def _follow(service: Service, asked: Mapping[str, str], context: Context) -> Result:
    """Print events as they come, until the user interrupts.

    The service gets one of the filters, and the others are applied here. So each poll goes on after the last event that
    was looked at, and never looks at one twice.
    """
    if "before" in asked:
        raise Failure(Exit.USAGE, "--follow goes on for ever, so it takes no --before.")
    after = asked.get("after") or _newest(service)
    filters = {name: value for name, value in asked.items() if name != "after"}
    sent = dict(list(filters.items())[:1])
    context.printer.note("Following; Ctrl-C ends it.")
    try:
        while True:
            query = {**sent, "after": after, "limit": str(_PAGE)}
            for event in service.pages("/events", "events", query=query):
                after = event["id"]
                if all(event.get(name) == value for name, value in filters.items()):
                    _print(event, context)
            context.sleep(_SECONDS_BETWEEN_POLLS)
    except KeyboardInterrupt:
        context.printer.note(f"No longer following. To go on from here: --follow --after {after}")
        return Result(document=None)


def _newest(service: Service) -> str:
    """Return the id of the newest event; where there is none, what sorts before every id."""
    newest: Iterator[Event] = service.pages("/events", "events", query={"limit": "1"})
    return str(next(newest, {"id": _FIRST})["id"])


def _print(event: Event, context: Context) -> None:
    """Print one event on a line of its own: with `--json` as one JSON object."""
    if context.printer.json:
        context.printer.line(json.dumps(event))
    elif context.printer.quiet:
        context.printer.line(event["id"])
    else:
        context.printer.line("  ".join(cell for cell in _row(event) if cell))


def _row(event: Event) -> list[str]:
    data = event["data"]
    named = (
        event.get("role_id"),
        data.get("name"),
        event.get("pack_id"),
        data.get("label"),
        data.get("slug"),
    )
    of = next((str(name) for name in named if name), "")
    return [
        event["at"],
        event["type"],
        of,
        str(event.get("revision", "")),
        event["actor"],
        event["id"],
    ]
