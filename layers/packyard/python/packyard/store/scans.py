"""The results of scans, and what they are judged by: policies of organisations, and overrides of packs.

A publish writes the result of its image in its own transaction (`scan_items.scan_put`). A later scan replaces it on
condition that it is as it was read: so of two at once, one counts, and a result that was deleted does not come back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packyard.oci.digest import Digest
from packyard.packs.event import EventDraft, EventType
from packyard.packs.pack import Pack
from packyard.packs.timestamp import format_timestamp
from packyard.scanning.override import ScanOverride
from packyard.scanning.policy import ScanPolicy
from packyard.scanning.result import ScanResult
from packyard.store.events import EventLog
from packyard.store.keys import (
    SCAN_SHARDS,
    Key,
    scan_key,
    scan_overrides_key,
    scan_policy_key,
    scans_partition,
)
from packyard.store.scan_items import COMPLETE, WAITING, StoredScan, from_item, to_item
from packyard.store.scan_override_items import overrides_of
from packyard.store.scan_policy_items import policy_of
from packyard.store.table import Action, Item, Query, Table, TransactionFailed, Update, token_of

# How many results of a shard are read at once.
_PAGE: Final = 25


class ScanOutdated(Exception):
    """The result is not as it was read: another scan has replaced it, or it is deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the result of a scan is judged by, and the result of the image before.

    Attributes:
        policy: Of the organisation.
        overrides: Of the pack.
        stored: The result that was asked for; None if there is none.
    """

    policy: ScanPolicy
    overrides: Sequence[ScanOverride]
    stored: StoredScan | None


class ScanStore:
    """The results of scans of all packs.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, pack_id: str, digest: Digest) -> StoredScan | None:
        """Return the result of an image; None if there is none. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(scan_key(pack_id, digest))
        return None if item is None else from_item(item)

    def judgement(self, *, org_id: str, pack_id: str | None, digest: Digest | None = None) -> Judgement:
        """Return what a scan is judged by. One consistent read.

        Args:
            org_id: Whose policy counts.
            pack_id: Whose overrides count; None for a new pack, which has none.
            digest: The image of the pack whose result is wanted; None for none.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        if pack_id is None:
            of_the_org = policy_of(self._table.get(scan_policy_key(org_id)))
            return Judgement(policy=of_the_org.policy, overrides=(), stored=None)
        keys: list[Key] = [scan_policy_key(org_id), scan_overrides_key(pack_id)]
        if digest is not None:
            keys.append(scan_key(pack_id, digest))
        items = {(item["PK"], item["SK"]): item for item in self._table.get_many(keys)}
        policy, overrides, *results = (items.get((key["PK"], key["SK"])) for key in keys)
        stored = results[0] if results else None
        return Judgement(
            policy=policy_of(policy).policy,
            overrides=overrides_of(overrides).overrides,
            stored=None if stored is None else from_item(stored),
        )

    def due(self, *, rules: str, now: datetime) -> Iterator[StoredScan]:
        """Yield the results whose images are to be scanned again, those that wait for an instant first.

        The index is eventually consistent, usually within a second.

        Args:
            rules: The present version of the rules.
            now: The present instant, UTC.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        present = f"{COMPLETE}#{rules}#"
        ranges = (
            (f"{WAITING}#", f"{WAITING}#{format_timestamp(now)}#~"),
            (f"{COMPLETE}#", present),
            # What follows every key that begins so: `$` is the character after `#`.
            (f"{COMPLETE}#{rules}$", f"{COMPLETE}#~"),
        )
        for first, last in ranges:
            for shard in range(SCAN_SHARDS):
                yield from map(from_item, self._listed(shard, first, last))

    def _listed(self, shard: int, first: str, last: str) -> Iterator[Item]:
        query = Query(
            index="GSI3",
            condition="GSI3PK = :shard AND GSI3SK BETWEEN :first AND :last",
            values={":shard": scans_partition(shard), ":first": first, ":last": last},
            limit=_PAGE,
        )
        page = self._table.query(query)
        yield from page.items
        while page.last_key is not None:
            page = self._table.query(query, start=page.last_key)
            yield from page.items

    def replace(self, before: StoredScan, after: StoredScan, *, pack: Pack, by: str) -> None:
        """Replace a result, and tell the owner if it differs. One transaction.

        Args:
            before: The result as it was read.
            after: The result of the later scan.
            pack: The pack.
            by: Who scans, for the event.

        Raises:
            ScanOutdated: It is not as it was read.
            ServiceUnavailable: DynamoDB did not answer; it may be written.
        """
        item = to_item(after)
        names = [name for name in item if name not in ("PK", "SK")]
        removed = [name for name in ("scanner", "incomplete") if name not in item]
        change = Update(
            key=scan_key(before.pack_id, before.digest),
            change="SET "
            + ", ".join(f"#{name} = :{name}" for name in names)
            + ("" if not removed else " REMOVE " + ", ".join(f"#{name}" for name in removed)),
            condition="#version = :read AND scanned_at = :read_at",
            values={f":{name}": item[name] for name in names}
            | {":read": before.version, ":read_at": format_timestamp(before.result.at)},
            names={f"#{name}": name for name in (*names, *removed)},
        )
        actions: list[Action] = [change]
        if _differs(before.result, after.result):
            actions.append(self._events.put(_finished(after, pack, by)))
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise ScanOutdated from None
            raise

    def forget(self, pack_id: str, digest: Digest) -> None:
        """Delete a result whose pack or image is gone. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; it may be deleted.
        """
        self._table.write_many(put=[], delete=[scan_key(pack_id, digest)])


def _differs(before: ScanResult, after: ScanResult) -> bool:
    return before.status is not after.status or before.findings != after.findings


def _finished(after: StoredScan, pack: Pack, by: str) -> EventDraft:
    return EventDraft(
        type=EventType.SCAN_FINISHED,
        org_id=after.org_id,
        actor=by,
        pack_id=after.pack_id,
        data={
            "name": str(pack.name),
            "image_digest": after.digest,
            "current": after.digest == pack.image_digest,
            "rules": after.result.rules,
            **after.result.summary(),
        },
    )
