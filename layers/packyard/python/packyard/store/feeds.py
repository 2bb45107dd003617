"""The feeds of organisations.

A feed is two items that never change: one under the hash of its secret, which a door reads, and one in the list of its
organisation, which people read. Both are written and deleted in one transaction, with the number of the organisation's
feeds and the event. An index would need one item only, but it is behind: a feed that was just made would be missing.
"""

from collections.abc import Sequence
from typing import Any, Final

from packyard.packs.event import EventDraft, EventType
from packyard.packs.feed import MAX_FEEDS, Feed
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.cursor import Binding, Position
from packyard.store.events import EventLog
from packyard.store.keys import Key, feed_count_key, feed_entry_key, feed_key, feeds_partition
from packyard.store.table import Action, Delete, Put, Query, Table, TransactionFailed, Update, token_of
from packyard.store.wire import Item

_COUNT: Final = "feeds"
# Sort before and after every feed's id.
_BEFORE_ALL: Final = "feed_"
_AFTER_ALL: Final = "feed_~"


class TooManyFeeds(Exception):
    """The organisation has as many feeds as it may have."""


class FeedGone(Exception):
    """The feed was removed since it was read."""


class FeedStore:
    """The feeds of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def find(self, secret_hash: str) -> Feed | None:
        """Return the feed of a secret, also if it has expired, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(feed_key(secret_hash))
        return None if item is None else _from_item(item)

    def get(self, org_id: str, feed_id: str) -> Feed | None:
        """Return a feed of an organisation by its id, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(feed_entry_key(org_id, feed_id))
        return None if item is None else _from_item(item)

    def page(
        self, org_id: str, *, limit: int, position: Position | None = None
    ) -> tuple[Sequence[Feed], Position | None]:
        """Return a page of an organisation's feeds, the newest first, and where the next begins. One consistent read.

        Args:
            org_id: The organisation.
            limit: How many feeds to return at most.
            position: Where the page begins; None for the start.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        query = Query(
            condition="PK = :partition AND SK BETWEEN :first AND :last",
            values={
                ":partition": feeds_partition(org_id),
                ":first": _BEFORE_ALL,
                ":last": _AFTER_ALL if position is None else position,
            },
            # Both ends are part of a range, and the last one was on the page before.
            limit=limit + 2,
            backwards=True,
        )
        feeds = [_from_item(item) for item in self._table.query(query).items]
        feeds = [feed for feed in feeds if feed.id != position]
        more = len(feeds) > limit
        return feeds[:limit], Position(feeds[limit - 1].id) if more else None

    def add(self, feed: Feed) -> None:
        """Write a new feed and its event. One transaction.

        Raises:
            TooManyFeeds: The organisation has 100.
            ServiceUnavailable: DynamoDB did not answer; the feed may have been written.
        """
        count = Update(
            key=feed_count_key(feed.org_id),
            change=f"ADD {_COUNT} :one",
            condition=f"attribute_not_exists({_COUNT}) OR {_COUNT} < :most",
            values={":one": 1, ":most": MAX_FEEDS},
        )
        actions: list[Action] = [
            count,
            Put(item=_to_item(feed, feed_key(feed.secret_hash)), condition="attribute_not_exists(PK)"),
            Put(
                item=_to_item(feed, feed_entry_key(feed.org_id, feed.id)),
                condition="attribute_not_exists(PK)",
            ),
            self._events.put(_event(EventType.FEED_CREATED, feed, feed.created_by)),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise TooManyFeeds from None
            raise

    def remove(self, feed: Feed, *, by: str) -> None:
        """Remove a feed and write the event. One transaction.

        Args:
            feed: The feed.
            by: Who removes it, a principal.

        Raises:
            FeedGone: It was removed meanwhile.
            ServiceUnavailable: DynamoDB did not answer; the feed may be gone.
        """
        actions: list[Action] = [
            Delete(key=feed_entry_key(feed.org_id, feed.id), condition="attribute_exists(PK)"),
            Delete(key=feed_key(feed.secret_hash), condition="attribute_exists(PK)"),
            Update(
                key=feed_count_key(feed.org_id),
                change=f"ADD {_COUNT} :less",
                condition=f"{_COUNT} > :none",
                values={":less": -1, ":none": 0},
            ),
            self._events.put(_event(EventType.FEED_REMOVED, feed, by)),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise FeedGone from None
            raise


def binding(*, org_id: str) -> Binding:
    """Return what a cursor of a list of feeds is valid for."""
    return {"listing": "feeds", "org_id": org_id}


def _event(kind: EventType, feed: Feed, actor: str) -> EventDraft:
    data: dict[str, Any] = {
        "feed_id": feed.id,
        "label": feed.label,
        "pack_ids": list(feed.pack_ids) or None,
        "expires_at": None if feed.expires_at is None else format_timestamp(feed.expires_at),
    }
    present = {name: value for name, value in data.items() if value is not None}
    return EventDraft(type=kind, org_id=feed.org_id, actor=actor, role_id=feed.role_id, data=present)


def _to_item(feed: Feed, key: Key) -> Item:
    item: dict[str, Any] = {
        **key,
        "id": feed.id,
        "secret_hash": feed.secret_hash,
        "org_id": feed.org_id,
        "role_id": feed.role_id,
        "pack_ids": list(feed.pack_ids) or None,
        "label": feed.label,
        "created_at": format_timestamp(feed.created_at),
        "created_by": feed.created_by,
        # Not the TTL attribute: people see what has expired until they remove it, and it counts until then.
        "void_from": None if feed.expires_at is None else format_timestamp(feed.expires_at),
    }
    return {name: value for name, value in item.items() if value is not None}


def _from_item(item: Item) -> Feed:
    return Feed(
        id=item["id"],
        secret_hash=item["secret_hash"],
        org_id=item["org_id"],
        role_id=item.get("role_id"),
        pack_ids=tuple(item.get("pack_ids", ())),
        label=item.get("label"),
        created_at=parse_timestamp(item["created_at"]),
        created_by=item["created_by"],
        expires_at=parse_timestamp(item["void_from"]) if "void_from" in item else None,
    )
