"""Roles, their pins, and their references to packs.

One transaction writes a reference to three items: the role's item, which has the pin; an item in the pack's partition
that names the role and the revision that it pins; and a counter on the pack's row. A pack is deleted, or loses its
`community` visibility, on condition that the counter is zero. That condition is checked on the same row that an
attachment increments. So of an attachment and a deletion, one comes first and the other one is refused (decision 20).
A pin that moves changes the role's item and the reference, which stand for the same pack as before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from packyard.packs.image_state import ImageState
from packyard.packs.pack import Pack, PackStatus, Visibility
from packyard.packs.role import Mark, Pin, Role
from packyard.packs.timestamp import format_timestamp
from packyard.store.events import EventLog
from packyard.store.image_state_items import state_of, usable
from packyard.store.keys import (
    REVISION_PREFIX,
    pack_key,
    pack_partition,
    reference_key,
    revision_key,
    role_key,
    role_partition,
)
from packyard.store.pack_items import revision_facts
from packyard.store.role_items import DELETED, mark_name, pins_to_item, role_history_entry, role_of
from packyard.store.table import Action, Delete, Item, Put, Query, Table, TransactionFailed, Update, token_of

if TYPE_CHECKING:
    from packyard.packs.event import EventDraft

# For this long, the item of a deleted role says what its last revision was. After that, its history does.
_DELETED_KEPT: Final = timedelta(days=30)
_REFERENCES: Final = "REF#"
# A transaction has at most 100 actions (API_TransactWriteItems): the role, its history, its event, and two for each
# pack that goes.
_MOST_RELEASED: Final = 48


class RoleOutdated(Exception):
    """The role, or a pack to attach to it, has changed since it was read."""


class PinsNotUsable(Exception):
    """Images to pin are withdrawn or deleted.

    Args:
        states: The state of each image, by pack.
    """

    def __init__(self, states: Mapping[str, ImageState]) -> None:
        super().__init__(f"{len(states)} images cannot be pinned.")
        self.states = states


class RoleReused(Exception):
    """A deleted role had this id. Its next revision comes after those of its history."""


class FollowingRole(NamedTuple):
    """A role that follows a pack."""

    org_id: str
    role_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChange:
    """What to write of a role.

    Attributes:
        before: The role as it was read; at revision 0, or at the last one of a deleted role, if it is to be made.
        after: Its next revision, `before.with_pins(...)`.
        packs: By id: packs that come, and those of pins that are set or moved, at the revision that is pinned; and
            packs that go and have no pin, as they were read.
        actor: Who makes the change.
        operation: What makes it, for the history.
        accepted: By pack, the revision to whose wider capabilities the actor has consented.
    """

    before: Role
    after: Role
    packs: Mapping[str, Pack]
    actor: str
    operation: str
    accepted: Mapping[str, int] = field(default_factory=dict)

    def owner_of(self, pack_id: str) -> str:
        """Return the organisation that owns a pack of the role as it was read."""
        pin = self.before.pins.get(pack_id)
        return self.packs[pack_id].org_id if pin is None else pin.org_id


class RoleStore:
    """The roles of all organisations.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get(self, *, org_id: str, role_id: str) -> Role | None:
        """Return the current state of a role, or None if there is none. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        role = self.read(org_id=org_id, role_id=role_id)
        return role if role.is_there else None

    def read(self, *, org_id: str, role_id: str) -> Role:
        """Return a role for a change: one that is not there can be made from what is returned. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(role_key(org_id, role_id))
        if item is None:
            return Role(org_id=org_id, role_id=role_id, is_there=False)
        return role_of(item)

    def last_revision(self, *, org_id: str, role_id: str) -> int:
        """Return the last revision of a role that may have been deleted; 0 if there never was one. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        page = self._table.query(
            Query(
                condition="PK = :role AND begins_with(SK, :revision)",
                values={":role": role_partition(org_id, role_id), ":revision": REVISION_PREFIX},
                limit=1,
                backwards=True,
            )
        )
        return int(page.items[0]["revision"]) if page.items else 0

    def followers(self, pack_id: str) -> Iterable[FollowingRole]:
        """Yield the roles of all organisations that follow a pack.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        references = Query(
            condition="PK = :pack AND begins_with(SK, :prefix)",
            filter="follow = :true",
            values={":pack": pack_partition(pack_id), ":prefix": _REFERENCES, ":true": True},
        )
        page = self._table.query(references)
        while True:
            for item in page.items:
                yield FollowingRole(item["org_id"], item["role_id"])
            if page.last_key is None:
                return
            page = self._table.query(references, start=page.last_key)

    def write(self, change: RoleChange, *, at: datetime) -> Role:
        """Write a role's next revision, its references and its events, all or none. One transaction.

        A consent is an event of its own, in addition to that of the change. If a role loses more packs than one
        transaction can let go, one of them goes in a revision of its own before.

        Args:
            change: What to write.
            at: The current time, in UTC.

        Returns:
            The role as written.

        Raises:
            RoleOutdated: The role is at another revision now; or a pack to attach is no longer active, or no longer
                visible to the role's organisation.
            RoleReused: There is no role, and there was one before.
            PinsNotUsable: Images to pin are withdrawn or deleted.
            ServiceUnavailable: DynamoDB did not answer; the role may have been written.
        """
        from packyard.store.role_events import capabilities_accepted, role_updated  # noqa: PLC0415 - only writes need it

        change = self._with_room(change, at)
        events = [role_updated(change.before, change.after, actor=change.actor, operation=change.operation)]
        if change.accepted:
            events.append(capabilities_accepted(change.after, change.accepted, actor=change.actor))
        self._commit(change, _set_role(change, format_timestamp(at)), format_timestamp(at), events)
        return change.after

    def delete(self, change: RoleChange, *, at: datetime) -> None:
        """Delete a role and its references, and write the event, all or none. One transaction, or two as for `write`.

        Args:
            change: As for `write`; `after` has no packs.
            at: The current time, in UTC.

        Raises:
            RoleOutdated, ServiceUnavailable: As for `write`.
        """
        from packyard.store.role_events import role_deleted  # noqa: PLC0415 - only writes need it

        change = self._with_room(change, at)
        event = role_deleted(change.before, change.after, actor=change.actor)
        self._commit(change, _delete_role(change.after, at), format_timestamp(at), [event])

    def _with_room(self, change: RoleChange, at: datetime) -> RoleChange:
        """Let one pack go beforehand if a transaction cannot let all go, and return what is left to be written.

        A crash in between leaves a role that lacks one of the packs that were to go; a repeat goes on from there.
        """
        released = _released(change)
        if len(released) <= _MOST_RELEASED:
            return change
        kept = tuple(pack_id for pack_id in change.before.pack_ids if pack_id != released[-1])
        pins = {pack_id: pin for pack_id, pin in change.before.pins.items() if pack_id in kept}
        without_one = change.before.with_pins(kept, pins)
        self.write(replace(change, after=without_one, accepted={}), at=at)
        after = replace(change.after, revision=without_one.revision + 1)
        return replace(change, before=without_one, after=after)

    def _commit(self, change: RoleChange, role: Update, at: str, events: "Sequence[EventDraft]") -> None:
        before, after = change.before, change.after
        self._complete(change)
        attached = [pack_id for pack_id in after.pack_ids if pack_id not in before.pack_ids]
        set_or_moved = [pin for pack_id, pin in after.pins.items() if _is_new(before.pins.get(pack_id), pin)]
        released = _released(change)
        actions: list[Action] = [
            role,
            Put(
                item=role_history_entry(
                    after, actor=change.actor, operation=change.operation, at=at, accepted=change.accepted
                ),
                condition="attribute_not_exists(PK)",
            ),
            *chain.from_iterable(_attach(after, change.packs[pack_id], at) for pack_id in attached),
            *chain.from_iterable(_release(after, pack_id, change.owner_of(pack_id)) for pack_id in released),
            *_moved(before, after, attached),
            *(self._events.put(event) for event in events),
            *(usable(pin.pack_id, pin.image_digest) for pin in set_or_moved),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            # Other requests can make only the conditions on the role and on the packs to attach fail. The conditions on
            # references follow from the role's revision.
            of_role, entry, *others = failure.reasons
            if of_role.condition_failed or any(
                reason.condition_failed for reason in others[: 2 * len(attached) : 2]
            ):
                raise RoleOutdated from None
            if entry.condition_failed:
                raise RoleReused from None
            images = zip(set_or_moved, failure.reasons[len(actions) - len(set_or_moved) :], strict=True)
            states = {
                pin.pack_id: state_of(reason.old or {}) for pin, reason in images if reason.condition_failed
            }
            if states:
                raise PinsNotUsable(states) from None
            raise

    def _complete(self, change: RoleChange) -> None:
        """Write what histories lack of pinned revisions that were written before their entries had the whole pack.

        A revision never changes, so what is written is right even if the pack has got another one since, and if the
        role is not written after all. There is one write for each, since the transaction has no room for them.
        """
        for completion in _completions(change):
            self._table.update(completion)


def _released(change: RoleChange) -> list[str]:
    return [pack_id for pack_id in change.before.pack_ids if pack_id not in change.after.pack_ids]


def _set_role(change: RoleChange, at: str) -> Update:
    role = change.after
    values: dict[str, Any] = {
        ":org_id": role.org_id,
        ":role_id": role.role_id,
        ":pack_ids": list(role.pack_ids),
        ":pins": pins_to_item(role),
        ":revision": role.revision,
        ":at": at,
    }
    # What the role was told of images that it pins no more.
    marked = [pack_id for pack_id, mark in role.marks.items() if not _pins(role, pack_id, mark)]
    outdated = {f"#mark{number}": mark_name(pack_id) for number, pack_id in enumerate(marked)}
    # A role that is not there has no item, or that of the deleted one of this id.
    condition = f"attribute_not_exists(PK) OR {DELETED} = :read_revision"
    if change.before.is_there:
        condition = f"revision = :read_revision AND attribute_not_exists({DELETED})"
    return Update(
        key=role_key(role.org_id, role.role_id),
        change="SET org_id = :org_id, role_id = :role_id, pack_ids = :pack_ids, pins = :pins, revision = :revision,"
        f" updated_at = :at REMOVE {DELETED}, expires_at{''.join(f', {name}' for name in outdated)}",
        condition=condition,
        values=values | {":read_revision": role.revision - 1},
        names=outdated,
    )


def _pins(role: Role, pack_id: str, mark: Mark) -> bool:
    pin = role.pins.get(pack_id)
    return pin is not None and pin.image_digest == mark.digest


def _delete_role(role: Role, at: datetime) -> Update:
    marks = {f"#mark{number}": mark_name(pack_id) for number, pack_id in enumerate(role.marks)}
    return Update(
        key=role_key(role.org_id, role.role_id),
        change="SET pack_ids = :none, revision = :revision, updated_at = :at, expires_at = :expiry,"
        f" {DELETED} = :revision REMOVE pins{''.join(f', {name}' for name in marks)}",
        condition=f"revision = :read_revision AND attribute_not_exists({DELETED})",
        values={
            ":none": [],
            ":revision": role.revision,
            ":read_revision": role.revision - 1,
            ":at": format_timestamp(at),
            ":expiry": int((at + _DELETED_KEPT).timestamp()),
        },
        names=marks,
    )


def _attach(role: Role, pack: Pack, at: str) -> Iterable[Action]:
    # A pack's owner never changes, so the owner that was read is right. Its visibility can change, so the write checks
    # it. A pack may have been hidden and shared again since: then others see fewer of its revisions.
    pin = role.pins[pack.id]
    values: dict[str, Any] = {":one": 1, ":active": PackStatus.ACTIVE.value}
    if pack.org_id == role.org_id:
        visible = "org_id = :org_id"
        values[":org_id"] = role.org_id
    else:
        visible = "visibility = :community AND (revision = :pinned OR shared_since <= :pinned)"
        values |= {":community": Visibility.COMMUNITY.value, ":pinned": pin.revision}
    yield Update(
        key=pack_key(pack.id),
        change=f"ADD {_counter(role, pack.org_id)} :one",
        condition=f"#status = :active AND {visible}",
        values=values,
        names={"#status": "status"},
    )
    reference: Item = {
        **reference_key(pack.id, role.org_id, role.role_id),
        "org_id": role.org_id,
        "role_id": role.role_id,
        "at": at,
        "revision": pin.revision,
        "image_digest": pin.image_digest,
        **({"follow": True} if pin.follow else {}),
    }
    yield Put(item=reference, condition="attribute_not_exists(PK)")


def _release(role: Role, pack_id: str, owner_org_id: str) -> Iterable[Action]:
    counter = _counter(role, owner_org_id)
    yield Update(
        key=pack_key(pack_id),
        change=f"ADD {counter} :minus_one",
        condition=f"{counter} >= :one",
        values={":minus_one": -1, ":one": 1},
    )
    yield Delete(key=reference_key(pack_id, role.org_id, role.role_id), condition="attribute_exists(PK)")


def _moved(before: Role, after: Role, attached: Sequence[str]) -> Iterable[Action]:
    """Yield the changes of references to packs that stay, and whose pin is set, moved, or follows as it did not."""
    for pack_id, pin in after.pins.items():
        old = before.pins.get(pack_id)
        if pack_id not in attached and (old is None or _referred(old) != _referred(pin)):
            following = ", follow = :true" if pin.follow else " REMOVE follow"
            yield Update(
                key=reference_key(pack_id, after.org_id, after.role_id),
                change=f"SET revision = :revision, image_digest = :digest{following}",
                condition="attribute_exists(PK)",
                values={
                    ":revision": pin.revision,
                    ":digest": pin.image_digest,
                    **({":true": True} if pin.follow else {}),
                },
            )


def _referred(pin: Pin) -> tuple[int, bool]:
    return pin.revision, pin.follow


def _is_new(old: Pin | None, pin: Pin) -> bool:
    """Return whether a pin is set, or moved to another revision."""
    return old is None or old.revision != pin.revision


def _completions(change: RoleChange) -> Iterable[Update]:
    for pack_id, pin in change.after.pins.items():
        pack, old = change.packs.get(pack_id), change.before.pins.get(pack_id)
        if pack is None or pack.layers or pack.revision != pin.revision or not _is_new(old, pin):
            continue
        facts = revision_facts(pack)
        yield Update(
            key=revision_key(pack_id, pin.revision),
            change="SET " + ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in facts),
            condition="attribute_exists(PK)",
            values={f":{name}": value for name, value in facts.items()},
            names={f"#{name}": name for name in facts},
        )


def _counter(role: Role, owner_org_id: str) -> str:
    return "own_refs" if owner_org_id == role.org_id else "foreign_refs"
