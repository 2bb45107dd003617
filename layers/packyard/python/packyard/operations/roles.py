"""The packs of agent roles: reading them, and replacing the whole list.

    read the role → read the packs that come or go → commit the role with all its references

Everything is written by the one transaction, on condition that the role is as it was read and each new pack is still
active and visible; a crash before it leaves nothing, and one after it leaves a list that a repeat finds set. Whoever
finds that another came first, to the role or to one of the packs, reads again and starts over: a new list takes
the place of whatever list there is, so the other's is none that could be lost unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packyard.errors import InvalidRequest, PackDeleting, PackNotFound, RoleNotFound, ServiceUnavailable
from packyard.operations.read import is_visible
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.role import MAX_PACKS, Role, is_role_id
from packyard.store.packs import PackStore
from packyard.store.roles import RoleOutdated, RoleStore
from packyard.tenants.caller import Caller

# Each further attempt means that somebody else has changed the role, or a pack that it was to get, in the meantime.
_ATTEMPTS: Final = 5


def get_role(role_id: str, *, caller: Caller, roles: RoleStore) -> Role:
    """Return a role of the caller's organisation. One read.

    Raises:
        RoleNotFound: Its packs were never set.
        ServiceUnavailable: DynamoDB did not answer.
    """
    role = roles.get(org_id=caller.org_id, role_id=role_id) if is_role_id(role_id) else None
    if role is None:
        raise RoleNotFound
    return role


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSetter:
    """Sets the packs of roles.

    Attributes:
        roles: Where roles are kept.
        packs: Where packs are.
        clock: The present instant, UTC.
    """

    roles: RoleStore
    packs: PackStore
    clock: Callable[[], datetime]

    def set_packs(self, role_id: str, pack_ids: tuple[str, ...], *, caller: Caller) -> Role:
        """Replace the packs of a role; one that has exactly these already stays at its revision.

        Args:
            role_id: The role, a valid id; it need not have been heard of.
            pack_ids: Valid ids in the order wanted, at most 49, each once.
            caller: Whose role it is.

        Raises:
            InvalidRequest: More than 49 packs would come and go.
            PackNotFound: The caller sees no such pack; names all of which that is true.
            PackDeleting: Packs are being deleted; names them.
            ServiceUnavailable: DynamoDB did not answer, or others keep changing the role or its packs.
        """
        for _ in range(_ATTEMPTS):
            before = self.roles.get(org_id=caller.org_id, role_id=role_id)
            if before is not None and before.pack_ids == pack_ids:
                return before
            role = (before or Role(org_id=caller.org_id, role_id=role_id)).with_packs(pack_ids)
            packs = self._read_changes(before, role, caller)
            try:
                self.roles.set_packs(role, packs, actor=caller.principal, at=self.clock())
            except RoleOutdated:
                continue
            return role
        raise ServiceUnavailable

    def _read_changes(self, before: Role | None, after: Role, caller: Caller) -> Sequence[Pack]:
        """Return the packs that a role gains or loses; those that it keeps cannot have gone meanwhile."""
        had = () if before is None else before.pack_ids
        attached = [pack_id for pack_id in after.pack_ids if pack_id not in had]
        released = [pack_id for pack_id in had if pack_id not in after.pack_ids]
        if len(attached) + len(released) > MAX_PACKS:
            raise InvalidRequest(
                {
                    "pack_ids": f"would add and remove more than {MAX_PACKS} packs at once; do it in two requests"
                }
            )
        packs = self.packs.get_many([*attached, *released])
        _require_attachable(attached, packs, caller)
        return list(packs.values())


def _require_attachable(pack_ids: Sequence[str], packs: Mapping[str, Pack], caller: Caller) -> None:
    """Check that packs can be attached, as far as what was read can tell: that all are there, and their state."""
    visible = {pack_id for pack_id, pack in packs.items() if _is_there(pack, caller)}
    if missing := [pack_id for pack_id in pack_ids if pack_id not in visible]:
        raise PackNotFound(missing)
    if deleting := [pack_id for pack_id in pack_ids if packs[pack_id].status is PackStatus.DELETING]:
        raise PackDeleting(deleting)


def _is_there(pack: Pack, caller: Caller) -> bool:
    return pack.status is not PackStatus.DELETED and is_visible(pack, caller)
