"""Webhooks and deliveries as parts of items."""

from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from typing import Any

from packyard.packs.event import EventType
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.wire import Item
from packyard.webhooks.delivery import Delivery, DeliveryError, DeliveryStatus, Outcome
from packyard.webhooks.webhook import DisabledBecause, SealedSecret, Webhook, WebhookState


def webhook_to_map(webhook: Webhook) -> Item:
    """Return a webhook as a value of its organisation's item, without what the item's key says."""
    return _present(
        {
            "id": webhook.id,
            "url": webhook.url,
            "types": [each.value for each in webhook.types] or None,
            "pack_ids": list(webhook.pack_ids) or None,
            "description": webhook.description,
            "state": webhook.state.value,
            "disabled_because": None if webhook.disabled_because is None else webhook.disabled_because.value,
            "disabled_at": _text(webhook.disabled_at),
            "failing_since": _text(webhook.failing_since),
            "secrets": [
                _present({"sealed": b64encode(secret.sealed).decode(), "ends_at": _text(secret.ends_at)})
                for secret in webhook.secrets
            ],
            "created_at": _text(webhook.created_at),
            "created_by": webhook.created_by,
            "revision": webhook.revision,
        }
    )


def webhook_of(org_id: str, value: Item) -> Webhook:
    """Return the webhook of such a value. A type that this release does not know is left out."""
    because = value.get("disabled_because")
    known = {each.value for each in EventType}
    return Webhook(
        id=value["id"],
        org_id=org_id,
        url=value["url"],
        types=tuple(EventType(each) for each in value.get("types", ()) if each in known),
        pack_ids=tuple(value.get("pack_ids", ())),
        description=value.get("description"),
        state=WebhookState(value["state"]),
        disabled_because=None if because is None else DisabledBecause(because),
        disabled_at=_instant(value, "disabled_at"),
        failing_since=_instant(value, "failing_since"),
        secrets=tuple(
            SealedSecret(sealed=b64decode(secret["sealed"]), ends_at=_instant(secret, "ends_at"))
            for secret in value["secrets"]
        ),
        created_at=parse_timestamp(value["created_at"]),
        created_by=value["created_by"],
        revision=int(value["revision"]),
    )


def delivery_of(item: Item) -> Delivery:
    """Return the delivery of an item."""
    error, status, wait = item.get("error"), item.get("response_status"), item.get("next_at")
    return Delivery(
        id=item["SK"],
        org_id=item["org_id"],
        webhook_id=item["webhook_id"],
        type=item["type"],
        status=DeliveryStatus(item["status"]),
        attempts=int(item["attempts"]),
        first_at=parse_timestamp(item["first_at"]),
        last_at=parse_timestamp(item["last_at"]),
        next_at=None if wait is None else parse_timestamp(wait),
        outcome=Outcome(
            status=None if status is None else int(status),
            error=None if error is None else DeliveryError(error),
        ),
    )


def expiry_of(at: datetime, kept: timedelta) -> int:
    """Return when DynamoDB may remove an item, in seconds since 1970."""
    return int((at + kept).timestamp())


def _instant(item: Item, name: str) -> datetime | None:
    return parse_timestamp(item[name]) if name in item else None


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else format_timestamp(instant)


def _present(item: dict[str, Any]) -> Item:
    return {name: value for name, value in item.items() if value is not None}
