"""Roles, their pins and their locks."""

from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.rules import Rules

if TYPE_CHECKING:
    from packyard.operations.follow import Follower
    from packyard.operations.lock import LockReader
    from packyard.operations.role_packs import RoleReader
    from packyard.operations.role_pins import RolePins
    from packyard.operations.roles import RoleSetter
    from packyard.operations.tell_roles import RoleTeller


class Roles(Rules):
    """What reads and changes roles."""

    @cached_property
    def role_reader(self) -> "RoleReader":
        """Reads roles and their packs."""
        from packyard.operations.role_packs import RoleReader

        return RoleReader(roles=self.roles, packs=self.pack_revisions, tenants=self.tenants)

    @cached_property
    def role_setter(self) -> "RoleSetter":
        """Changes roles."""
        from packyard.operations.roles import RoleSetter

        return RoleSetter(reader=self.role_reader, signatures=self.signature_rule, clock=self.clock)

    @cached_property
    def follower(self) -> "Follower":
        """Moves pins that follow."""
        from packyard.operations.follow import Follower

        return Follower(reader=self.role_reader, signatures=self.signature_rule, clock=self.clock)

    @cached_property
    def role_teller(self) -> "RoleTeller":
        """Tells roles and their owners of their pins."""
        from packyard.operations.tell_roles import RoleTeller

        return RoleTeller(packs=self.pack_revisions, states=self.image_states, told=self.told_roles)

    @cached_property
    def role_pins(self) -> "RolePins":
        """The finder of images that roles pin."""
        from packyard.operations.role_pins import RolePins

        return RolePins(
            roles=self.roles,
            packs=self.packs,
            tenants=self.tenants,
            feeds=self.feed_store,
            own_host=self.image_source.own.host,
            clock=self.clock,
        )

    @cached_property
    def lock_reader(self) -> "LockReader":
        """Reads the lock documents of roles."""
        from packyard.operations.lock import LockReader

        return LockReader(reader=self.role_reader, files=lambda: self.image_files, locks=self.locks)
