"""From events to who is to be told of them: one message for each webhook that asks, and two for each new image.

The table's stream tells of each event after its commit, and again until the messages are sent. SQS takes the same
message once within five minutes; after that, a receiver may get an event twice, with the same `webhook-id`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from packyard.messaging.attestation_queue import AttestationQueue, ImageToAttest
from packyard.messaging.delivery_queue import BusMessage, DeliveryQueue, WebhookMessage
from packyard.messaging.event_bus import EventBus
from packyard.messaging.preparation_queue import ImageToPrepare, PreparationQueue
from packyard.oci.digest import parse_digest
from packyard.packs.attestation_state import Attestations
from packyard.packs.event import ATTESTATIONS, CI, IMAGE_DIGEST, SOURCE, Event, EventType
from packyard.store.event_items import from_item
from packyard.store.webhooks import WebhookStore
from packyard.store.wire import from_wire
from packyard.webhooks.payload import event_payload
from packyard.webhooks.webhook import Webhook

_BUS_WAIT: Final = timedelta(seconds=30)
# The events of a new image. Some of the second have the image of before, which is found to be prepared. An image that
# comes with another event is prepared when a door first needs it.
_OF_IMAGES: Final = frozenset({EventType.PACK_CREATED, EventType.PACK_UPDATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """Tells webhooks, and the operator's event bus if there is one, of events.

    Attributes:
        webhooks: Where webhooks are.
        queue: Takes messages for webhooks, and what the bus has not taken.
        bus: The operator's event bus; None without one.
        attestations: Takes messages for images about which statements are to be made; None if none are made.
        preparations: Takes messages for images that doors are to serve.
    """

    webhooks: WebhookStore
    queue: DeliveryQueue
    bus: EventBus | None
    attestations: AttestationQueue | None
    preparations: PreparationQueue

    def send(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Send the messages of some events. One read for 100 organisations, one call for ten messages.

        Args:
            items: The items of the events, in their order and in DynamoDB's own form.

        Raises:
            ServiceUnavailable: DynamoDB or SQS did not answer. Some messages may have been sent.
        """
        events = [from_item(from_wire(item)) for item in items]
        if not events:
            return
        if self.attestations is not None:
            self.attestations.send([image for event in events for image in _images(event)])
        self.preparations.send([image for event in events for image in _new_images(event)])
        webhooks = self.webhooks.of_many([event.org_id for event in events])
        payloads = [(event, event_payload(event)) for event in events]
        self.queue.send(_messages(payloads, webhooks))
        if self.bus is not None:
            for entry in self.bus.put([self.bus.entry_of(event, payload) for event, payload in payloads]):
                self.queue.retry_later(BusMessage(entry=entry), _BUS_WAIT)


def _images(event: Event) -> Iterator[ImageToAttest]:
    """Yield the image that an event's pack has got, if statements about it are to be made."""
    if (
        event.data.get(ATTESTATIONS) != Attestations.PENDING
        or event.pack_id is None
        or event.revision is None
    ):
        return
    yield ImageToAttest(
        pack_id=event.pack_id,
        revision=event.revision,
        digest=parse_digest(event.data[IMAGE_DIGEST]),
        request_id=event.request_id,
        ci=event.data.get(CI, {}),
        source=event.data.get(SOURCE, ""),
    )


def _new_images(event: Event) -> Iterator[ImageToPrepare]:
    """Yield the image of an event's pack, if the event is of a new one."""
    digest = event.data.get(IMAGE_DIGEST)
    if event.type in _OF_IMAGES and event.pack_id and event.revision and digest:
        yield ImageToPrepare(pack_id=event.pack_id, revision=event.revision, digest=parse_digest(digest))


def _messages(
    payloads: Sequence[tuple[Event, str]], webhooks: Mapping[str, Mapping[str, Webhook]]
) -> Iterator[WebhookMessage]:
    for event, payload in payloads:
        for webhook in webhooks.get(event.org_id, {}).values():
            # An event from before the webhook may come late.
            if webhook.wants(event) and webhook.created_at <= event.at:
                yield WebhookMessage(
                    org_id=event.org_id,
                    webhook_id=webhook.id,
                    event_id=event.id,
                    type=str(event.type),
                    payload=payload,
                    thing=event.role_id or event.pack_id or "",
                )
