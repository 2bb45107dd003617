"""Delivers one event to one webhook, and decides what follows from what comes of it.

    read the webhook → send → write what came of it → (note that the webhook fails, or works again)
                              → (wait in the retry queue | dead letter | disable the webhook)

A process that dies after it has sent leaves the message in its queue. The event is sent again, with the same
`webhook-id`: at least once. The first attempts of a batch that succeeded are written together, at its end. A webhook
that failed is not tried a second time in the same batch, so that one receiver that does not answer costs a batch no
more than ten seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools import Logger

from packyard.aws.sealed_secrets import SealedSecrets
from packyard.messaging.delivery_queue import BusMessage, DeliveryQueue, WebhookMessage, parse_message
from packyard.messaging.event_bus import EventBus
from packyard.messaging.not_yet import NotYet
from packyard.network.sender import Sender
from packyard.operations.webhooks import sealed_for
from packyard.packs.event import EventDraft, EventType
from packyard.store.deliveries import Attempt, DeliveryStore
from packyard.store.webhooks import WebhookOutdated, WebhookStore
from packyard.webhooks.delivery import FAILING_FOR, RETRIED_FOR, DeliveryStatus, Outcome, next_wait
from packyard.webhooks.payload import TEST_TYPE
from packyard.webhooks.signature import signed_headers
from packyard.webhooks.webhook import DisabledBecause, Webhook

logger = Logger(child=True)

# Who disables webhooks, in events.
ACTOR: Final = "delivery"


@dataclass(slots=True, kw_only=True)
class Deliverer:
    """Handles the messages of deliveries.

    Attributes:
        webhooks: Where webhooks are.
        deliveries: Where what came of deliveries is kept.
        queue: Takes what has failed.
        secrets: Decrypts the secrets that sign.
        sender: Sends.
        bus: The operator's event bus; None without one.
        clock: The present instant, UTC.
        random: A random number from 0 up to 1.
    """

    webhooks: WebhookStore
    deliveries: DeliveryStore
    queue: DeliveryQueue
    secrets: SealedSecrets
    sender: Sender
    bus: EventBus | None
    clock: Callable[[], datetime]
    random: Callable[[], float]
    _read: dict[str, Mapping[str, Webhook]] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)
    _delivered: dict[tuple[str, str], tuple[WebhookMessage, Attempt]] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin a batch of messages. Webhooks are read once in a batch."""
        self._read.clear()
        self._failed.clear()
        self._delivered.clear()

    def end(self) -> None:
        """End a batch of first attempts: write of those that succeeded that they did, in one request.

        If that fails, they go to the retry queue, as if they had failed.

        Raises:
            ServiceUnavailable: SQS did not take them either.
        """
        delivered = list(self._delivered.values())
        try:
            self._write_delivered()
        except Exception:
            logger.exception("deliveries are made again later", extra={"deliveries": len(delivered)})
            for message, attempt in delivered:
                self._retry(message, self._wait(message, None), at=attempt.at)

    def first(self, body: str) -> None:
        """Handle a message of the FIFO queue. What fails goes to the retry queue, so nothing waits behind it.

        Raises:
            ServiceUnavailable: SQS did not take what failed.
            ValueError: The message is not one of ours.
        """
        message = parse_message(body)
        if not isinstance(message, WebhookMessage):
            raise ValueError("only messages for webhooks have a first attempt")  # noqa: TRY004 - a bad value
        now = self.clock()
        try:
            wait = self._deliver(message)
        except Exception:
            logger.exception("a delivery is tried again later", extra={"event": message.event_id})
            wait = self._wait(message, None)
        if wait is not None:
            self._retry(message, wait, at=now)

    def again(self, body: str) -> None:
        """Handle a message of the retry queue.

        Raises:
            NotYet: It has failed, and is to be tried again.
            ServiceUnavailable: AWS did not answer.
            ValueError: The message is not one of ours.
        """
        message = parse_message(body)
        if isinstance(message, BusMessage):
            if self.bus is not None:
                self.bus.put_one(message.entry)
            return
        self._delivered.clear()
        try:
            wait = self._deliver(message)
        finally:
            self._write_delivered()
        if wait is not None:
            now = self.clock()
            raise NotYet(now + wait, now=now)

    def _deliver(self, message: WebhookMessage) -> timedelta | None:
        """Try to deliver, and return how long to wait before the next attempt; None if there is to be none."""
        webhook = self._webhook(message)
        if webhook is None:
            return None
        key = (message.webhook_id, message.event_id)
        if key in self._delivered:
            # A redelivery that a client asked for has come with the delivery. What comes of it is written after that.
            self._write_delivered()
        is_test = message.type == TEST_TYPE
        if not webhook.is_active and not is_test:
            self._record(message, DeliveryStatus.DROPPED, None)
            return None
        if webhook.id in self._failed:
            return self._wait(message, None)
        outcome = self._send(webhook, message)
        if outcome.succeeded:
            self._delivered[key] = message, self._attempt(message, DeliveryStatus.DELIVERED, outcome)
            if webhook.failing_since is not None:
                self.webhooks.note_working(webhook)
            return None
        self._failed.add(webhook.id)
        if is_test:
            self._record(message, DeliveryStatus.FAILED, outcome)
            return None
        return self._after_failure(webhook, message, outcome)

    def _webhook(self, message: WebhookMessage) -> Webhook | None:
        if message.org_id not in self._read:
            self._read[message.org_id] = self.webhooks.of(message.org_id)
        return self._read[message.org_id].get(message.webhook_id)

    def _send(self, webhook: Webhook, message: WebhookMessage) -> Outcome:
        now = self.clock()
        secrets = [self.secrets.open(secret.sealed, sealed_for(webhook)) for secret in webhook.signing(now)]
        body = message.payload.encode()
        headers = signed_headers(secrets, message_id=message.event_id, at=now, body=body)
        return self.sender.post(webhook.url, body, headers)

    def _after_failure(self, webhook: Webhook, message: WebhookMessage, outcome: Outcome) -> timedelta | None:
        now = self.clock()
        logger.info(
            "a delivery has failed",
            extra={
                "webhook": webhook.id,
                "event": message.event_id,
                "error": outcome.error,
                "status": outcome.status,
            },
        )
        if webhook.failing_since is None:
            self.webhooks.note_failing(webhook, since=now)
        is_gone = outcome.status == HTTPStatus.GONE
        is_given_up = webhook.failing_since is not None and now - webhook.failing_since >= FAILING_FOR
        if is_gone or is_given_up:
            self._disable(webhook, DisabledBecause.GONE if is_gone else DisabledBecause.FAILING)
        if is_gone or is_given_up or now - (message.first_at or now) >= RETRIED_FOR:
            self._record(message, DeliveryStatus.FAILED, outcome)
            self.queue.bury(message)
            return None
        wait = self._wait(message, outcome.retry_after)
        self._record(message, DeliveryStatus.RETRYING, outcome, next_at=now + wait)
        return wait

    def _disable(self, webhook: Webhook, because: DisabledBecause) -> None:
        now = self.clock()
        event = EventDraft(
            type=EventType.WEBHOOK_DISABLED,
            org_id=webhook.org_id,
            actor=ACTOR,
            data={"webhook_id": webhook.id, "because": because.value},
        )
        # A webhook that has been changed meanwhile is judged by its next delivery.
        try:
            self.webhooks.change(webhook.disabled(because, now=now), event)
        except WebhookOutdated:
            return
        self._read.pop(webhook.org_id, None)

    def _wait(self, message: WebhookMessage, retry_after: timedelta | None) -> timedelta:
        now = self.clock()
        return next_wait(now - (message.first_at or now), retry_after=retry_after, random=self.random())

    def _retry(self, message: WebhookMessage, wait: timedelta, *, at: datetime) -> None:
        self.queue.retry_later(replace(message, first_at=message.first_at or at), wait)

    def _write_delivered(self) -> None:
        """Write what was gathered. If that fails it stays, and is written or sent again at the end of the batch."""
        if self._delivered:
            self.deliveries.record([attempt for _, attempt in self._delivered.values()])
            self._delivered.clear()

    def _record(
        self,
        message: WebhookMessage,
        status: DeliveryStatus,
        outcome: Outcome | None,
        next_at: datetime | None = None,
    ) -> None:
        self.deliveries.record([self._attempt(message, status, outcome, next_at)])

    def _attempt(
        self,
        message: WebhookMessage,
        status: DeliveryStatus,
        outcome: Outcome | None,
        next_at: datetime | None = None,
    ) -> Attempt:
        return Attempt(
            org_id=message.org_id,
            webhook_id=message.webhook_id,
            delivery_id=message.event_id,
            type=message.type,
            at=self.clock(),
            status=status,
            outcome=outcome,
            next_at=next_at,
        )
