"""Roles, and their references to packs.

One transaction writes a reference to three items: the role's list of packs, an item in the pack's partition that names
the role, and a counter on the pack's row. A pack is deleted, or loses its `community` visibility, on condition that the
counter is zero. That condition is checked on the same row that an attachment increments. So of an attachment and a
deletion, one comes first and the other one is refused (decision 20).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from packyard.packs.pack import Pack, PackStatus, Visibility
from packyard.packs.role import Role
from packyard.packs.timestamp import format_timestamp
from packyard.store.keys import pack_key, reference_key, role_key, role_revision_key
from packyard.store.table import Action, Delete, Item, Put, Table, TransactionFailed, Update, token_of


class RoleOutdated(Exception):
    """The role, or a pack to attach to it, has changed since it was read."""


class RoleStore:
    """The roles of all organisations.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def get(self, *, org_id: str, role_id: str) -> Role | None:
        """Return the current state of a role, or None if its packs were never set. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(role_key(org_id, role_id))
        if item is None:
            return None
        return Role(
            org_id=org_id,
            role_id=role_id,
            pack_ids=tuple(item["pack_ids"]),
            revision=int(item["revision"]),
        )

    def set_packs(self, role: Role, packs: Sequence[Pack], *, actor: str, at: datetime) -> None:
        """Write a role's next revision, and add and remove references accordingly, all or none. One transaction.

        Args:
            role: The role's next revision: `before.with_packs(...)`.
            packs: The packs to attach and the packs to detach, as they were read. Those in `role.pack_ids` are
                attached.
            actor: Who sets the packs, for the role's history.
            at: The current time, in UTC.

        Raises:
            RoleOutdated: The role is at another revision now; or a pack to attach is no longer active, or no longer
                visible to the role's organisation.
            ServiceUnavailable: DynamoDB did not answer; the role may have been written.
        """
        kept = set(role.pack_ids)
        attached = [pack for pack in packs if pack.id in kept]
        released = [pack for pack in packs if pack.id not in kept]
        actions: list[Action] = [
            *_next_revision(role, actor, format_timestamp(at)),
            *chain.from_iterable(_attach(role, pack, format_timestamp(at)) for pack in attached),
            *chain.from_iterable(_release(role, pack) for pack in released),
        ]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            # Other requests can make only the conditions on the role and on the packs to attach fail. The conditions on
            # references follow from the role's revision.
            role_reason, _, *others = failure.reasons
            if role_reason.condition_failed or any(
                reason.condition_failed for reason in others[: 2 * len(attached) : 2]
            ):
                raise RoleOutdated from None
            raise


def _next_revision(role: Role, actor: str, at: str) -> Iterable[Action]:
    first = role.revision == 1
    yield Update(
        key=role_key(role.org_id, role.role_id),
        change="SET org_id = :org_id, role_id = :role_id, pack_ids = :pack_ids, revision = :revision, updated_at = :at",
        condition="attribute_not_exists(PK)" if first else "revision = :read_revision",
        values={
            ":org_id": role.org_id,
            ":role_id": role.role_id,
            ":pack_ids": list(role.pack_ids),
            ":revision": role.revision,
            ":at": at,
        }
        | ({} if first else {":read_revision": role.revision - 1}),
    )
    entry: Item = {
        **role_revision_key(role.org_id, role.role_id, role.revision),
        "revision": role.revision,
        "pack_ids": list(role.pack_ids),
        "actor": actor,
        "at": at,
    }
    yield Put(item=entry, condition="attribute_not_exists(PK)")


def _attach(role: Role, pack: Pack, at: str) -> Iterable[Action]:
    # A pack's owner never changes, so the owner that was read is right. Its visibility can change, so the write checks
    # it.
    own = pack.org_id == role.org_id
    visible, whose = (
        ("org_id = :org_id", {":org_id": role.org_id})
        if own
        else ("visibility = :community", {":community": Visibility.COMMUNITY.value})
    )
    yield Update(
        key=pack_key(pack.id),
        change=f"ADD {_counter(role, pack)} :one",
        condition=f"#status = :active AND {visible}",
        values={":one": 1, ":active": PackStatus.ACTIVE.value, **whose},
        names={"#status": "status"},
    )
    reference: Item = {
        **reference_key(pack.id, role.org_id, role.role_id),
        "org_id": role.org_id,
        "role_id": role.role_id,
        "at": at,
    }
    yield Put(item=reference, condition="attribute_not_exists(PK)")


def _release(role: Role, pack: Pack) -> Iterable[Action]:
    counter = _counter(role, pack)
    yield Update(
        key=pack_key(pack.id),
        change=f"ADD {counter} :minus_one",
        condition=f"{counter} >= :one",
        values={":minus_one": -1, ":one": 1},
    )
    yield Delete(key=reference_key(pack.id, role.org_id, role.role_id), condition="attribute_exists(PK)")


def _counter(role: Role, pack: Pack) -> str:
    return "own_refs" if pack.org_id == role.org_id else "foreign_refs"
