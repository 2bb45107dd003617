"""Finds the image of a pack that a role pins or a feed serves, by the names that OCI clients use: owner and pack."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from packyard.operations.served_images import PinnedImage, image_of_pin
from packyard.packs.feed import OF_A_FEED, Feed
from packyard.packs.image_state import ImageStatus
from packyard.packs.pack import PackStatus, Visibility
from packyard.packs.role import Pin, Role, is_role_id, pin_of
from packyard.store.feeds import FeedStore
from packyard.store.packs import PackStore
from packyard.store.roles import RoleStore
from packyard.store.tenants import TenantStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePins:
    """Implements `PinnedImages`.

    Attributes:
        own_host: The start of references to our registry.
        clock: The present instant, UTC.
    """

    roles: RoleStore
    packs: PackStore
    tenants: TenantStore
    feeds: FeedStore
    own_host: str
    clock: Callable[[], datetime]

    def find(self, *, org_id: str, role_id: str, owner: str, name: str) -> PinnedImage | None:
        """See `PinnedImages`. One read, and two more for a role with packs that it does not pin yet (decision 84).

        A feed is one read more. One of a list of packs has their present images, those apart that are withdrawn or that
        its organisation cannot see any more.
        """
        if role_id.startswith(OF_A_FEED):
            feed = self.feeds.get(org_id, role_id.removeprefix(OF_A_FEED))
            if feed is None or not feed.is_live(self.clock()):
                return None
            if feed.role_id is None:
                return self._listed(feed, owner=owner, name=name)
            role_id = feed.role_id
        role = self.roles.get(org_id=org_id, role_id=role_id) if is_role_id(role_id) else None
        if role is None:
            return None
        found = next((pin for pin in role.pins.values() if (pin.owner, pin.name) == (owner, name)), None)
        found = found or next((pin for pin in self._floating(role, name) if pin.owner == owner), None)
        if found is None or role.marked(found) is ImageStatus.DELETED:
            return None
        return image_of_pin(found, own_host=self.own_host)

    def _listed(self, feed: Feed, *, owner: str, name: str) -> PinnedImage | None:
        for pack in self.packs.get_many(feed.pack_ids).values():
            seen = pack.org_id == feed.org_id or pack.visibility is Visibility.COMMUNITY
            if pack.name != name or pack.withdrawn or pack.status is PackStatus.DELETED or not seen:
                continue
            pin = pin_of(pack, owner=self._slug(pack.org_id))
            if pin.owner == owner:
                return image_of_pin(pin, own_host=self.own_host)
        return None

    def _floating(self, role: Role, name: str) -> Iterator[Pin]:
        """Yield the packs of a name that have no pin: the role has their present revision."""
        floating = [pack_id for pack_id in role.pack_ids if pack_id not in role.pins]
        for pack in self.packs.get_many(floating).values() if floating else ():
            if pack.name == name:
                yield pin_of(pack, owner=self._slug(pack.org_id))

    def _slug(self, org_id: str) -> str:
        org = self.tenants.get_org(org_id)
        return org_id if org is None else org.slug
