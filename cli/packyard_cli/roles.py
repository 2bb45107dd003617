"""Commands about roles and the packs that they pin (API contract, section 8)."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from packyard.packs.pack import is_pack_id
from packyard_cli.capability_words import capability_lines, difference_lines
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.packs import confirm
from packyard_cli.result import Result, table
from packyard_cli.service import Answer, JsonBody, Service, role_path
from packyard_cli.standing import find_pack, get_pack


def list_roles(_: argparse.Namespace, context: Context) -> Result:
    """List the organisation's roles."""
    roles = list(context.service().pages("/agent-roles", "roles"))
    rows = [
        [role["role_id"], str(role["revision"]), str(len(role["pack_ids"])), "yes" if role["stale"] else "no"]
        for role in roles
    ]
    return Result(
        document={"roles": roles},
        lines=table(rows, heading=("ROLE", "REVISION", "PACKS", "STALE")) or ["No roles."],
        essence=[row[0] for row in rows],
    )


def show(options: argparse.Namespace, context: Context) -> Result:
    """Show the packs of a role."""
    service = context.service()
    answer = service.get(role_path(options.role, "/packs"))
    return _role(answer.body, service)


def change(options: argparse.Namespace, context: Context) -> Result:
    """Set, attach or detach packs, if nobody else changes the role meanwhile."""
    service = context.service()
    before = _current(service, options.role)
    pack_ids = list(before.body["pack_ids"]) if before is not None else []
    if options.change == "detach":
        packs = [_pack_id(service, text) for text in options.packs]
    else:
        packs = _offered(service, options.packs, pack_ids, context)
    if options.change == "set":
        wanted = packs
    elif options.change == "attach":
        wanted = pack_ids + [pack for pack in packs if pack not in pack_ids]
    else:
        absent = [text for text, pack in zip(options.packs, packs, strict=True) if pack not in pack_ids]
        if absent:
            raise Failure(
                Exit.NOT_FOUND,
                f"The role {options.role!r} has no pack {absent[0]!r}.",
                f"packyard roles show {options.role} lists those that it has.",
            )
        wanted = [pack for pack in pack_ids if pack not in packs]
    condition = {"If-None-Match": "*"} if before is None else {}
    answer = service.call(
        "PUT",
        role_path(options.role, "/packs"),
        body=JsonBody.of({"pack_ids": wanted}),
        if_match=before.etag if before else None,
        headers=condition,
    )
    return _role(answer.body, service)


def refresh(options: argparse.Namespace, context: Context) -> Result:
    """Move pins to the current revisions. Wider capabilities need consent to exactly that revision.

    Raises:
        Failure: A consent is missing; the message says how to give it.
    """
    service = context.service()
    asked: dict[str, Any] = {}
    if options.packs:
        asked["pack_ids"] = [_pack_id(service, text) for text in options.packs]
    if options.accept:
        asked["accept_capabilities"] = dict(_consent(service, text) for text in options.accept)
    while True:
        try:
            answer = service.call("POST", role_path(options.role, "/packs/refresh"), body=JsonBody.of(asked))
        except Failure as failure:
            if failure.code == "capabilities_widened":
                _ask_for_consent(failure, options, asked.get("accept_capabilities", {}), service)
            raise
        # A request moves a bounded number of pins; `more` says that there are others.
        if not answer.body.get("more"):
            return _role(answer.body, service)


def revisions(options: argparse.Namespace, context: Context) -> Result:
    """List what has happened to a role, newest first."""
    found = list(context.service().pages(role_path(options.role, "/revisions"), "revisions"))
    rows = [
        [
            str(entry["revision"]),
            str(entry["at"]),
            str(entry.get("actor", "")),
            str(len(entry.get("pack_ids", ()))),
        ]
        for entry in found
    ]
    return Result(
        document={"revisions": found},
        lines=table(rows, heading=("REVISION", "AT", "BY", "PACKS")),
        essence=[row[0] for row in rows],
    )


