"""Which roles have been told that a pin of theirs is stale, or that its image is withdrawn.

The reference of a role to a pack says what its owner was told last. One transaction writes that and the event, for many
roles, on condition that each still has the pin and was not told yet. So each is told once, by however many processes,
and a walk that was cut short goes on where it ended.

A withdrawn or deleted image is also a mark on the role's item, in the same transaction. The mark decides the role's
lock document, so that a poll stays one read; it is no revision of the role. The transaction has the condition that the
image's state is as it was read. So a walk that is late never writes over what a later one has told.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from packyard.oci.digest import Digest
from packyard.packs.event import EventDraft
from packyard.packs.image_state import ImageState
from packyard.packs.timestamp import format_timestamp
from packyard.store.events import EventLog
from packyard.store.image_state_items import unchanged
from packyard.store.keys import pack_partition, reference_key, role_key
from packyard.store.role_items import mark_name
from packyard.store.table import Action, Check, Query, Table, TransactionFailed, Update, token_of
from packyard.store.wire import Item

# A transaction has at most so many actions (API_TransactWriteItems).
_MOST_ACTIONS: Final = 100
_REFERENCES: Final = "REF#"

T = TypeVar("T")


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
        image_digest: Of the image that is pinned; None if it was pinned before references said so.
        told: What its owner was told last, by kind.
    """

    org_id: str
    role_id: str
    pack_id: str
    revision: int
    image_digest: str | None
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

    def tell_stale(self, told: Sequence[tuple[Reference, EventDraft]], mark: str) -> int:
        """Write the events of roles that have not been told yet that their pins are stale. 50 roles a transaction.

        Args:
            told: The pins, and what their owners are told.
            mark: What tells this from what was told before; a greater text for something later.

        Returns:
            How many those were.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """

        def actions(each: tuple[Reference, EventDraft]) -> Sequence[Action]:
            reference, draft = each
            return _tell(reference, Told.STALE, mark), self._events.put(draft)

        return self._write((), told, actions, of_each=2)

    def tell_state(self, told: Sequence[tuple[Reference, EventDraft]], state: ImageState) -> int:
        """Mark roles whose pinned image is withdrawn or deleted, and write their events. 33 roles a transaction.

        Args:
            told: The pins of the image, and what their owners are told.
            state: The image's state as it was read, withdrawn or deleted.

        Returns:
            How many have not been told before. 0 if the state is another one by now: the stream tells of that too.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        mark = told_mark(state)
        if mark is None:
            raise AssertionError("roles are told of what has been decided")

        def actions(each: tuple[Reference, EventDraft]) -> Sequence[Action]:
            reference, draft = each
            return _tell(reference, Told.WITHDRAWN, mark), _mark(reference, state), self._events.put(draft)

        return self._write([unchanged(state)], told, actions, of_each=3)

    def take_back(self, references: Sequence[Reference], state: ImageState) -> int:
        """Take the marks of an image away that is in use again. 49 roles a transaction; there is no event.

        Args:
            references: The pins of the image that were told of it.
            state: The image's state as it was read, in use.

        Returns:
            As for `tell_state`.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """

        def actions(reference: Reference) -> Sequence[Action]:
            return _forget(reference, state.digest), _unmark(reference, state.digest)

        return self._write([unchanged(state)], references, actions, of_each=2)

    def _write(
        self,
        common: Sequence[Check],
        told: Sequence[T],
        actions: Callable[[T], Sequence[Action]],
        *,
        of_each: int,
    ) -> int:
        """Write the actions of each, as many at once as a transaction takes, and return for how many they were written.

        Args:
            common: Conditions of each transaction; when one does not hold, nothing more is written.
            told: The roles.
            actions: Returns the actions of one of them.
            of_each: How many those are.
        """
        at_once = (_MOST_ACTIONS - len(common)) // of_each
        count = 0
        for start in range(0, len(told), at_once):
            left = list(told[start : start + at_once])
            while left:
                written = [*common, *(action for each in left for action in actions(each))]
                try:
                    self._table.transact(written, token=token_of(written))
                except TransactionFailed as failure:
                    failed = [reason.condition_failed for reason in failure.reasons]
                    if any(failed[: len(common)]):
                        return count
                    # Another process told these, or the roles have let go of their pins.
                    of_roles = failed[len(common) :]
                    still = [
                        each
                        for number, each in enumerate(left)
                        if not any(of_roles[number * of_each : (number + 1) * of_each])
                    ]
                    if len(still) == len(left):
                        raise
                    left = still
                else:
                    count += len(left)
                    break
        return count


def told_mark(state: ImageState) -> str | None:
    """Return what tells the present withdrawal or deletion of an image from those before; None for one in use."""
    return None if state.decision is None else format_timestamp(state.decision.at)


def _tell(reference: Reference, kind: Told, mark: str) -> Update:
    return Update(
        key=reference_key(reference.pack_id, reference.org_id, reference.role_id),
        change=f"SET {kind.value} = :mark",
        condition=f"revision = :pinned AND (attribute_not_exists({kind.value}) OR {kind.value} < :mark)",
        values={":mark": mark, ":pinned": reference.revision},
    )


def _forget(reference: Reference, digest: Digest) -> Update:
    # A role may have moved its pin to another revision of the same image, so the revision is no condition. What was
    # told is one: it makes the transaction another one than that of an earlier restoration (`token_of`).
    return Update(
        key=reference_key(reference.pack_id, reference.org_id, reference.role_id),
        change=f"REMOVE {Told.WITHDRAWN.value}",
        condition=f"{Told.WITHDRAWN.value} = :told AND (attribute_not_exists(image_digest) OR image_digest = :digest)",
        values={":told": reference.told[Told.WITHDRAWN], ":digest": digest},
    )


def _mark(reference: Reference, state: ImageState) -> Update:
    return Update(
        key=role_key(reference.org_id, reference.role_id),
        change="SET #mark = :mark",
        condition="pins.#pack.image_digest = :digest",
        values={
            ":digest": state.digest,
            ":mark": {"digest": state.digest, "status": state.shown.value},
        },
        names={"#mark": mark_name(reference.pack_id), "#pack": reference.pack_id},
    )


def _unmark(reference: Reference, digest: Digest) -> Update:
    return Update(
        key=role_key(reference.org_id, reference.role_id),
        change="REMOVE #mark",
        condition="#mark.digest = :digest",
        values={":digest": digest},
        names={"#mark": mark_name(reference.pack_id)},
    )


def _reference(pack_id: str, item: Item) -> Reference:
    return Reference(
        org_id=item["org_id"],
        role_id=item["role_id"],
        pack_id=pack_id,
        revision=int(item["revision"]),
        image_digest=item.get("image_digest"),
        told={kind: item[kind.value] for kind in Told if kind.value in item},
    )
