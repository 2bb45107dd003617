"""The trusted publishers of organisations, and the tokens of CI that were used.

An organisation's publishers are in one partition, by pack, so that an exchange reads those of its pack only. Their
number is an item of its own. An exchange writes the key, its event, the use of the token, and what the publisher learns
from it, in one transaction, on condition that the publisher is still as it was read. So a token makes one key, two
first tokens pin the ids of one of them, and a publisher that is removed makes no key any more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from packyard.packs.event import EventDraft, EventType
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.api_key_items import to_item as key_to_item
from packyard.store.cursor import Binding, Position
from packyard.store.events import EventLog
from packyard.store.keys import publisher_count_key, publisher_key, publishers_partition, used_token_key
from packyard.store.table import Action, Check, Delete, Put, Query, Table, TransactionFailed, Update, token_of
from packyard.store.tenant_events import key_issued
from packyard.store.wire import Item
from packyard.tenants.api_key import ApiKey
from packyard.tenants.publisher import MAX_PUBLISHERS, IssuerKind, Publisher

_COUNT: Final = "publishers"
# Sorts before every name of a pack.
_BEFORE_ALL: Final = "!"
_EXPIRY: Final = "expires_at"


class TooManyPublishers(Exception):
    """The organisation has as many publishers as it may have."""


class PublisherOutdated(Exception):
    """The publisher has changed since it was read, or is gone."""


class TokenUsed(Exception):
    """The token has made a key before."""


class PublisherStore:
    """The trusted publishers of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def of_pack(self, org_id: str, pack_name: str) -> Sequence[Publisher]:
        """Return the publishers of a pack, the oldest first. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return self._between(org_id, f"{pack_name}#", f"{pack_name}#~")

    def page(
        self, org_id: str, *, limit: int, position: Position | None = None, pack_name: str | None = None
    ) -> tuple[Sequence[Publisher], Position | None]:
        """Return a page of an organisation's publishers by pack, and where the next page begins. One consistent read.

        Args:
            org_id: The organisation.
            limit: How many publishers to return at most.
            position: Where the page begins; None for the start.
            pack_name: Only those of this pack; None for all.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        first, last = (_BEFORE_ALL, "~") if pack_name is None else (f"{pack_name}#", f"{pack_name}#~")
        after = first if position is None else f"{position}!"
        found = self._between(org_id, after, last, limit=limit + 1)
        page = found[:limit]
        more = len(found) > limit
        return page, Position(_sort_key(page[-1])) if more else None

    def get(self, org_id: str, publisher_id: str) -> Publisher | None:
        """Return a publisher by its id, or None. One consistent read of all of the organisation's, at most 100.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        found = self._between(org_id, _BEFORE_ALL, "~")
        return next((publisher for publisher in found if publisher.id == publisher_id), None)

    def add(self, publisher: Publisher) -> None:
        """Write a new publisher and its event. One transaction.

        Raises:
            TooManyPublishers: There are 100 already.
            ServiceUnavailable: DynamoDB did not answer; the publisher may have been written.
        """
        count = Update(
            key=publisher_count_key(publisher.org_id),
            change=f"ADD {_COUNT} :one",
            condition=f"attribute_not_exists({_COUNT}) OR {_COUNT} < :most",
            values={":one": 1, ":most": MAX_PUBLISHERS},
        )
        actions: list[Action] = [
            count,
            Put(item=_to_item(publisher), condition="attribute_not_exists(PK)"),
            self._events.put(_event(EventType.PUBLISHER_ADDED, publisher, publisher.created_by)),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise TooManyPublishers from None
            raise

    def remove(self, publisher: Publisher, *, by: str) -> None:
        """Remove a publisher and write the event. One transaction.

        Args:
            publisher: As it was read.
            by: Who removes it, a principal.

        Raises:
            PublisherOutdated: It is gone already.
            ServiceUnavailable: DynamoDB did not answer; the publisher may be gone.
        """
        actions: list[Action] = [
            Delete(key=_key(publisher), condition="attribute_exists(PK)"),
            Update(
                key=publisher_count_key(publisher.org_id),
                change=f"ADD {_COUNT} :minus_one",
                condition="attribute_exists(PK)",
                values={":minus_one": -1},
            ),
            self._events.put(_event(EventType.PUBLISHER_REMOVED, publisher, by)),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise PublisherOutdated from None
            raise

    def exchange(
        self, publisher: Publisher, key: ApiKey, *, pinned: Publisher, use: str, forgotten_at: datetime
    ) -> None:
        """Write the key that a token is exchanged for, with its event, and note that the token was used.

        Args:
            publisher: The publisher as it was read.
            key: The key.
            pinned: The publisher with what it learns from the token; the same one if that is nothing.
            use: The token's hash (`CiToken.use`).
            forgotten_at: When the token is refused anyway, so that DynamoDB may forget its use.

        Raises:
            TokenUsed: It has made a key before.
            PublisherOutdated: The publisher has learned something else meanwhile, or is gone.
            ServiceUnavailable: DynamoDB did not answer; the token may have been used.
        """
        used: Item = {
            **used_token_key(use),
            "org_id": key.org_id,
            "publisher_id": publisher.id,
            "expires_at": int(forgotten_at.timestamp()),
        }
        actions: list[Action] = [
            Put(item=used, condition="attribute_not_exists(PK)"),
            _as_it_was_read(publisher, pinned),
            Put(item=key_to_item(key), condition="attribute_not_exists(PK)"),
            self._events.put(key_issued(key, actor=key.principal)),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise TokenUsed from None
            if failure.reasons[1].condition_failed:
                raise PublisherOutdated from None
            raise

    def _between(
        self, org_id: str, first: str, last: str, *, limit: int | None = None
    ) -> Sequence[Publisher]:
        query = Query(
            condition="PK = :partition AND SK BETWEEN :first AND :last",
            values={":partition": publishers_partition(org_id), ":first": first, ":last": last},
            limit=limit,
        )
        page = self._table.query(query)
        items = page.items
        # A hundred publishers of the largest size are over DynamoDB's page of 1 MB.
        while page.last_key is not None and (limit is None or len(items) < limit):
            page = self._table.query(query, start=page.last_key)
            items = items + page.items
        return [_from_item(item) for item in items]


def binding(*, org_id: str, pack_name: str | None) -> Binding:
    """Return what a cursor of a list of publishers is valid for."""
    return {"listing": "publishers", "org_id": org_id, "pack_name": pack_name}


def _as_it_was_read(publisher: Publisher, pinned: Publisher) -> Check | Update:
    """Return the action that requires a publisher to be as it was read, and lets it learn what it has to."""
    unchanged = "attribute_exists(PK) AND pinned = :before"
    before = {":before": dict(publisher.pinned)}
    if pinned == publisher:
        return Check(key=_key(publisher), condition=unchanged, values=before)
    return Update(
        key=_key(publisher),
        change="SET pinned = :after",
        condition=unchanged,
        values={**before, ":after": dict(pinned.pinned)},
    )


def _event(kind: EventType, publisher: Publisher, actor: str) -> EventDraft:
    data: dict[str, Any] = {
        "publisher_id": publisher.id,
        "pack_name": publisher.pack_name,
        "issuer": publisher.kind.value if publisher.kind is not IssuerKind.OTHER else publisher.issuer,
        "issuer_url": publisher.issuer or None,
        "events": sorted(publisher.events) or None,
        "claims": dict(publisher.claims),
    }
    present = {name: value for name, value in data.items() if value is not None}
    return EventDraft(type=kind, org_id=publisher.org_id, actor=actor, data=present)


def _sort_key(publisher: Publisher) -> str:
    return _key(publisher)["SK"]


def _key(publisher: Publisher) -> dict[str, str]:
    return publisher_key(publisher.org_id, publisher.pack_name, publisher.id)


def _to_item(publisher: Publisher) -> Item:
    item: dict[str, Any] = {
        **_key(publisher),
        "id": publisher.id,
        "org_id": publisher.org_id,
        "pack_name": publisher.pack_name,
        "kind": publisher.kind.value,
        "issuer": publisher.issuer or None,
        "claims": dict(publisher.claims),
        "pinned": dict(publisher.pinned),
        "events": sorted(publisher.events) or None,
        "created_at": format_timestamp(publisher.created_at),
        "created_by": publisher.created_by,
        # Not the TTL attribute: a publisher that takes no tokens any more is shown until it is removed.
        "void_from": None if publisher.expires_at is None else format_timestamp(publisher.expires_at),
    }
    return {name: value for name, value in item.items() if value is not None}


def _from_item(item: Item) -> Publisher:
    return Publisher(
        id=item["id"],
        org_id=item["org_id"],
        pack_name=item["pack_name"],
        kind=IssuerKind(item["kind"]),
        issuer=item.get("issuer", ""),
        claims=item["claims"],
        pinned=item["pinned"],
        events=frozenset(item.get("events", ())),
        created_at=parse_timestamp(item["created_at"]),
        created_by=item["created_by"],
        expires_at=parse_timestamp(item["void_from"]) if "void_from" in item else None,
    )
