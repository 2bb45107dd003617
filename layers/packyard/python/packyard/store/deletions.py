"""The end of a pack: the decision to delete it, and what stays of it.

A row goes from `active` to `deleting` in one write, on condition that nothing references it, and from there on only
to `deleted`. Whoever attaches or updates a pack does so on condition that it is `active`: they come before the
decision, and then it is refused, or after it, and then they are.

The row of a deleted pack stays for a while, so that who repeats the request learns that it was done. Its history stays
for good, with an entry for the deletion. That says who asked for it and when, not who finished it, and is
written in the transaction that buries the row, which succeeds once however many try.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from packyard.errors import PackInUse, PackNotFound
from packyard.oci.digest import Digest
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.precondition import IfMatch
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import (
    DELETING_PARTITION,
    REVISION_PREFIX,
    deleting_index_key,
    pack_key,
    pack_partition,
    reference_prefix,
)
from packyard.store.pack_items import from_item, history_entry
from packyard.store.repositories import Purge, release_name
from packyard.store.table import ConditionFailed, Item, Put, Query, Table, TransactionFailed, Update, token_of

# As many entries as `DeletionStore.backlog` counts: few enough for one page of 1 MiB.
BACKLOG_LIMIT: Final = 100
# How long a repeat of the request is told that it was done, rather than that there is no such pack.
_TOMBSTONE_KEPT: Final = timedelta(days=30)
# Roles that an answer names; the row knows how many there are.
_NAMED_ROLES: Final = 20
_STATUS: Final = {"#status": "status"}
_UNUSED: Final = (
    "(attribute_not_exists(own_refs) OR own_refs = :zero)"
    " AND (attribute_not_exists(foreign_refs) OR foreign_refs = :zero)"
)
_REVISION: Final = re.compile(r"[1-9][0-9]{0,9}")
# The most operands that IN takes (DynamoDB, "Comparison operator and function reference").
_IN_OPERANDS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A pack that is being deleted.

    Attributes:
        pack: As it was last; its status is `deleting`.
        actor: Who asked for it first.
        asked_at: When.
        adopted: Whether it is a registered pack whose image we pushed (`PackStore.adopt_image`).
    """

    pack: Pack
    actor: str
    asked_at: datetime
    adopted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The packs that are being deleted at some instant.

    Attributes:
        count: How many there are; `BACKLOG_LIMIT` stands for that many or more.
        oldest_asked_at: When the deletion of the one that waits longest was asked for; None when there is none.
    """

    count: int
    oldest_asked_at: datetime | None


class DeletionStore:
    """Deletes packs.

    Args:
        table: Where they are kept.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def begin(
        self, pack_id: str, *, org_id: str, actor: str, if_match: IfMatch | None, now: datetime
    ) -> Deletion | None:
        """Decide that a pack goes, unless that is decided already. One write.

        A precondition guards what others may have changed. There is nothing left of that in a pack that is being
        deleted, so that a repeat need not meet it (RFC 9110, section 13.1.1: "appears to have already been applied").

        Args:
            pack_id: The pack.
            org_id: The organisation that must own it.
            actor: Who asks, for the history.
            if_match: The revisions that it may stand at.
            now: The present instant.

        Returns:
            What to finish; None when it is finished.

        Raises:
            PackNotFound: The organisation owns no such pack.
            PreconditionFailed: It stands at another revision.
            PackInUse: Roles reference it.
            ServiceUnavailable: DynamoDB did not answer; whether it was decided is not known.
        """
        try:
            item = self._table.update(_decision(pack_id, org_id, actor, if_match, now))
        except ConditionFailed as failure:
            old = failure.old
            if old is None or old["org_id"] != org_id:
                raise PackNotFound from None
            if old["status"] == PackStatus.DELETED:
                return None
            if if_match is not None and not if_match.matches(int(old["revision"])):
                raise if_match.refusal(int(old["revision"])) from None
            raise self._in_use(old) from None
        return _deletion(item)

    def find(self, pack_id: str) -> Deletion | None:
        """Return what there is to finish of a pack; None when it is not being deleted. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(pack_key(pack_id))
        if item is None or item["status"] != PackStatus.DELETING:
            return None
        return _deletion(item)

    def pending(self) -> Iterator[Deletion]:
        """Yield every pack that is being deleted, the longest waiting first.

        The index lags behind writes, by less than a second as a rule.

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

    def backlog(self) -> "Backlog":
        """Return how many packs are being deleted, and since when the oldest has been. One read of the index.

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
        """Yield the digest of every image that a pack has ever had, each once, as its history has them.

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

    def finish(self, deletion: Deletion, *, purge: Purge | None, now: datetime) -> None:
        """Leave a tombstone, free the name and enter the deletion into the history, all or none. One transaction.

        Args:
            deletion: What `begin` or `find` returned.
            purge: The hold on the pack's repository, from which all its images are gone; None when none was ours.
            now: The present instant.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; whether the pack is gone is not known.
        """
        gone = replace(
            deletion.pack,
            status=PackStatus.DELETED,
            revision=deletion.pack.revision + 1,
            updated_at=deletion.asked_at,
        )
        mark_deleted = Update(
            key=pack_key(gone.id),
            change="SET #status = :deleted, revision = :revision, updated_at = :at, expires_at = :expiry"
            " REMOVE GSI1PK, GSI1SK, GSI2PK, GSI2SK, GSI3PK, GSI3SK",
            condition="#status = :deleting",
            values={
                ":deleting": PackStatus.DELETING.value,
                ":deleted": PackStatus.DELETED.value,
                ":revision": gone.revision,
                ":at": format_timestamp(gone.updated_at),
                ":expiry": int((now + _TOMBSTONE_KEPT).timestamp()),
            },
            names=_STATUS,
        )
        release = release_name(gone, purge=purge, now=now)
        enter = Put(item=history_entry(gone, deletion.actor, "delete"), condition="attribute_not_exists(PK)")
        actions: list[Put | Update] = [mark_deleted, release, enter]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            row, name, _ = failure.reasons
            # Somebody else has finished, or we have, and the answer was lost.
            if row.condition_failed and (row.old is None or row.old["status"] == PackStatus.DELETED):
                return
            if purge is None or purge.shared or not name.condition_failed:
                raise
            # Another has come to delete the same pack: the name is free for all that, the repository is not yet.
            self.finish(deletion, purge=replace(purge, shared=True), now=now)

    def _in_use(self, row: Item) -> PackInUse:
        """Return what references a pack; of other organisations, how often they do and nothing else."""
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


