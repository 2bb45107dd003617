"""Roles, and the references by which they hold their packs.

A reference is written on three items in one transaction: the role's list, an item beside the pack that says who
holds it, and a counter on the pack's row. The counter is what others go by: a pack is deleted, or withdrawn from the
community, on condition that it is zero, in a write to the very row on which it is raised. So of an attachment and a
deletion one comes first, and the other sees it (decision 20).
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
    """The role, or a pack that it was to get, is not as it was read."""


class RoleStore:
    """The roles of all organisations.

    Args:
        table: Where they are kept.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def get(self, *, org_id: str, role_id: str) -> Role | None:
        """Return a role as it stands now; None when its packs were never set. One read.

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
        """Write a role's next revision with the references that come and go by it, all or none. One transaction.

        Args:
            role: The role's next revision: `before.with_packs(...)`.
            packs: The packs to attach and those to let go, as they were read; which is which, the role says.
            actor: Who sets them, for the role's history.
            at: The present instant, UTC.

        Raises:
            RoleOutdated: The role is at another revision by now; or a pack to attach is not active any more, or hidden
                from the role's organisation.
            ServiceUnavailable: DynamoDB did not answer; whether the role was set is not known.
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
            # Only the role and the packs to attach are in other hands: a reference goes with its role.
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
    # Whose pack it is never changes, so what was read decides; whether it is shared is the condition's to say.
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
