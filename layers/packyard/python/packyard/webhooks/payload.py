"""What is sent: an event in the form that Standard Webhooks 1.0 recommends ("Payload structure")."""

import json
from datetime import datetime
from typing import Any, Final

from packyard.packs.event import Event
from packyard.packs.timestamp import format_timestamp

# The type of what `POST /webhooks/{id}/test` sends. It is no event: the list of events does not have it.
TEST_TYPE: Final = "webhook.test"


def event_payload(event: Event) -> str:
    """Return an event as JSON text.

    The fields are those of `GET /events`, but `at` is called `timestamp`, as the specification has it.
    """
    optional = {"pack_id": event.pack_id, "role_id": event.role_id, "revision": event.revision}
    return _json(
        {
            "type": str(event.type),
            "timestamp": format_timestamp(event.at),
            "id": event.id,
            "actor": event.actor,
            "request_id": event.request_id,
            **{name: value for name, value in optional.items() if value is not None},
            "data": dict(event.data),
        }
    )


def test_payload(delivery_id: str, *, webhook_id: str, at: datetime) -> str:
    """Return what is sent to try a webhook out.

    Args:
        delivery_id: A ULID.
        webhook_id: The webhook.
        at: When the test was asked for.
    """
    return _json(
        {
            "type": TEST_TYPE,
            "timestamp": format_timestamp(at),
            "id": delivery_id,
            "data": {"webhook_id": webhook_id},
        }
    )


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
