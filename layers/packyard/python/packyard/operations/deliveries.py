"""Deliveries as an organisation sees them: their status, trying a webhook out, and sending an event again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from packyard.errors import WebhookNotFound
from packyard.messaging.delivery_queue import DeliveryQueue, WebhookMessage
from packyard.operations.webhooks import Webhooks
from packyard.packs.event import is_event_id
from packyard.store.cursor import Position
from packyard.store.deliveries import DeliveryPage, DeliveryStore
from packyard.tenants.caller import Caller
from packyard.webhooks.payload import TEST_TYPE, event_payload, test_payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """Reads deliveries, and asks for further ones.

    Attributes:
        webhooks: Finds webhooks.
        store: Where deliveries are.
        queue: Takes what is to be sent.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    webhooks: Webhooks
    store: DeliveryStore
    queue: DeliveryQueue
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def page(self, webhook_id: str, *, caller: Caller, limit: int, position: Position | None) -> DeliveryPage:
        """Return a page of the deliveries to a webhook, the newest event first. Two reads.

        Raises:
            WebhookNotFound: There is no such webhook.
            ServiceUnavailable: DynamoDB did not answer.
        """
        webhook = self.webhooks.get(webhook_id, caller=caller)
        return self.store.page(webhook.org_id, webhook.id, limit=limit, position=position)

    def test(self, webhook_id: str, *, caller: Caller) -> str:
        """Send a test to a webhook, even if it is disabled, and return the delivery's id. One read and one message.

        Raises:
            WebhookNotFound: There is no such webhook.
            ServiceUnavailable: DynamoDB or SQS did not answer.
        """
        webhook = self.webhooks.get(webhook_id, caller=caller)
        delivery_id = self.new_ulid()
        payload = test_payload(delivery_id, webhook_id=webhook.id, at=self.clock())
        self.queue.send([self._message(webhook.org_id, webhook.id, delivery_id, TEST_TYPE, payload)])
        return delivery_id

    def send_again(self, webhook_id: str, delivery_id: str, *, caller: Caller) -> None:
        """Send the event of a delivery again, under the same id. Three reads and one message.

        Raises:
            WebhookNotFound: There is no such webhook or delivery.
            ServiceUnavailable: DynamoDB or SQS did not answer.
        """
        webhook = self.webhooks.get(webhook_id, caller=caller)
        delivery = (
            self.store.get(webhook.org_id, webhook.id, delivery_id) if is_event_id(delivery_id) else None
        )
        if delivery is None:
            raise WebhookNotFound(
                "This webhook has no delivery of this id. GET /webhooks/{id}/deliveries lists those of the last seven "
                "days."
            )
        if delivery.type == TEST_TYPE:
            payload = test_payload(delivery.id, webhook_id=webhook.id, at=delivery.first_at)
        else:
            event = self.store.event(webhook.org_id, delivery.id)
            if event is None:
                raise WebhookNotFound("The event of this delivery is not kept any more.")
            payload = event_payload(event)
        again = self.new_ulid()
        self.queue.send(
            [self._message(webhook.org_id, webhook.id, delivery.id, delivery.type, payload, again)]
        )

    def _message(  # noqa: PLR0913, PLR0917 - what a message has
        self, org_id: str, webhook_id: str, delivery_id: str, type_: str, payload: str, again: str = ""
    ) -> WebhookMessage:
        return WebhookMessage(
            org_id=org_id,
            webhook_id=webhook_id,
            event_id=delivery_id,
            type=type_,
            payload=payload,
            again=again,
        )
