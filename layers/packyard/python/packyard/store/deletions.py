"""Deleting packs: from the decision to the tombstone.

One write changes a pack's row from `active` to `deleting`, on condition that no role references the pack. After that,
the row can only become `deleted`. Every write that attaches or updates a pack has the condition that its status is
`active`. So of a deletion and such a write, the first one succeeds and the other one is refused.

The row of a deleted pack stays for 30 days, so that a repeated request can be answered with success. The pack's
history stays for ever and gets an entry for the deletion. The entry states who asked for the deletion and when, not
who finished it. It is written in the transaction that marks the row as deleted. That transaction succeeds only once,
however many processes try it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from packyard.errors import PackInUse, PackNotFound
from packyard.oci.digest import Digest
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.precondition import IfMatch
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.cursor import Binding, Position
from packyard.store.events import EventLog
from packyard.store.keys import (
    DELETING_PARTITION,
    REVISION_PREFIX,
    SCAN_PREFIX,
    deleting_index_key,
    pack_key,
    pack_partition,
    reference_prefix,
)
from packyard.store.pack_items import from_item, history_entry
from packyard.store.repositories import release_name
from packyard.store.repository_holds import Purge
from packyard.store.table import ConditionFailed, Item, Put, Query, Table, TransactionFailed, Update, token_of
from packyard.store.usage import of_deletion

# The most entries that `DeletionStore.backlog` counts. They fit into one query page of 1 MB.
BACKLOG_LIMIT: Final = 100
# For this long a repeated request is answered with success. After that it is answered with "no such pack".
_TOMBSTONE_KEPT: Final = timedelta(days=30)
# The most roles that a refusal names.
_NAMED_ROLES: Final = 20
_STATUS: Final = {"#status": "status"}
_NOT_REFERENCED: Final = (
    "(attribute_not_exists(own_refs) OR own_refs = :zero)"
    " AND (attribute_not_exists(foreign_refs) OR foreign_refs = :zero)"
)
# DynamoDB's limit for the operands of IN ("Comparison operator and function reference").
_IN_OPERANDS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A pack that is being deleted.

    Attributes:
        pack: The pack at its last revision, with the status `deleting`.
        actor: Who asked first to delete it.
        asked_at: When the deletion was first asked for.
        adopted: Whether this is a registered pack whose image the service has pushed (`PackStore.adopt_image`).
        request_id: The request that first asked for it; None if an earlier release took the request.
    """

    pack: Pack
    actor: str
    asked_at: datetime
    adopted: bool = False
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many packs wait for their deletion to be finished.

    Attributes:
        count: The number of packs; `BACKLOG_LIMIT` means that many or more.
        oldest_asked_at: When the oldest of these deletions was asked for; None if there is none.
    """

    count: int
    oldest_asked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionPage:
    """One page of the packs that are being deleted.

    Attributes:
        deletions: The oldest deletion first.
        next_position: Where the next page begins; None on the last page.
    """

    deletions: tuple[Deletion, ...]
    next_position: Position | None


class DeletionStore:
    """Deletes packs.

    Args:
        table: Where they are kept.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def begin(  # noqa: PLR0913 - by name: which pack, for whom, and on what condition
        self,
        pack_id: str,
        *,
        org_id: str,
        actor: str,
        if_match: IfMatch | None,
        now: datetime,
        name: str | None = None,
    ) -> Deletion | None:
        """Set a pack's status to `deleting`, unless it is set already. One write.

        A repeated request need not meet the precondition, because the change that it guards has already been made
        (RFC 9110, section 13.1.1: "appears to have already been applied").

        Args:
            pack_id: The pack.
            org_id: The organisation that must own it.
            actor: Who asks, for the history.
            if_match: The revisions at which the pack may be deleted; None for any.
            now: The current time.
            name: The name that the pack must have; None for any.

        Returns:
            The deletion to finish; None if the pack is already deleted.

        Raises:
            PackNotFound: The organisation owns no such pack, or it has another name.
            PreconditionFailed: The pack is at another revision.
            PackInUse: Roles reference the pack.
            ServiceUnavailable: DynamoDB did not answer; the status may have been set.
        """
        try:
            decision = _decision(pack_id, org_id, actor, if_match, now, name)
            item = self._table.update(_asked_by(decision, self._events.request_id()))
        except ConditionFailed as failure:
            old = failure.old
            if old is None or old["org_id"] != org_id or name not in (None, old["name"]):
                raise PackNotFound from None
            if old["status"] == PackStatus.DELETED:
                return None
            if if_match is not None and not if_match.matches(int(old["revision"])):
                raise if_match.refusal(int(old["revision"])) from None
            raise self._in_use(old) from None
        return _deletion(item)

    def find(self, pack_id: str) -> Deletion | None:
        """Return the deletion of a pack that is being deleted, or None if it is not. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(pack_key(pack_id))
        if item is None or item["status"] != PackStatus.DELETING:
            return None
        return _deletion(item)

    def pending(self) -> Iterator[Deletion]:
        """Yield every pack that is being deleted, the oldest deletion first.

        The index is eventually consistent, usually within a second.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        listed = Query(
            index="GSI3", condition="GSI3PK = :partition", values={":partition": DELETING_PARTITION}
        )
        page = self._table.query(listed)
        yield from map(_deletion, page.items)
        while page.last_key is not None:
            page = self._table.query(listed, start=page.last_key)
            yield from map(_deletion, page.items)

    def page(self, *, limit: int, position: Position | None = None) -> DeletionPage:
        """Return a page of the packs that are being deleted. One read of the index, which is eventually consistent.

        Args:
            limit: The most, 1 to 100.
            position: The previous page's `next_position`; None for the first page.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        found = self._table.query(
            Query(
                index="GSI3",
                condition="GSI3PK = :partition AND GSI3SK > :after",
                # A space sorts before every key of the index.
                values={":partition": DELETING_PARTITION, ":after": position or " "},
                limit=limit + 1,
            )
        )
        items = found.items[:limit]
        more = len(found.items) > limit or found.last_key is not None
        return DeletionPage(
            deletions=tuple(map(_deletion, items)),
            next_position=Position(items[-1]["GSI3SK"]) if more else None,
        )

    def backlog(self) -> "Backlog":
        """Return how many packs are being deleted, and when the oldest deletion was asked for. One read of the index.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        page = self._table.query(
            Query(
                index="GSI3",
                condition="GSI3PK = :partition",
                projection="deleting_at",
                values={":partition": DELETING_PARTITION},
                limit=BACKLOG_LIMIT,
            )
        )
        oldest = parse_timestamp(page.items[0]["deleting_at"]) if page.items else None
        return Backlog(count=len(page.items), oldest_asked_at=oldest)

    def image_digests(self, pack_id: str) -> Iterator[Digest]:
        """Yield the digest of every image in a pack's history, each once, the oldest revision first.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        entries = Query(
            condition="PK = :pack AND begins_with(SK, :revision)",
            projection="image_digest",
            values={":pack": pack_partition(pack_id), ":revision": REVISION_PREFIX},
        )
        seen: set[Digest] = set()
        page = self._table.query(entries)
        while True:
            for item in page.items:
                digest = Digest(item["image_digest"])
                if digest not in seen:
                    seen.add(digest)
                    yield digest
            if page.last_key is None:
                return
            page = self._table.query(entries, start=page.last_key)

    def forget_scans(self, pack_id: str) -> None:
        """Delete what scans found in the images of a pack that is being deleted, and its overrides.

        One read, and a write for each 25. No publish writes another result: its transaction needs an active row.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; some may be deleted.
        """
        results = Query(
            condition="PK = :pack AND begins_with(SK, :scan)",
            projection="PK, SK",
            values={":pack": pack_partition(pack_id), ":scan": SCAN_PREFIX},
        )
        page = self._table.query(results)
        while True:
            self._table.write_many(
                put=[], delete=[{"PK": item["PK"], "SK": item["SK"]} for item in page.items]
            )
            if page.last_key is None:
                return
            page = self._table.query(results, start=page.last_key)

    def finish(self, deletion: Deletion, *, purge: Purge | None, now: datetime) -> None:
        """Mark the row as deleted, free the name, write history and event, all or none. One transaction.

        What the pack used is given back in the same transaction.

        Args:
            deletion: What `begin` or `find` returned.
            purge: The hold on the pack's repository, from which all its images have been removed; None if the service
                has pushed no image of this pack.
            now: The current time.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; the transaction may have been executed.
        """
        deleted = replace(
            deletion.pack,
            status=PackStatus.DELETED,
            revision=deletion.pack.revision + 1,
            updated_at=deletion.asked_at,
        )
        mark_deleted = Update(
            key=pack_key(deleted.id),
            change="SET #status = :deleted, revision = :revision, updated_at = :at, expires_at = :expiry"
            " REMOVE GSI1PK, GSI1SK, GSI2PK, GSI2SK, GSI3PK, GSI3SK",
            condition="#status = :deleting",
            values={
                ":deleting": PackStatus.DELETING.value,
                ":deleted": PackStatus.DELETED.value,
                ":revision": deleted.revision,
                ":at": format_timestamp(deleted.updated_at),
                ":expiry": int((now + _TOMBSTONE_KEPT).timestamp()),
            },
            names=_STATUS,
        )
        release = release_name(deleted, purge=purge, now=now)
        entry = Put(
            item=history_entry(deleted, deletion.actor, "delete"), condition="attribute_not_exists(PK)"
        )
        from packyard.store.pack_events import pack_deleted  # noqa: PLC0415 - only writes need it

        event = self._events.put(pack_deleted(deleted, actor=deletion.actor, request_id=deletion.request_id))
        actions: list[Put | Update] = [mark_deleted, release, entry, event, *of_deletion(deletion.pack)]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            row, name, *_ = failure.reasons
            # Another process has finished the deletion, or this one has and the answer was lost.
            if row.condition_failed and (row.old is None or row.old["status"] == PackStatus.DELETED):
                return
            if purge is None or purge.shared or not name.condition_failed:
                raise
            # Another cleaner has joined the purge. The name can still be freed, but the repository only later.
            self.finish(deletion, purge=replace(purge, shared=True), now=now)

    def _in_use(self, row: Item) -> PackInUse:
        """Return the refusal: the owner's roles by id, and only the number of other organisations' references."""
        prefix = reference_prefix(row["org_id"])
        own = self._table.query(
            Query(
                condition="PK = :pack AND begins_with(SK, :prefix)",
                projection="SK",
                values={":pack": pack_partition(row["id"]), ":prefix": prefix},
                limit=_NAMED_ROLES,
            )
        )
        roles = [item["SK"].removeprefix(prefix) for item in own.items]
        return PackInUse(role_ids=roles, others=int(row.get("foreign_refs", 0)))


def binding(*, org_id: str) -> Binding:
    """Return what a cursor of the list of deletions is valid for."""
    return {"listing": "deletions", "org_id": org_id}


def _deletion(item: Item) -> Deletion:
    return Deletion(
        pack=from_item(item),
        actor=item["deleting_by"],
        asked_at=parse_timestamp(item["deleting_at"]),
        adopted=item.get("adopted", False),
        request_id=item.get("deleting_request"),
    )


def _decision(  # noqa: PLR0913, PLR0917 - what `begin` has
    pack_id: str, org_id: str, actor: str, if_match: IfMatch | None, now: datetime, name: str | None
) -> Update:
    unchanged, revisions = _at_revision(if_match)
    named = " AND #name = :name" if name is not None else ""
    listed = deleting_index_key(pack_id, now)
    return Update(
        key=pack_key(pack_id),
        change="SET #status = :deleting, deleting_by = if_not_exists(deleting_by, :actor),"
        " deleting_at = if_not_exists(deleting_at, :now), GSI3PK = :listed,"
        " GSI3SK = if_not_exists(GSI3SK, :as)",
        condition=f"org_id = :org_id{named}"
        f" AND (#status = :deleting OR (#status = :active AND {_NOT_REFERENCED}{unchanged}))",
        values={
            ":org_id": org_id,
            ":active": PackStatus.ACTIVE.value,
            ":deleting": PackStatus.DELETING.value,
            ":actor": actor,
            ":now": format_timestamp(now),
            ":zero": 0,
            ":listed": listed["GSI3PK"],
            ":as": listed["GSI3SK"],
            **revisions,
            **({":name": name} if named else {}),
        },
        names=_STATUS | ({"#name": "name"} if named else {}),
    )


def _asked_by(decision: Update, request_id: str) -> Update:
    """Return a decision that also keeps the request that asked first, for the event at the deletion's end."""
    return replace(
        decision,
        change=f"{decision.change}, deleting_request = if_not_exists(deleting_request, :request_id)",
        values={**decision.values, ":request_id": request_id},
    )


def _at_revision(if_match: IfMatch | None) -> tuple[str, dict[str, Any]]:
    """Return the clause of a condition that the row is at a revision which `If-Match` names, and its values."""
    if if_match is None or if_match.tags is None:
        return "", {}
    # No row has revision 0. It keeps the list from being empty if no tag is a revision number.
    revisions = [0, *if_match.revisions]
    values = {f":r{number}": revision for number, revision in enumerate(revisions)}
    names = list(values)
    groups = [", ".join(names[start : start + _IN_OPERANDS]) for start in range(0, len(names), _IN_OPERANDS)]
    any_of_them = " OR ".join(f"revision IN ({group})" for group in groups)
    return f" AND ({any_of_them})", values