def delete(options: argparse.Namespace, context: Context) -> Result:
    """Delete a role, after a question where somebody can answer it."""
    service = context.service()
    before = service.get(role_path(options.role, "/packs"))
    count = len(before.body["pack_ids"])
    confirm(f"Delete the role {options.role}, which has {count} packs?", options, context)
    service.call("DELETE", role_path(options.role), if_match=before.etag)
    return Result(
        document={"role_id": options.role, "status": "deleted"},
        lines=[f"The role {options.role} is deleted."],
        essence=[options.role],
    )


def _current(service: Service, role: str) -> Answer | None:
    try:
        return service.get(role_path(role, "/packs"))
    except Failure as failure:
        if failure.code != "role_not_found":
            raise
        return None


def _role(role: dict[str, Any], service: Service) -> Result:
    pins = role.get("packs")
    if pins is None:
        # A service that does not pin yet says the ids alone.
        pins = [get_pack(service, pack_id).view for pack_id in role["pack_ids"]]
    rows = [
        [
            str(pin.get("alias") or pin["name"]),
            str(pin["version"]),
            str(pin.get("revision", "")),
            _state(pin),
            str(pin["id"]),
        ]
        for pin in pins
    ]
    return Result(
        document=role,
        lines=table(rows, heading=("NAME", "VERSION", "REVISION", "STATE", "ID"))
        or ["The role has no packs."],
        essence=[str(pack_id) for pack_id in role["pack_ids"]],
    )


def _state(pin: Mapping[str, Any]) -> str:
    status = pin.get("status", "active")
    states = [
        status if status != "active" else "",
        "follows" if pin.get("follow") else "",
        "stale" if pin.get("stale") else "current",
    ]
    return ", ".join(filter(None, states))


def _offered(service: Service, texts: Sequence[str], held: Sequence[str], context: Context) -> list[str]:
    """Return the ids of packs. Say what those that the role does not hold may do: to attach is to consent."""
    found = [find_pack(service, text) for text in texts]
    for pack in found:
        if pack.id not in held:
            lines = capability_lines(None, pack.view.get("capabilities"))
            allowed = "may do this:" if lines else "has no capabilities."
            for line in (f"{pack.view['name']} {pack.view['version']} {allowed}", *lines):
                context.printer.note(line)
    return [pack.id for pack in found]


def _ask_for_consent(
    failure: Failure, options: argparse.Namespace, given: Mapping[str, int], service: Service
) -> None:
    """Let a refusal say what would be allowed, and how to consent to it."""
    moves = failure.details.get("capabilities")
    if not isinstance(moves, Mapping):
        return
    told = [f"The role {options.role} is unchanged: newer revisions may do more, and that needs consent."]
    accepts = {pack_id: revision for pack_id, revision in given.items() if pack_id not in moves}
    names = {}
    for pack_id, move in moves.items():
        name, names[pack_id] = _names(service, pack_id)
        accepts[pack_id] = move["to"]
        told.append(f"  {name}, revision {move['from']} to {move['to']}:")
        told += [f"    {line}" for line in difference_lines(move)]
        if not move["widened"]:
            told.append("    allows nothing new, but you accepted another revision than this one")
        if "example" in move:
            told.append(f"    newly allowed, for example: {move['example']}")
    consent = [f"--accept {names.get(pack, pack)}={revision}" for pack, revision in accepts.items()]
    failure.told = told
    failure.advice = (
        f"If you agree: packyard roles refresh {' '.join([options.role, *options.packs, *consent])}"
    )


def _names(service: Service, pack_id: str) -> tuple[str, str]:
    """Return a pack's name, and what names it on the command line."""
    try:
        view = get_pack(service, pack_id).view
    except Failure:
        # The refusal is what counts, and the id names the pack as well.
        return pack_id, pack_id
    # The name of another organisation's pack may also be that of an own one.
    return str(view["name"]), str(view["name"]) if view["owned"] else pack_id


def _consent(service: Service, text: str) -> tuple[str, int]:
    pack, equals, revision = text.partition("=")
    if not equals or not revision.isdigit():
        raise Failure(
            Exit.USAGE, f"--accept {text!r} is not PACK=REVISION.", "Write it as in --accept slack=4"
        )
    return _pack_id(service, pack), int(revision)


def _pack_id(service: Service, text: str) -> str:
    return text if is_pack_id(text) else find_pack(service, text).id