def _deletion(item: Item) -> Deletion:
    return Deletion(
        pack=from_item(item),
        actor=item["deleting_by"],
        asked_at=parse_timestamp(item["deleting_at"]),
        adopted=item.get("adopted", False),
    )


def _decision(pack_id: str, org_id: str, actor: str, if_match: IfMatch | None, now: datetime) -> Update:
    unchanged, revisions = _at_revision(if_match)
    listed = deleting_index_key(pack_id, now)
    return Update(
        key=pack_key(pack_id),
        change="SET #status = :deleting, deleting_by = if_not_exists(deleting_by, :actor),"
        " deleting_at = if_not_exists(deleting_at, :now), GSI3PK = :listed,"
        " GSI3SK = if_not_exists(GSI3SK, :as)",
        condition="org_id = :org_id"
        f" AND (#status = :deleting OR (#status = :active AND {_UNUSED}{unchanged}))",
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
        },
        names=_STATUS,
    )


def _at_revision(if_match: IfMatch | None) -> tuple[str, dict[str, Any]]:
    """Return the rest of a condition, that the row is at a revision which the client has seen, and its values."""
    if if_match is None or if_match.tags is None:
        return "", {}
    # No row is at revision 0, which stands for tags that are no revision of ours.
    revisions = [0, *(int(tag) for tag in sorted(if_match.tags) if _REVISION.fullmatch(tag))]
    values = {f":r{number}": revision for number, revision in enumerate(revisions)}
    names = list(values)
    groups = [", ".join(names[start : start + _IN_OPERANDS]) for start in range(0, len(names), _IN_OPERANDS)]
    any_of_them = " OR ".join(f"revision IN ({group})" for group in groups)
    return f" AND ({any_of_them})", values
