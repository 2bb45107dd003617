"""Events as items of the table."""

import json
from typing import Any

from packyard.packs.event import Event, data_to_json
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import event_index_key, event_key
from packyard.store.wire import Item


def to_item(event: Event, *, expires_at: int) -> Item:
    """Return the item of an event.

    Args:
        event: The event.
        expires_at: When DynamoDB may remove it, in seconds since 1970.
    """
    facets = {
        "pack": event.pack_id,
        "role": event.role_id,
        "type": event.type,
        "actor": event.actor,
    }
    item: dict[str, Any] = event_key(event.org_id, event.id)
    for facet, value in facets.items():
        if value is not None:
            item |= event_index_key(event.org_id, event.id, facet, value)
    item |= {
        "id": event.id,
        "type": str(event.type),
        "org_id": event.org_id,
        "at": format_timestamp(event.at),
        "actor": event.actor,
        "request_id": event.request_id,
        "pack_id": event.pack_id,
        "role_id": event.role_id,
        "revision": event.revision,
        # As JSON text: DynamoDB would make decimals of its numbers.
        "data": data_to_json(event.data),
        "expires_at": expires_at,
    }
    return {name: value for name, value in item.items() if value is not None}


def from_item(item: Item) -> Event:
    """Return the event of an item."""
    revision = item.get("revision")
    return Event(
        id=item["id"],
        type=item["type"],
        org_id=item["org_id"],
        at=parse_timestamp(item["at"]),
        actor=item["actor"],
        request_id=item["request_id"],
        pack_id=item.get("pack_id"),
        role_id=item.get("role_id"),
        revision=None if revision is None else int(revision),
        data=json.loads(item["data"]),
    )
