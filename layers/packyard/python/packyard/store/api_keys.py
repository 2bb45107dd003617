"""The API keys of organisations, as their own members make, list and revoke them.

The authorizer finds a key by the hash of its secret, with a consistent read. So a new key works at once, and a revoked
one stops working at once. The list comes from an index, which is eventually consistent, usually within a second.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from packyard.packs.timestamp import format_timestamp
from packyard.store.api_key_items import from_item
from packyard.store.cursor import Binding, Position
from packyard.store.events import EventLog
from packyard.store.keys import API_KEY_PREFIX, api_key_index_key, api_key_key, api_keys_partition
from packyard.store.table import Query, Table
from packyard.tenants.api_key import ApiKey

# For this long, a list shows a key that was revoked.
REVOKED_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage:
    """One page of an organisation's keys.

    Attributes:
        keys: The newest first. With a pack's name there may be few or none, although more pages follow.
        next_position: Where the next page begins; None on the last page.
    """

    keys: tuple[ApiKey, ...]
    next_position: Position | None


class ApiKeyStore:
    """The API keys of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def put(self, key: ApiKey, *, by: str) -> None:
        """Write a new key and its event, both or neither. One transaction.

        Args:
            key: The key.
            by: Who issues it, a principal.

        Raises:
            ConditionFailed: There is a key with the same hash.
            ServiceUnavailable: DynamoDB did not answer; the key may have been written.
        """
        from packyard.store.key_writes import put_key  # noqa: PLC0415 - only writes need it

        put_key(self._table, key, by=by, events=self._events)

    def get(self, key_hash: str) -> ApiKey | None:
        """Return a key, even if it is revoked or expired, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(api_key_key(key_hash))
        return None if item is None else from_item(item)

    def revoke(self, key: ApiKey, *, by: str, at: datetime) -> ApiKey | None:
        """Revoke a key and return it; None if it has expired meanwhile. The first revocation is kept.

        One transaction, which also writes the event. A key that was revoked before is returned without a write.

        Args:
            key: The key, as it was read.
            by: Who revokes it, a principal.
            at: The time of the revocation.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; the key may have been revoked.
        """
        if key.revoked_at is not None:
            return key
        from packyard.store.key_writes import revoke_key  # noqa: PLC0415 - only writes need it

        revoked = replace(key, revoked_at=at, revoked_by=by)
        forgotten_at = at + REVOKED_KEPT
        return revoke_key(self._table, revoked, by=by, events=self._events, forgotten_at=forgotten_at)

    def page(
        self, org_id: str, *, limit: int, position: Position | None = None, pack_name: str | None = None
    ) -> KeyPage:
        """Return a page of an organisation's keys, including revoked and expired ones. One read of the index.

        Args:
            org_id: The organisation.
            limit: How many keys to look at, 1 to 100.
            position: The previous page's `next_position`; None for the first page.
            pack_name: Only keys for this pack; None for all keys.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        # `~` sorts after every key of the index.
        before = f"{API_KEY_PREFIX}~" if position is None else position
        page = self._table.query(
            Query(
                index="GSI1",
                condition="GSI1PK = :partition AND GSI1SK < :before",
                values={":partition": api_keys_partition(org_id), ":before": before},
                limit=limit + 1,
                backwards=True,
            )
        )
        keys = [from_item(item) for item in page.items[:limit]]
        more = len(page.items) > limit or page.last_key is not None
        return KeyPage(
            keys=tuple(key for key in keys if pack_name in (None, key.pack_name)),
            next_position=_position(keys[-1]) if more else None,
        )

    def count(self, org_id: str, *, now: datetime, most: int) -> tuple[int, int]:
        """Return how many keys of an organisation are live, and how many there are in all. One read for 1 MB of keys.

        Args:
            org_id: The organisation.
            now: The present instant.
            most: Counting ends when this many have been read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        query = Query(
            index="GSI1",
            condition="GSI1PK = :partition",
            values={":partition": api_keys_partition(org_id)},
            limit=most,
        )
        page = self._table.query(query)
        keys = [from_item(item) for item in page.items]
        while page.last_key is not None and len(keys) < most:
            page = self._table.query(query, start=page.last_key)
            keys += [from_item(item) for item in page.items]
        return sum(key.is_live(now) for key in keys), len(keys)


def binding(*, org_id: str, pack_name: str | None) -> Binding:
    """Return what a cursor of a list of keys is valid for."""
    return {"listing": "keys", "org_id": org_id, "pack_name": pack_name}


def _position(key: ApiKey) -> Position:
    index_key = api_key_index_key(key.org_id, format_timestamp(key.created_at), key.key_hash)
    return Position(index_key["GSI1SK"])
