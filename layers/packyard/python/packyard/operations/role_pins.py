"""Finds the image of a pack that a role pins, by the names that OCI clients use: owner and pack."""

from dataclasses import dataclass, replace

from packyard.oci.reference import parse_reference
from packyard.operations.served_images import PinnedImage
from packyard.packs.pack import Pack
from packyard.packs.role import is_role_id
from packyard.store.packs import PackStore
from packyard.store.roles import RoleStore
from packyard.store.tenants import TenantStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePins:
    """Implements `PinnedImages`.

    Attributes:
        own_host: The start of references to our registry.
    """

    roles: RoleStore
    packs: PackStore
    tenants: TenantStore
    own_host: str

    def find(self, *, org_id: str, role_id: str, owner: str, name: str) -> PinnedImage | None:
        """See `PinnedImages`. Two reads, and one of the organisation for each pack of that name."""
        role = self.roles.get(org_id=org_id, role_id=role_id) if is_role_id(role_id) else None
        if role is None:
            return None
        named = [pack for pack in self.packs.get_many(role.pack_ids).values() if pack.name == name]
        pack = next((pack for pack in named if self._owner(pack) == owner), None)
        return None if pack is None else self._pinned(pack)

    def _owner(self, pack: Pack) -> str | None:
        org = self.tenants.get_org(pack.org_id)
        return None if org is None else org.slug

    def _pinned(self, pack: Pack) -> PinnedImage | None:
        reference = replace(parse_reference(pack.image_ref), digest=pack.image_digest)
        # A registered pack's image stays where it is; the lock document names it.
        if reference.registry != self.own_host:
            return None
        return PinnedImage(reference=reference, digest=pack.image_digest, org_id=pack.org_id)
