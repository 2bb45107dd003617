"""From how many networks a feed is used, a day at a time: a sign that an address has been passed on (decision 137).

A day is one item, with what names each network. The first use from a network writes it, and no other use does. From a
number on the organisation is told, once a day, by an event in the transaction that notes it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from packyard.packs.event import EventDraft, EventType
from packyard.packs.feed import Feed
from packyard.store.events import EventLog
from packyard.store.keys import FEED_USE_PREFIX, feed_key, feed_use_key
from packyard.store.table import Action, ConditionFailed, Query, Table, TransactionFailed, Update, token_of
from packyard.store.wire import Item

# An organisation behind one address has one network; its people at home and on the road have some more.
SHARED_FROM: Final = 20
# More are not counted, so that an address that everybody has costs no more writes.
MAX_NETWORKS: Final = 50
_KEPT: Final = timedelta(days=30)
# Nobody in particular: the service itself has noticed.
_ACTOR: Final = "feeds"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDay:
    """What is known of a feed's last day of use.

    Attributes:
        day: The day, UTC, in the form of ISO 8601.
        networks: From how many networks it was used, 1 to 50.
    """

    day: str
    networks: int


class FeedUses:
    """The uses of all feeds.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def note(self, feed: Feed, network: str, *, at: datetime) -> None:
        """Note that a feed was used from a network. One write; two more for the one that makes it too many.

        Args:
            feed: The feed.
            network: What names the network on that day.
            at: The present instant, UTC.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; it may have been noted.
        """
        key = feed_use_key(feed.secret_hash, at.date().isoformat())
        noted = Update(
            key=key,
            change="SET networks = list_append(if_not_exists(networks, :none), :networks), expires_at = :expires_at",
            condition="attribute_not_exists(networks) OR "
            "(NOT contains(networks, :network) AND size(networks) < :most)",
            values={
                ":none": [],
                ":networks": [network],
                ":network": network,
                ":most": MAX_NETWORKS,
                ":expires_at": int((at + _KEPT).timestamp()),
            },
        )
        try:
            day = self._table.update(noted)
        except ConditionFailed:
            # It is known, or there are enough.
            return
        if len(day["networks"]) >= SHARED_FROM and "told" not in day:
            self._tell(feed, day, at)

    def last(self, feed: Feed) -> FeedDay | None:
        """Return the last day on which a feed was used; None for none in 30 days. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        query = Query(
            condition="PK = :feed AND begins_with(SK, :use)",
            values={":feed": feed_key(feed.secret_hash)["PK"], ":use": FEED_USE_PREFIX},
            limit=1,
            backwards=True,
        )
        for item in self._table.query(query).items:
            return FeedDay(day=item["SK"].removeprefix(FEED_USE_PREFIX), networks=len(item["networks"]))
        return None

    def _tell(self, feed: Feed, day: Item, at: datetime) -> None:
        """Write the event, unless it was written. If we die before, the next new network of the day does it."""
        told = Update(
            key=feed_use_key(feed.secret_hash, at.date().isoformat()),
            change="SET told = :told",
            condition="attribute_not_exists(told)",
            values={":told": True},
        )
        event = EventDraft(
            type=EventType.FEED_SHARED,
            org_id=feed.org_id,
            actor=_ACTOR,
            role_id=feed.role_id,
            data={"feed_id": feed.id, "label": feed.label or "", "networks": len(day["networks"])},
        )
        actions: list[Action] = [told, self._events.put(event)]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if not failure.reasons[0].condition_failed:
                raise
