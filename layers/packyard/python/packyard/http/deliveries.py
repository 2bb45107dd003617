"""Deliveries in requests and answers."""

from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.http.fields import Field
from packyard.http.page_limit import PageRequest, read_page_request, with_next
from packyard.packs.event import EVENT_ID
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursors import Cursors
from packyard.store.deliveries import DeliveryPage, binding
from packyard.tenants.caller import Caller
from packyard.webhooks.delivery import Delivery

DELIVERY: Final = Field(
    name="delivery_id",
    required=True,
    pattern=EVENT_ID.pattern,
    description="The delivery, as `GET /webhooks/{webhook_id}/deliveries` names it: the event's id.",
)


def read_delivery_list(
    event: APIGatewayProxyEvent, webhook_id: str, caller: Caller, cursors: Cursors
) -> PageRequest:
    """Return the page of deliveries that a query string asks for; see `read_page_request`."""
    return read_page_request(event, binding(org_id=caller.org_id, webhook_id=webhook_id), cursors)


def delivery_page_view(
    page: DeliveryPage, webhook_id: str, caller: Caller, cursors: Cursors
) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"deliveries": [_view(delivery) for delivery in page.deliveries]}
    bound = binding(org_id=caller.org_id, webhook_id=webhook_id)
    return with_next(body, page.next_position, cursors, bound)


def _view(delivery: Delivery) -> dict[str, Any]:
    outcome = delivery.outcome
    optional = {
        "next_at": None if delivery.next_at is None else format_timestamp(delivery.next_at),
        "response_status": None if outcome is None else outcome.status,
        "error": None if outcome is None or outcome.error is None else outcome.error.value,
    }
    return {
        "id": delivery.id,
        "type": delivery.type,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "first_at": format_timestamp(delivery.first_at),
        "last_at": format_timestamp(delivery.last_at),
        **{name: value for name, value in optional.items() if value is not None},
    }
