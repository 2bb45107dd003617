"""Which roles have been told that a pin of theirs is stale, or that its image is withdrawn.

The reference of a role to a pack says what its owner was told last. One transaction writes that and the event, for up
to 48 roles, on condition that the role still has the pin and was not told yet. So each is told once, by however many
processes, and a walk that was cut short goes on where it ended.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from packyard.packs.event import EventDraft
from packyard.store.events import EventLog
from packyard.store.keys import pack_partition, reference_key
from packyard.store.table import Action, Query, Table, TransactionFailed, Update, token_of
from packyard.store.wire import Item

# Two actions for each; a transaction has at most 100 (API_TransactWriteItems).
MOST_AT_ONCE: Final = 48
_REFERENCES: Final = "REF#"


class Told(StrEnum):
    """What a role is told, and the attribute that says so."""

    STALE = "told_stale"
    WITHDRAWN = "told_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A role's pin of a pack.

    Attributes:
        org_id: The role's organisation.
        role_id: The role.
        pack_id: The pack.
        revision: The revision that is pinned.
        told: What its owner was told last, by kind.
    """

    org_id: str
    role_id: str
    pack_id: str
    revision: int
    told: dict[Told, str]


class ToldRoles:
    """The pins of packs, and what the owners of roles have been told of them.

    Args:
        table: The table.
        events: Makes the events.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def references(self, pack_id: str) -> Iterator[list[Reference]]:
        """Yield the pins of a pack, of all organisations' roles, a page at a time. A consistent read for each page.

        A role that was attached before there were pins has the present revision, and is left out.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        query = Query(
            condition="PK = :pack AND begins_with(SK, :prefix)",
            values={":pack": pack_partition(pack_id), ":prefix": _REFERENCES},
        )
        start: Item | None = None
        while True:
            page = self._table.query(query, start=start)
            yield [_reference(pack_id, item) for item in page.items if "revision" in item]
            start = page.last_key
            if start is None:
                return

    def tell(self, told: Sequence[tuple[Reference, EventDraft]], kind: Told, mark: str) -> int:
        """Write the events of roles that have not been told yet, and return how many those were.

        Args:
            told: The pins, and what their owners are told.
            kind: What they are told.
            mark: What tells this from what was told before; a greater text for something later.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        return sum(
            self._tell(told[start : start + MOST_AT_ONCE], kind, mark)
            for start in range(0, len(told), MOST_AT_ONCE)
        )

    def _tell(self, told: Sequence[tuple[Reference, EventDraft]], kind: Told, mark: str) -> int:
        while told:
            actions: list[Action] = []
            for reference, draft in told:
                actions += [_mark(reference, kind, mark), self._events.put(draft)]
            try:
                self._table.transact(actions, token=token_of(actions))
            except TransactionFailed as failure:
                # Another process told these, or the roles have let go of their pins.
                left = [
                    each
                    for each, reason in zip(told, failure.reasons[::2], strict=True)
                    if not reason.condition_failed
                ]
                if len(left) == len(told):
                    raise
                told = left
                continue
            return len(told)
        return 0


def _mark(reference: Reference, kind: Told, mark: str) -> Update:
    return Update(
        key=reference_key(reference.pack_id, reference.org_id, reference.role_id),
        change=f"SET {kind.value} = :mark",
        condition=f"revision = :pinned AND (attribute_not_exists({kind.value}) OR {kind.value} < :mark)",
        values={":mark": mark, ":pinned": reference.revision},
    )


def _reference(pack_id: str, item: Item) -> Reference:
    return Reference(
        org_id=item["org_id"],
        role_id=item["role_id"],
        pack_id=pack_id,
        revision=int(item["revision"]),
        told={kind: item[kind.value] for kind in Told if kind.value in item},
    )
