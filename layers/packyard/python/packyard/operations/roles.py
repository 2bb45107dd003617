"""Changing agent roles: setting their packs, moving their pins, deleting them.

    read the role → read its packs, and revisions of them → commit the role with all its references

One transaction writes everything, on condition that the role is as it was read and that each new pack is still active
and visible. A crash before it leaves nothing; after it, a repeat finds the role so. When another request has changed
the role or one of the packs in between, this one reads again and starts over: a new list replaces the list that is
there, whatever that is. A client that must not overwrite another's list names with `If-Match` the revision that it has
seen, and each attempt checks that against the role as it was read.

A revision of a pack never changes, so a pin that was right when it was read is right when it is written.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from packyard.errors import PackNotFound, PreconditionFailed, RoleModified, RoleNotFound
from packyard.operations.consent import accepted_moves
from packyard.operations.role_packs import RoleReader, images_of
from packyard.operations.role_plan import Plan, Wish, planned, revisions_of
from packyard.operations.signature_policy import SignatureRule
from packyard.operations.unusable_images import not_pinned
from packyard.packs.precondition import IfMatch, revision_tag
from packyard.packs.role import MAX_CHANGED_PINS, Role, RoleState
from packyard.store.pack_revisions import PacksRead
from packyard.store.roles import PinsNotUsable, RoleChange, RoleOutdated, RoleReused
from packyard.tenants.caller import Caller

# An attempt fails when another request has changed the role, or a pack that it gets, in the meantime.
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSetter:
    """Changes roles.

    Attributes:
        reader: Reads roles and their packs.
        signatures: Decides whether registered images may be pinned.
        clock: The present instant, UTC.
    """

    reader: RoleReader
    signatures: SignatureRule
    clock: Callable[[], datetime]

    def set_packs(  # noqa: PLR0913 - by name: the role, what it is to have, and on what conditions
        self,
        role_id: str,
        wishes: Sequence[Wish],
        *,
        caller: Caller,
        accepts: Mapping[str, int] | None = None,
        if_match: IfMatch | None = None,
        create_only: bool = False,
    ) -> RoleState:
        """Replace the packs of a role. A role that has exactly these packs and pins already stays at its revision.

        Args:
            role_id: The role, a valid id; a role is made when its packs are set for the first time.
            wishes: The packs in the order wanted, at most 49, each once.
            caller: Whose role it is.
            accepts: By pack, the revision whose capabilities are accepted.
            if_match: What the client has seen of the role.
            create_only: Whether to refuse a role that is there.

        Raises:
            InvalidRequest: More than 30 pins would be set or moved; two packs would have one name; a revision cannot be
                pinned.
            PackNotFound: The caller sees no such packs; names them.
            RevisionNotFound: A pack has no such revision that the caller can see.
            PackDeleting: Packs are being deleted; names them.
            CapabilitiesWidened: A pin would move to wider capabilities, which are not accepted.
            RevisionWithdrawn: A pin would be set or moved to an image that is withdrawn or deleted.
            SignatureRequired: A pin would be set or moved to an image that the signature policy does not accept.
            PreconditionFailed: The role is not as the client has seen it, or it is there.
            RoleModified: Other requests keep changing the role or its packs.
            ServiceUnavailable: DynamoDB did not answer.
        """

        def plan(before: Role) -> Plan:
            wanted = revisions_of(wishes, before)
            gone = [
                pack_id for pack_id in before.pack_ids if pack_id not in {wish.pack_id for wish in wishes}
            ]
            read = self.reader.packs.read(
                [*(wish.pack_id for wish in wishes), *gone], wanted, images_of(before)
            )
            return planned(
                wishes, before, read, caller=caller, owners=partial(self.reader.owners, caller=caller)
            )

        return self._change(
            role_id,
            plan,
            caller=caller,
            operation="set",
            accepts=accepts or {},
            seen=lambda role: _require_seen(role, if_match, create_only=create_only),
        )

    def refresh(
        self,
        role_id: str,
        pack_ids: Sequence[str] | None,
        *,
        caller: Caller,
        accepts: Mapping[str, int] | None = None,
        if_match: IfMatch | None = None,
    ) -> RoleState:
        """Move pins to the present revisions of their packs, at most 30 of them. Repeating is safe.

        Args:
            role_id: The role, as the client names it.
            pack_ids: Whose pins; None for all.
            caller: Whose role it is.
            accepts: As for `set_packs`.
            if_match: As for `set_packs`.

        Raises:
            RoleNotFound: There is no such role.
            PackNotFound: The role does not have these packs; names them.
            CapabilitiesWidened, RevisionWithdrawn, SignatureRequired, PreconditionFailed, RoleModified,
                ServiceUnavailable: As for `set_packs`.
        """

        def plan(before: Role) -> Plan:
            if not before.is_there:
                raise RoleNotFound
            if missing := [pack_id for pack_id in pack_ids or () if pack_id not in before.pack_ids]:
                raise PackNotFound(missing)
            return self._refreshed(before, pack_ids, caller)

        return self._change(
            role_id,
            plan,
            caller=caller,
            operation="refresh",
            accepts=accepts or {},
            seen=lambda role: _require_seen(role, if_match),
        )

    def delete(self, role_id: str, *, caller: Caller, if_match: IfMatch | None = None) -> None:
        """Delete a role and let go of its packs.

        Args:
            role_id: The role, as the client names it.
            caller: Whose role it is.
            if_match: What the client has seen of the role.

        Raises:
            RoleNotFound: There is no such role.
            PreconditionFailed, RoleModified, ServiceUnavailable: As for `set_packs`.
        """
        for _ in range(_ATTEMPTS):
            before = self.reader.role(role_id, caller=caller)
            # A pin says who owns its pack.
            floating = [pack_id for pack_id in before.pack_ids if pack_id not in before.pins]
            read = self.reader.packs.read(floating)
            _require_seen(before, if_match)
            change = RoleChange(
                before=before,
                after=before.with_pins((), {}),
                packs=read.now,
                actor=caller.principal,
                operation="delete",
            )
            try:
                self.reader.roles.delete(change, at=self.clock())
            except RoleOutdated:
                continue
            return
        raise RoleModified

    def _refreshed(self, before: Role, pack_ids: Sequence[str] | None, caller: Caller) -> Plan:
        read = self.reader.with_pins(before)
        behind = [
            pack_id
            for pack_id in (before.pack_ids if pack_ids is None else dict.fromkeys(pack_ids))
            if (pin := before.pins.get(pack_id)) is None or pin.revision != read.now[pack_id].revision
        ]
        chosen = set(behind[:MAX_CHANGED_PINS])
        wishes = [
            Wish(pack_id=pack_id, revision=read.now[pack_id].revision if pack_id in chosen else None)
            for pack_id in before.pack_ids
        ]
        plan = planned(
            wishes,
            before,
            read,
            caller=caller,
            owners=partial(self.reader.owners, caller=caller),
            pins_floating=False,
        )
        return replace(plan, more=len(behind) > len(chosen))

    def _change(  # noqa: PLR0913 - by name: what every change of a role has
        self,
        role_id: str,
        plan: Callable[[Role], Plan],
        *,
        caller: Caller,
        operation: str,
        accepts: Mapping[str, int],
        seen: Callable[[Role], None],
    ) -> RoleState:
        last_revision = 0
        for _ in range(_ATTEMPTS):
            before = self.reader.roles.read(org_id=caller.org_id, role_id=role_id)
            if not before.is_there:
                before = replace(before, revision=max(before.revision, last_revision))
            made = plan(before)
            accepted = accepted_moves(made.moves, accepts, held=made.after.pack_ids)
            self.signatures.require_of(made.newly_pinned, org_id=caller.org_id)
            # Last: a precondition counts only where the request would succeed without it (RFC 9110, section 13.2.1).
            seen(before)
            if before.is_there and made.changes_nothing:
                return self._state(before, made.read, caller, more=made.more)
            change = RoleChange(
                before=before,
                after=made.after,
                packs=made.packs,
                actor=caller.principal,
                operation=operation,
                accepted=accepted,
            )
            try:
                written = self.reader.roles.write(change, at=self.clock())
            except RoleOutdated:
                continue
            except RoleReused:
                last_revision = self.reader.roles.last_revision(org_id=caller.org_id, role_id=role_id)
                continue
            except PinsNotUsable as unusable:
                raise not_pinned(made.after.pins, unusable.states) from None
            return self._state(written, made.read, caller, more=made.more)
        raise RoleModified

    def _state(self, role: Role, read: PacksRead, caller: Caller, *, more: bool) -> RoleState:
        return self.reader.state(role, read, caller=caller, more=more)


def _require_seen(role: Role, if_match: IfMatch | None, *, create_only: bool = False) -> None:
    """Check the client's conditions on a role. The write that follows requires that the role is as it was read."""
    if not role.is_there:
        if if_match is not None:
            raise PreconditionFailed(
                "There is no such role, so that If-Match matches nothing; leave it out to make the role."
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
