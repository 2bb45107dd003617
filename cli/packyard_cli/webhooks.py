"""Commands about webhooks (API contract, section 9)."""

import argparse
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from packyard.packs.pack import is_pack_id
from packyard_cli.context import Context
from packyard_cli.packs import confirm
from packyard_cli.result import Result, table
from packyard_cli.service import JsonBody, Service, segment
from packyard_cli.standing import find_pack

_HEADING: Final = ("STATE", "URL", "TYPES", "ID")
_DELIVERY_HEADING: Final = ("LAST TRIED", "STATUS", "ANSWER", "TRIES", "TYPE", "ID")
_PAGE: Final = 100


def list_webhooks(_: argparse.Namespace, context: Context) -> Result:
    """List the organisation's webhooks."""
    webhooks = context.service().call("GET", "/webhooks").body["webhooks"]
    return Result(
        document={"webhooks": webhooks},
        lines=table([_row(webhook) for webhook in webhooks], heading=_HEADING) or ["No webhooks."],
        essence=[webhook["id"] for webhook in webhooks],
    )


def add(options: argparse.Namespace, context: Context) -> Result:
    """Make a webhook, and print its secret, which is shown this once."""
    service = context.service()
    asked = {"url": options.receiver, **_choices(options, service)}
    webhook = service.call("POST", "/webhooks", body=JsonBody.of(asked)).body
    context.printer.note(f"The webhook is {webhook['id']}. Its secret is shown this once:")
    return Result(document=webhook, lines=[webhook["secret"]], essence=[webhook["secret"]])


def show(options: argparse.Namespace, context: Context) -> Result:
    """Show a webhook."""
    return _shown(context.service().call("GET", _path(options)).body)


def edit(options: argparse.Namespace, context: Context) -> Result:
    """Change, disable or enable a webhook."""
    service = context.service()
    changes = _choices(options, service)
    if options.to is not None:
        changes["url"] = options.to
    if options.all_types:
        changes["types"] = []
    if options.state is not None:
        changes["state"] = options.state
    return _shown(service.call("PATCH", _path(options), body=JsonBody.of(changes)).body)


def remove(options: argparse.Namespace, context: Context) -> Result:
    """Delete a webhook, after the user has agreed."""
    confirm(f"Delete the webhook {options.webhook}?", options, context)
    answer = context.service().call("DELETE", _path(options)).body
    return Result(document=answer, lines=["The webhook is deleted."], essence=[options.webhook])


def rotate(options: argparse.Namespace, context: Context) -> Result:
    """Give a webhook a new secret, and print it. The one before signs for 24 hours more."""
    webhook = context.service().call("POST", f"{_path(options)}/rotate").body
    context.printer.note("Both secrets sign for 24 hours. The new one is shown this once:")
    return Result(document=webhook, lines=[webhook["secret"]], essence=[webhook["secret"]])


def test(options: argparse.Namespace, context: Context) -> Result:
    """Send a test to a webhook."""
    return _asked(context.service().call("POST", f"{_path(options)}/test").body, "The test")


def deliveries(options: argparse.Namespace, context: Context) -> Result:
    """List what has come of the deliveries to a webhook."""
    query = {"limit": str(min(options.limit, _PAGE))}
    listed = context.service().pages(f"{_path(options)}/deliveries", "deliveries", query=query)
    found = list(islice(listed, options.limit))
    return Result(
        document={"deliveries": found},
        lines=table([_delivery_row(each) for each in found], heading=_DELIVERY_HEADING)
        or ["No deliveries in the last seven days."],
        essence=[each["id"] for each in found],
    )


def redeliver(options: argparse.Namespace, context: Context) -> Result:
    """Send the event of a delivery again."""
    path = f"{_path(options)}/deliveries/{segment(options.delivery)}/redelivery"
    return _asked(context.service().call("POST", path).body, "The event")


def _path(options: argparse.Namespace) -> str:
    return f"/webhooks/{segment(options.webhook)}"


def _choices(options: argparse.Namespace, service: Service) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if options.type:
        asked["types"] = options.type
    if options.pack:
        asked["pack_ids"] = list(_pack_ids(options.pack, service))
    if options.description is not None:
        asked["description"] = options.description
    return asked


def _pack_ids(packs: Iterable[str], service: Service) -> Iterable[str]:
    return (pack if is_pack_id(pack) else find_pack(service, pack).id for pack in packs)


def _asked(answer: Mapping[str, Any], what: str) -> Result:
    delivery = answer["delivery_id"]
    return Result(
        document=dict(answer),
        lines=[f"{what} is on its way as {delivery}; packyard webhooks deliveries shows what comes of it."],
        essence=[delivery],
    )


def _shown(webhook: Mapping[str, Any]) -> Result:
    shown = {name: ", ".join(value) if isinstance(value, list) else value for name, value in webhook.items()}
    return Result(
        document=dict(webhook),
        lines=[f"{name}: {value if value != '' else 'all'}" for name, value in shown.items()],
        essence=[webhook["id"]],
    )


def _row(webhook: Mapping[str, Any]) -> list[str]:
    failing = " (failing)" if "failing_since" in webhook else ""
    return [webhook["state"] + failing, webhook["url"], ",".join(webhook["types"]) or "all", webhook["id"]]


def _delivery_row(delivery: Mapping[str, Any]) -> list[str]:
    answer = str(delivery.get("response_status") or delivery.get("error") or "")
    facts = delivery["last_at"], delivery["status"], answer, str(delivery["attempts"]), delivery["type"]
    return [*facts, delivery["id"]]
