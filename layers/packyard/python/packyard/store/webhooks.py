"""The webhooks of organisations. All of one organisation's are one item, so that one read finds who is to be told.

Each webhook is an attribute of the item, by its id. A change replaces it on condition that it is at the revision that
was read, in one transaction with its event. That a webhook fails, or works again, is noted without an event or a
revision.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from packyard.packs.event import EventDraft
from packyard.packs.timestamp import format_timestamp
from packyard.store.events import EventLog
from packyard.store.keys import webhooks_key
from packyard.store.table import ConditionFailed, Table, TransactionFailed, Update, token_of
from packyard.store.webhook_items import webhook_of, webhook_to_map
from packyard.store.wire import Item
from packyard.webhooks.webhook import MAX_WEBHOOKS, Webhook, is_webhook_id

# How many webhooks the item has.
_COUNT: Final = "webhooks"


class WebhookOutdated(Exception):
    """The webhook has changed since it was read, or is gone."""


class TooManyWebhooks(Exception):
    """The organisation has as many webhooks as it may have."""


class WebhookStore:
    """The webhooks of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def of(self, org_id: str) -> Mapping[str, Webhook]:
        """Return an organisation's webhooks by id, the oldest first. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(webhooks_key(org_id))
        return {} if item is None else _webhooks(item)

    def of_many(self, org_ids: Collection[str]) -> Mapping[str, Mapping[str, Webhook]]:
        """Return the webhooks of several organisations, by organisation. One consistent read for each 100.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        items = self._table.get_many([webhooks_key(org_id) for org_id in dict.fromkeys(org_ids)])
        return {item["org_id"]: _webhooks(item) for item in items}

    def create(self, webhook: Webhook, event: EventDraft) -> None:
        """Write a new webhook and its event. One transaction.

        Raises:
            TooManyWebhooks: There are 20 already.
            ServiceUnavailable: DynamoDB did not answer; the webhook may have been written.
        """
        update = Update(
            key=webhooks_key(webhook.org_id),
            change=f"SET #webhook = :webhook, org_id = :org_id ADD {_COUNT} :one",
            condition=f"attribute_not_exists(#webhook) AND (attribute_not_exists({_COUNT}) OR {_COUNT} < :most)",
            values={
                ":webhook": webhook_to_map(webhook),
                ":org_id": webhook.org_id,
                ":one": 1,
                ":most": MAX_WEBHOOKS,
            },
            names={"#webhook": webhook.id},
        )
        try:
            self._transact(update, event)
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise TooManyWebhooks from None
            raise

    def change(self, webhook: Webhook, event: EventDraft) -> Webhook:
        """Write a webhook's next revision and its event, and return the webhook. One transaction.

        Args:
            webhook: What it is to be, with the revision at which it was read.
            event: What happens.

        Raises:
            WebhookOutdated: It is not at that revision, or is gone.
            ServiceUnavailable: DynamoDB did not answer; the webhook may have been written.
        """
        changed = replace(webhook, revision=webhook.revision + 1)
        update = Update(
            key=webhooks_key(webhook.org_id),
            change="SET #webhook = :webhook",
            condition="#webhook.revision = :read",
            values={":webhook": webhook_to_map(changed), ":read": webhook.revision},
            names={"#webhook": webhook.id},
        )
        self._change(update, event)
        return changed

    def delete(self, webhook: Webhook, event: EventDraft) -> None:
        """Remove a webhook and write its event. One transaction.

        Raises:
            WebhookOutdated, ServiceUnavailable: As for `change`.
        """
        update = Update(
            key=webhooks_key(webhook.org_id),
            change=f"REMOVE #webhook ADD {_COUNT} :minus_one",
            condition="#webhook.revision = :read",
            values={":minus_one": -1, ":read": webhook.revision},
            names={"#webhook": webhook.id},
        )
        self._change(update, event)

    def note_failing(self, webhook: Webhook, *, since: datetime) -> None:
        """Note that deliveries fail, unless that is noted already. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._note(
            webhook,
            "SET #webhook.failing_since = :since",
            "attribute_exists(#webhook) AND attribute_not_exists(#webhook.failing_since)",
            {":since": format_timestamp(since)},
        )

    def note_working(self, webhook: Webhook) -> None:
        """Note that deliveries succeed again. One write.

        Args:
            webhook: As it was read, with `failing_since`. If failures were noted anew since then, those stay.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        if webhook.failing_since is None:
            return
        since = format_timestamp(webhook.failing_since)
        self._note(
            webhook, "REMOVE #webhook.failing_since", "#webhook.failing_since = :since", {":since": since}
        )

    def _note(self, webhook: Webhook, change: str, condition: str, values: Mapping[str, Any]) -> None:
        try:
            self._table.update(
                Update(
                    key=webhooks_key(webhook.org_id),
                    change=change,
                    condition=condition,
                    values=values,
                    names={"#webhook": webhook.id},
                )
            )
        except ConditionFailed:
            return

    def _change(self, update: Update, event: EventDraft) -> None:
        try:
            self._transact(update, event)
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise WebhookOutdated from None
            raise

    def _transact(self, update: Update, event: EventDraft) -> None:
        actions = (update, self._events.put(event))
        self._table.transact(actions, token=token_of(actions))


def _webhooks(item: Item) -> Mapping[str, Webhook]:
    return {name: webhook_of(item["org_id"], item[name]) for name in sorted(item) if is_webhook_id(name)}
