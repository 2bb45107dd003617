"""The queues of deliveries: events on their way to webhooks (decision 114).

First attempts are in a FIFO queue, so that the events of one pack are tried in their order. What has failed goes to a
standard queue, where it waits without holding up what comes after it. What has failed for a day goes to the dead
letters.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from packyard.aws.outages import outages_translated
from packyard.errors import ServiceUnavailable
from packyard.messaging.cleanup_queue import Queue
from packyard.packs.timestamp import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Events of one webhook are tried in this many lanes at the same time. A pack's events are all in one lane.
LANES: Final = 8
# API_SendMessageBatch: the most messages. The bytes stay below the limit of every Region.
_BATCH_MESSAGES: Final = 10
_BATCH_BYTES: Final = 200_000
# What SQS counts of a message beside its body.
_MESSAGE_OVERHEAD: Final = 500
_ATTEMPTS: Final = 3
# API_SendMessage, DelaySeconds.
_LONGEST_DELAY: Final = timedelta(seconds=900)
# Who waits behind whom in the standard queue (SQS developer guide, "Fair queues").
_BUS_GROUP: Final = "event-bus"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """An event that is to be sent to a webhook.

    Attributes:
        org_id: The organisation.
        webhook_id: The webhook.
        event_id: The event's id, which is the delivery's too.
        type: The event's type.
        payload: What is sent, JSON text.
        thing: What the event is about: events of one thing are tried in their order. Empty for the organisation.
        first_at: When it was first tried; None if it was not.
        again: Tells a redelivery that a client has asked for from the delivery; empty for that.
    """

    org_id: str
    webhook_id: str
    event_id: str
    type: str
    payload: str
    thing: str = ""
    first_at: datetime | None = None
    again: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusMessage:
    """An event that could not be put on the event bus, and is to be tried again.

    Attributes:
        entry: As API_PutEvents takes it.
    """

    entry: Mapping[str, Any]


Message = WebhookMessage | BusMessage


class DeliveryQueue(Queue):
    """The queues of deliveries.

    Args:
        client: An SQS client.
        url: The URL of the FIFO queue.
        retry_url: The URL of the queue of what has failed. `put_back` is about its messages.
        dead_letters_url: The URL of its dead-letter queue.
    """

    def __init__(self, *, client: "SQSClient", url: str, retry_url: str, dead_letters_url: str) -> None:
        super().__init__(client=client, url=retry_url)
        self._first_url = url
        self._dead_letters_url = dead_letters_url

    def send(self, messages: Iterable[WebhookMessage]) -> None:
        """Send messages for their first attempt, in their order. One call for up to ten.

        Within five minutes, SQS takes the same message once, so that a repeat does no harm.

        Raises:
            ServiceUnavailable: SQS did not take all of them.
        """
        for batch in _batches(messages):
            self._send(batch)

    def _send(self, batch: Sequence[tuple[WebhookMessage, str]]) -> None:
        entries: list[Any] = [
            {
                "Id": str(number),
                "MessageBody": body,
                "MessageGroupId": f"{message.webhook_id}.{_lane(message.thing)}",
                "MessageDeduplicationId": f"{message.event_id}.{message.webhook_id}.{message.again}",
            }
            for number, (message, body) in enumerate(batch)
        ]
        for _ in range(_ATTEMPTS):
            with outages_translated():
                answer = self._client.send_message_batch(QueueUrl=self._first_url, Entries=entries)
            failed = {failure["Id"] for failure in answer.get("Failed", [])}
            if not failed:
                return
            # The ones behind a failed one are sent again too, so that they come after it. SQS drops those it has.
            first = min(int(number) for number in failed)
            entries = [entry for entry in entries if int(entry["Id"]) >= first]
        raise ServiceUnavailable

    def retry_later(self, message: Message, wait: timedelta) -> None:
        """Send a message that has failed, to be tried again after `wait`, or after 15 minutes if that is sooner.

        Raises:
            ServiceUnavailable: SQS did not answer.
        """
        with outages_translated():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=message_body(message),
                DelaySeconds=int(min(wait, _LONGEST_DELAY).total_seconds()),
                MessageGroupId=message.org_id if isinstance(message, WebhookMessage) else _BUS_GROUP,
            )

    def bury(self, message: Message) -> None:
        """Send a message to the dead letters.

        Raises:
            ServiceUnavailable: SQS did not answer.
        """
        with outages_translated():
            self._client.send_message(QueueUrl=self._dead_letters_url, MessageBody=message_body(message))


def message_body(message: Message) -> str:
    """Return the body of a message."""
    if isinstance(message, BusMessage):
        return json.dumps({"kind": "event_bus", "entry": message.entry}, separators=(",", ":"))
    fields = {
        "kind": "webhook",
        "org_id": message.org_id,
        "webhook_id": message.webhook_id,
        "event_id": message.event_id,
        "type": message.type,
        "payload": message.payload,
        "thing": message.thing,
        "first_at": None if message.first_at is None else format_timestamp(message.first_at),
        "again": message.again,
    }
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def parse_message(body: str) -> Message:
    """Return the message of a body that `message_body` has returned.

    Raises:
        ValueError: It is not such a body.
    """
    try:
        fields = json.loads(body)
        kind = fields.pop("kind")
        if kind == "event_bus":
            return BusMessage(**fields)
        if kind == "webhook":
            first_at = fields.pop("first_at")
            return WebhookMessage(**fields, first_at=None if first_at is None else parse_timestamp(first_at))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("not a message of a delivery") from error
    raise ValueError("a message of an unknown kind")


def _batches(messages: Iterable[WebhookMessage]) -> Iterator[list[tuple[WebhookMessage, str]]]:
    batch: list[tuple[WebhookMessage, str]] = []
    size = 0
    for message in messages:
        body = message_body(message)
        cost = len(body.encode()) + _MESSAGE_OVERHEAD
        if batch and (len(batch) == _BATCH_MESSAGES or size + cost > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((message, body))
        size += cost
    if batch:
        yield batch


def _lane(thing: str) -> int:
    return hashlib.sha256(thing.encode()).digest()[0] % LANES
