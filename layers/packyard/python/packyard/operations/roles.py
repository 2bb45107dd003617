"""The packs of agent roles: reading them, and replacing the whole list.

    read the role → read the packs that come or go → commit the role with all its references

One transaction writes everything, on condition that the role is as it was read and that each new pack is still active
and visible. A crash before it leaves nothing; after it, a repeat finds the list set. When another request has changed
the role or one of the packs in between, this one reads again and starts over: a new list replaces the list that is
there, whatever that is. A client that must not overwrite another's list names with `If-Match` the revision that it has
seen, and each attempt checks that against the role as it was read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packyard.errors import (
    InvalidRequest,
    PackDeleting,
    PackNotFound,
    PreconditionFailed,
    RoleModified,
    RoleNotFound,
)
from packyard.operations.read import is_visible
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.precondition import IfMatch, revision_tag
from packyard.packs.role import MAX_PACKS, Role, is_role_id
from packyard.store.packs import PackStore
from packyard.store.roles import RoleOutdated, RoleStore
from packyard.tenants.caller import Caller

# An attempt fails when another request has changed the role, or a pack that it gets, in the meantime.
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

    def set_packs(
        self,
        role_id: str,
        pack_ids: tuple[str, ...],
        *,
        caller: Caller,
        if_match: IfMatch | None = None,
        create_only: bool = False,
    ) -> Role:
        """Replace the packs of a role. A role that has exactly these packs already stays at its revision.

        Args:
            role_id: The role, a valid id; a role is made when its packs are set for the first time.
            pack_ids: Valid ids in the order wanted, at most 49, each once.
            caller: Whose role it is.
            if_match: What the client has seen of the role.
            create_only: Whether to refuse a role whose packs were set before.

        Raises:
            InvalidRequest: More than 49 packs would come and go.
            PackNotFound: The caller sees no such packs; names them.
            PackDeleting: Packs are being deleted; names them.
            PreconditionFailed: The role is not as the client has seen it, or it is there.
            RoleModified: Other requests keep changing the role or its packs.
            ServiceUnavailable: DynamoDB did not answer.
        """
        for _ in range(_ATTEMPTS):
            before = self.roles.get(org_id=caller.org_id, role_id=role_id)
            role = (before or Role(org_id=caller.org_id, role_id=role_id)).with_packs(pack_ids)
            packs = self._read_changes(before, role, caller)
            # Last: a precondition counts only where the request would succeed without it (RFC 9110, section 13.2.1).
            _require_seen(before, if_match, create_only=create_only)
            if before is not None and before.pack_ids == pack_ids:
                return before
            try:
                self.roles.set_packs(role, packs, actor=caller.principal, at=self.clock())
            except RoleOutdated:
                continue
            return role
        raise RoleModified

    def _read_changes(self, before: Role | None, after: Role, caller: Caller) -> Sequence[Pack]:
        """Return the packs that a role gains or loses. A pack that it keeps cannot be deleted meanwhile."""
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


def _require_seen(role: Role | None, if_match: IfMatch | None, *, create_only: bool) -> None:
    """Check the client's conditions on a role. The write that follows requires that the role is as it was read."""
    if role is None:
        if if_match is not None:
            raise PreconditionFailed(
                "The packs of this role were never set, so that If-Match matches nothing; leave it out to set them."
            )
        return
    if create_only:
        raise PreconditionFailed(
            f"The role is there, at revision {role.revision}, and If-None-Match: * sets only one that is not; "
            f"to change it, send If-Match: {revision_tag(role.revision)}.",
            role.revision,
        )
    if if_match is not None and not if_match.matches(role.revision):
        raise if_match.refusal(role.revision, thing="role")


def _require_attachable(pack_ids: Sequence[str], packs: Mapping[str, Pack], caller: Caller) -> None:
    """Check that packs are there and active, as they were read."""
    visible = {pack_id for pack_id, pack in packs.items() if _is_there(pack, caller)}
    if missing := [pack_id for pack_id in pack_ids if pack_id not in visible]:
        raise PackNotFound(missing)
    if deleting := [pack_id for pack_id in pack_ids if packs[pack_id].status is PackStatus.DELETING]:
        raise PackDeleting(deleting)


def _is_there(pack: Pack, caller: Caller) -> bool:
    return pack.status is not PackStatus.DELETED and is_visible(pack, caller)
