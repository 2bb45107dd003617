"""Roles beside what their packs are now: reading them, and what every change of a role has to look up."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from packyard.errors import RoleNotFound
from packyard.packs.image_state import ImageId, ImageStatus, shown_status
from packyard.packs.role import Pin, Role, RolePack, RoleState, is_role_id, pin_of
from packyard.store.pack_revisions import PackRevisions, PacksRead, RevisionId
from packyard.store.roles import RoleStore
from packyard.store.tenants import TenantStore
from packyard.tenants.caller import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleReader:
    """Reads roles and their packs.

    Attributes:
        roles: Where roles are kept.
        packs: Where packs and their histories are.
        tenants: Where organisations are.
    """

    roles: RoleStore
    packs: PackRevisions
    tenants: TenantStore

    def role(self, role_id: str, *, caller: Caller) -> Role:
        """Return a role of the caller's organisation. One read.

        Raises:
            RoleNotFound: There is none.
            ServiceUnavailable: DynamoDB did not answer.
        """
        role = self.roles.get(org_id=caller.org_id, role_id=role_id) if is_role_id(role_id) else None
        if role is None:
            raise RoleNotFound
        return role

    def get(self, role_id: str, *, caller: Caller) -> RoleState:
        """Return a role of the caller's organisation, beside what its packs are now. Two reads.

        Raises:
            RoleNotFound: There is none.
            ServiceUnavailable: DynamoDB did not answer.
        """
        role = self.role(role_id, caller=caller)
        read = self.packs.read(role.pack_ids, images=images_of(role))
        return self.state(role, read, caller=caller)

    def with_pins(self, role: Role) -> PacksRead:
        """Return the packs of a role as they are, and at the revisions that it pins. One read for each 100 items."""
        pinned = [RevisionId(pin.pack_id, pin.revision) for pin in role.pins.values()]
        return self.packs.read(role.pack_ids, pinned, images_of(role))

    def state(self, role: Role, read: PacksRead, *, caller: Caller, more: bool = False) -> RoleState:
        """Return a role beside its packs.

        Args:
            role: The role.
            read: All of its packs as they are, and the states of the images that it pinned when it was read.
            caller: Whose role it is.
            more: As for `RoleState`.

        Raises:
            ServiceUnavailable: DynamoDB did not answer for the owners of packs without a pin.
        """
        floating = [read.now[pack_id] for pack_id in role.pack_ids if pack_id not in role.pins]
        owners = self.owners((pack.org_id for pack in floating), caller=caller)
        present = {pack.id: pin_of(pack, owner=owners[pack.org_id], follow=True) for pack in floating}
        packs = (
            RolePack(
                pin=present[pack_id],
                stale=False,
                floating=True,
                status=ImageStatus.WITHDRAWN if read.now[pack_id].withdrawn else ImageStatus.ACTIVE,
                deprecated=read.now[pack_id].deprecated,
            )
            if pack_id in present
            else _beside(role.pins[pack_id], read)
            for pack_id in role.pack_ids
        )
        return RoleState(role=role, packs=tuple(packs), more=more)

    def owners(self, org_ids: Iterable[str], *, caller: Caller) -> Mapping[str, str]:
        """Return the slugs of organisations, by id. No read if all of them are the caller's own; else one.

        An organisation whose item is gone is called by its id.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        others: Collection[str] = dict.fromkeys(org_id for org_id in org_ids if org_id != caller.org_id)
        slugs = self.tenants.slugs(others) if others else {}
        return {org_id: slugs.get(org_id, org_id) for org_id in others} | {caller.org_id: caller.org_slug}


def images_of(role: Role) -> list[ImageId]:
    """Return the images that a role pins."""
    return [ImageId(pin.pack_id, pin.image_digest) for pin in role.pins.values()]


def _beside(pin: Pin, read: PacksRead) -> RolePack:
    pack = read.now[pin.pack_id]
    return RolePack(
        pin=pin,
        stale=pack.image_digest != pin.image_digest,
        deprecated=pack.deprecated,
        status=shown_status(read.states.get(ImageId(pin.pack_id, pin.image_digest))),
    )
