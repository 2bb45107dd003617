"""`packyard deprecate`: what is said of a pack to those who use it."""

import argparse
from collections.abc import Mapping
from typing import Any

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result
from packyard_cli.service import JsonBody
from packyard_cli.standing import find_pack


def deprecate(options: argparse.Namespace, context: Context) -> Result:
    """Deprecate a pack, or take that back, if nobody else changes the pack meanwhile.

    Raises:
        Failure: Neither a message nor `--undo` is given, or both; or the service refuses.
    """
    if bool(options.message) == options.undo or (options.undo and options.replacement):
        raise Failure(
            Exit.USAGE,
            "Say what is to be told: a message, or --undo alone.",
            'packyard deprecate PACK "Use the pack chat instead." --replacement chat',
        )
    service = context.service()
    pack = find_pack(service, options.pack)
    said: dict[str, str] | None = None if options.undo else {"message": options.message}
    if said is not None and options.replacement:
        said["replacement"] = find_pack(service, options.replacement).id
    answer = service.call("PATCH", pack.path, body=JsonBody.of({"deprecated": said}), if_match=pack.etag)
    name = answer.body["name"]
    told = deprecation_lines(answer.body) or [f"{name} is not deprecated."]
    return Result(document=answer.body, lines=[f"{name} {answer.body['version']}", *told], essence=[pack.id])


def deprecation_lines(view: Mapping[str, Any]) -> list[str]:
    """Return what the owner of a pack says to those who use it, as lines for people; none for most packs."""
    said = view.get("deprecated")
    if said is None:
        return []
    instead = said.get("replacement")
    return [f"  deprecated    {said['message']}", *([f"  instead       {instead}"] if instead else [])]
