"""Commands about packs as a whole."""

import argparse
from itertools import islice
from typing import Any, Final

from packyard_cli.context import Context
from packyard_cli.deprecating import deprecation_lines
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result, size_text, table
from packyard_cli.service import JsonBody
from packyard_cli.standing import StandingPack, find_pack, pinned_reference

_HEADING: Final = ("NAME", "VERSION", "TIER", "VISIBILITY", "OWNED", "ID")
# How many packs a search shows.
_FOUND: Final = 100
_SHOWN: Final = (
    ("id", "id"),
    ("organisation", "org_id"),
    ("version", "version"),
    ("display name", "display_name"),
    ("description", "description"),
    ("category", "category"),
    ("tier", "tier"),
    ("visibility", "visibility"),
    ("status", "status"),
    ("origin", "image_origin"),
    ("image", "image_ref"),
    ("content", "content_digest"),
    ("suggested", "suggested_packs"),
    ("created", "created_at"),
    ("updated", "updated_at"),
)


def list_packs(options: argparse.Namespace, context: Context) -> Result:
    """List all packs that the caller can see."""
    query = {
        "owned": "true" if options.owned else None,
        "tier": options.tier,
        "category": options.category,
        "q": options.prefix,
        "updated_after": options.updated_after,
        "limit": "100",
    }
    asked = {name: value for name, value in query.items() if value is not None}
    return _listed(list(context.service().pages("/packs", "packs", query=asked)))


def search(options: argparse.Namespace, context: Context) -> Result:
    """Search packs by words in name, display name, description and category, best first."""
    query = {"search": " ".join(options.words), "limit": str(_FOUND)}
    return _listed(list(islice(context.service().pages("/packs", "packs", query=query), _FOUND)))


def show(options: argparse.Namespace, context: Context) -> Result:
    """Show everything about one pack."""
    pack = find_pack(context.service(), options.pack)
    return Result(document=pack.view, lines=_pack_lines(pack), essence=[pack.pinned])


def visibility(options: argparse.Namespace, context: Context) -> Result:
    """Set who sees a pack."""
    service = context.service()
    pack = find_pack(service, options.pack)
    answer = service.call(
        "PATCH", pack.path, body=JsonBody.of({"visibility": options.visibility}), if_match=pack.etag
    )
    name, seen = answer.body["name"], answer.body["visibility"]
    return Result(document=answer.body, lines=[f"{name} is visible to {_WHO[seen]}."], essence=[seen])


_WHO: Final = {"org": "your organisation", "community": "everyone"}


def clone(options: argparse.Namespace, context: Context) -> Result:
    """Copy a pack into the caller's organisation."""
    service = context.service()
    pack = find_pack(service, options.pack)
    asked = {"name": options.name, "visibility": options.visibility}
    body = JsonBody.of({name: value for name, value in asked.items() if value is not None})
    made = service.call("POST", f"{pack.path}/clone", body=body).body
    reference = pinned_reference(made)
    return Result(
        document=made,
        lines=[f"{made['name']} {made['version']} is your organisation's now: {made['id']}", reference],
        essence=[reference],
    )


def delete(options: argparse.Namespace, context: Context) -> Result:
    """Delete a pack, after a question where somebody can answer it.

    Raises:
        Failure: Nobody agreed.
    """
    if options.revision is not None:
        from packyard_cli.withdrawing import delete_revision  # noqa: PLC0415 - few deletions are of a revision

        return delete_revision(options, context)
    service = context.service()
    pack = find_pack(service, options.pack)
    confirm(f"Delete {pack.view['name']} {pack.view['version']} ({pack.id}) and its image?", options, context)
    try:
        answer = service.call("DELETE", pack.path, if_match=pack.etag)
    except Failure as failure:
        _say_which_roles(failure, str(pack.view["name"]))
        raise
    return Result(
        document={**answer.body, "id": pack.id}, lines=[f"{pack.id} is deleted."], essence=[pack.id]
    )


def revisions(options: argparse.Namespace, context: Context) -> Result:
    """List what has happened to a pack, newest first."""
    service = context.service()
    pack = find_pack(service, options.pack)
    found = list(service.pages(f"{pack.path}/revisions", "revisions", query={"limit": "100"}))
    rows = [
        [
            *(str(entry[name]) for name in ("revision", "at", "operation", "version", "image_digest")),
            str(entry.get("status", "active")),
            str(entry.get("actor", "")),
        ]
        for entry in found
    ]
    heading = ("REVISION", "AT", "OPERATION", "VERSION", "DIGEST", "STATUS", "BY")
    return Result(
        document={"revisions": found}, lines=table(rows, heading=heading), essence=[row[0] for row in rows]
    )


def rollback(options: argparse.Namespace, context: Context) -> Result:
    """Make an earlier revision's image the current one, as a new revision."""
    service = context.service()
    pack = find_pack(service, options.pack)
    answer = service.call(
        "PUT", pack.path, body=JsonBody.of({"revision": options.revision}), if_match=pack.etag
    )
    reference = pinned_reference(answer.body)
    return Result(
        document=answer.body,
        lines=[f"{answer.body['name']} is what it was at revision {options.revision} again.", reference],
        essence=[reference],
    )


def confirm(question: str, options: argparse.Namespace, context: Context) -> None:
    """Ask a question.

    Raises:
        Failure: The answer is no, or nobody is there to answer.
    """
    if options.yes:
        return
    if not context.stdin.isatty():
        raise Failure(Exit.USAGE, "Nobody is there to be asked.", "Say --yes if that is what you want.")
    print(f"{question} [y/N] ", end="", file=context.printer.err, flush=True)
    if context.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Failure(Exit.INTERRUPTED, "Nothing was done, since the answer was no.")


def _say_which_roles(failure: Failure, name: str) -> None:
    """Let a refusal to delete a pack name the roles that have it, and what takes it out of one."""
    references = failure.details.get("references")
    if failure.code != "pack_in_use" or not isinstance(references, dict):
        return
    roles, others = references.get("role_ids") or [], references.get("other_organisations")
    told = [f"{name} is not deleted, since roles have it."]
    if roles:
        told.append(f"  roles of your organisation: {', '.join(roles)}")
        failure.advice = f"Take it out of each first: packyard roles detach {roles[0]} {name}"
    if others:
        told.append(f"  roles of other organisations, which must let go of it first: {others}")
    failure.told = told


def _listed(packs: list[dict[str, Any]]) -> Result:
    rows = [
        [
            *(str(pack[name]) for name in ("name", "version", "tier", "visibility")),
            "yes" if pack["owned"] else "no",
            str(pack["id"]) + (" (deprecated)" if "deprecated" in pack else ""),
        ]
        for pack in packs
    ]
    return Result(
        document={"packs": packs},
        lines=table(rows, heading=_HEADING) or ["No packs."],
        essence=[str(pack["id"]) for pack in packs],
    )


def _pack_lines(pack: StandingPack) -> list[str]:
    view = pack.view
    lines = [f"{view['name']} {view['version']}", *deprecation_lines(view)]
    lines += [f"  {title:13} {view[name]}" for title, name in _SHOWN if name in view]
    lines += [f"  size          {size_text(int(view['size_bytes']))}", f"  pinned        {pack.pinned}"]
    if "capabilities" in view:
        lines += ["  capabilities", *(f"    {line}" for line in str(view["capabilities"]).splitlines())]
    return lines
