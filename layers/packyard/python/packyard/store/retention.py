"""Retention policies: an attribute of a pack's row, so that the table's stream tells it with each new revision."""

from dataclasses import dataclass

from packyard.packs.event import EventDraft, EventType
from packyard.packs.pack import Pack, PackStatus
from packyard.store.events import EventLog
from packyard.store.keys import pack_key
from packyard.store.pack_items import from_item
from packyard.store.table import Action, Table, TransactionFailed, Update, token_of

# The number of revisions that are kept. A row without it keeps all.
KEEP = "keep_revisions"


class PolicyChanged(Exception):
    """The policy, or the pack's status, is not as it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPack:
    """A pack and its policy.

    Attributes:
        pack: The pack; it may be deleted.
        keep: How many of its newest revisions are kept; None for all.
    """

    pack: Pack
    keep: int | None


class RetentionStore:
    """The retention policies of all packs.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, pack_id: str) -> KeptPack | None:
        """Return a pack and its policy, or None if there is no row. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        row = self._table.get(pack_key(pack_id))
        if row is None:
            return None
        return KeptPack(pack=from_item(row), keep=int(row[KEEP]) if KEEP in row else None)

    def set(self, before: KeptPack, keep: int | None, *, actor: str) -> None:
        """Set the policy of a pack. One transaction.

        Args:
            before: The pack and its policy as they were read.
            keep: As for `KeptPack`, another one.
            actor: Who sets it, a principal.

        Raises:
            PolicyChanged: It is not as it was read, or the pack is being deleted.
            ServiceUnavailable: DynamoDB did not answer; it may have been written.
        """
        pack = before.pack
        as_read = f"attribute_not_exists({KEEP})" if before.keep is None else f"{KEEP} = :read"
        change = Update(
            key=pack_key(pack.id),
            change=f"REMOVE {KEEP}" if keep is None else f"SET {KEEP} = :keep",
            condition=f"#status = :active AND {as_read}",
            values={
                ":active": PackStatus.ACTIVE.value,
                **({} if keep is None else {":keep": keep}),
                **({} if before.keep is None else {":read": before.keep}),
            },
            names={"#status": "status"},
        )
        event = EventDraft(
            type=EventType.POLICY_UPDATED,
            org_id=pack.org_id,
            actor=actor,
            pack_id=pack.id,
            data={"policy": "retention", "name": pack.name, "keep": keep},
        )
        actions: list[Action] = [change, self._events.put(event)]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            if failure.reasons[0].condition_failed:
                raise PolicyChanged from None
            raise
