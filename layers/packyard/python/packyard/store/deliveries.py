"""What has come of deliveries. DynamoDB removes a delivery after seven days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from packyard.packs.event import Event
from packyard.packs.timestamp import format_timestamp
from packyard.store.actions import token_of
from packyard.store.cursor import Binding, Position
from packyard.store.event_items import from_item
from packyard.store.keys import deliveries_partition, delivery_key, event_key
from packyard.store.table import Query, Table, Update
from packyard.store.webhook_items import delivery_of, expiry_of
from packyard.webhooks.delivery import DELIVERIES_KEPT, Delivery, DeliveryStatus, Outcome

_LATER_THAN_ALL: Final = "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is known of a delivery after an attempt.

    Attributes:
        org_id: The organisation.
        webhook_id: The webhook.
        delivery_id: The event's id.
        type: The event's type.
        at: When the attempt was made.
        status: How far the delivery is.
        outcome: What came of the attempt; None if none was made.
        next_at: When it will be tried again, about; None if it will not.
    """

    org_id: str
    webhook_id: str
    delivery_id: str
    type: str
    at: datetime
    status: DeliveryStatus
    outcome: Outcome | None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """One page of the deliveries to a webhook, the newest event first.

    Attributes:
        deliveries: The deliveries.
        next_position: Where the next page begins; None on the last page.
    """

    deliveries: tuple[Delivery, ...]
    next_position: Position | None


class DeliveryStore:
    """The deliveries of all organisations.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def record(self, attempts: Sequence[Attempt]) -> None:
        """Write what came of attempts, in one request. A repeat counts one attempt more, which there was.

        Args:
            attempts: 1 to 100, each of a different delivery (API_TransactWriteItems).

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        updates = [_update(attempt) for attempt in attempts]
        if len(updates) == 1:
            # A transaction costs twice as much.
            self._table.update(updates[0])
        else:
            self._table.transact(updates, token=token_of(updates))

    def get(self, org_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        """Return a delivery, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(delivery_key(org_id, webhook_id, delivery_id))
        return None if item is None else delivery_of(item)

    def event(self, org_id: str, event_id: str) -> Event | None:
        """Return the event of a delivery, or None if there is none. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(event_key(org_id, event_id))
        return None if item is None else from_item(item)

    def page(
        self, org_id: str, webhook_id: str, *, limit: int, position: Position | None = None
    ) -> DeliveryPage:
        """Return a page of the deliveries to a webhook. One consistent read.

        Args:
            org_id: The organisation.
            webhook_id: The webhook.
            limit: The most deliveries to return.
            position: The previous page's `next_position`; None for the first page.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        page = self._table.query(
            Query(
                condition="PK = :webhook AND SK < :before",
                values={
                    ":webhook": deliveries_partition(org_id, webhook_id),
                    ":before": position or _LATER_THAN_ALL,
                },
                limit=limit + 1,
                backwards=True,
            )
        )
        deliveries = tuple(delivery_of(item) for item in page.items[:limit])
        more = len(page.items) > limit
        return DeliveryPage(
            deliveries=deliveries, next_position=Position(deliveries[-1].id) if more else None
        )


def _update(attempt: Attempt) -> Update:
    outcome = attempt.outcome
    optional = {
        "response_status": None if outcome is None else outcome.status,
        "error": None if outcome is None or outcome.error is None else outcome.error.value,
        "next_at": None if attempt.next_at is None else format_timestamp(attempt.next_at),
    }
    given: dict[str, Any] = {name: value for name, value in optional.items() if value is not None}
    given |= {
        "org_id": attempt.org_id,
        "webhook_id": attempt.webhook_id,
        "type": attempt.type,
        "status": attempt.status.value,
        "last_at": format_timestamp(attempt.at),
        "expires_at": expiry_of(attempt.at, DELIVERIES_KEPT),
    }
    gone = [name for name, value in optional.items() if value is None]
    sets = ", ".join(f"#{name} = :{name}" for name in given)
    removes = f" REMOVE {', '.join(f'#{name}' for name in gone)}" if gone else ""
    return Update(
        key=delivery_key(attempt.org_id, attempt.webhook_id, attempt.delivery_id),
        change=f"SET first_at = if_not_exists(first_at, :last_at), {sets}{removes} ADD attempts :one",
        condition="attribute_exists(PK) OR attribute_not_exists(PK)",
        values={f":{name}": value for name, value in given.items()} | {":one": 0 if outcome is None else 1},
        names={f"#{name}": name for name in (*given, *gone)},
    )


def binding(*, org_id: str, webhook_id: str) -> Binding:
    """Return what a cursor of a list of deliveries is valid for."""
    return {"listing": "deliveries", "org_id": org_id, "webhook_id": webhook_id}
