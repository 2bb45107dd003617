"""Pins that follow: the service moves them when their pack gets another image (API contract, section 8).

The table's stream tells of every row that gets another image, and of every reference that follows (decision 87). What
it tells is only where to look. Each pin is compared with the pack as it is now, and moved on condition that its role is
as it was read. So a record that comes late, twice, or while another process is at work does no harm, and a crash loses
nothing: the stream tells again what was not settled.

- The pack changes while a role begins to follow it: the stream tells of the reference after it was written, and the
  pack is then looked at again.
- The next revision is withdrawn: the pin stays. When it is restored, the stream tells of the row again.
- The next revision may do more than the pin's: the pin stays, and is stale until somebody consents.
- The signature policy of the role's organisation does not accept the next revision: the pin stays, and is stale until
  the role is refreshed under a policy that does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import RoleModified, SignatureRequired
from packyard.operations.consent import Move
from packyard.operations.role_packs import RoleReader
from packyard.operations.signature_policy import SignatureRule
from packyard.packs.role import Role
from packyard.store.pack_revisions import RevisionId
from packyard.store.roles import FollowingRole, PinsNotUsable, RoleChange, RoleOutdated

logger = Logger(child=True)

# Who moves pins, in the histories of roles; and how.
ACTOR: Final = "follow"
# An attempt fails when another request has changed the role in the meantime. After these, the stream tells again.
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """Moves pins that follow.

    Attributes:
        reader: Reads roles and their packs.
        signatures: Decides whether registered images may be pinned.
        clock: The present instant, UTC.
    """

    reader: RoleReader
    signatures: SignatureRule
    clock: Callable[[], datetime]

    def pack_changed(self, pack_id: str) -> None:
        """Move the pins of all roles that follow a pack, of all organisations: two reads and a write for each.

        Raises:
            RoleModified: Other requests keep changing a role.
            ServiceUnavailable: DynamoDB did not answer.
        """
        for role in self.reader.roles.followers(pack_id):
            self.move(role, pack_id)

    def move(self, role: FollowingRole, pack_id: str) -> None:
        """Move a role's pin of a pack, if it follows, is stale, and the pack may do no more than it could.

        Raises:
            RoleModified, ServiceUnavailable: As for `pack_changed`.
        """
        for _ in range(_ATTEMPTS):
            before = self.reader.roles.get(org_id=role.org_id, role_id=role.role_id)
            change = None if before is None else self._change(before, pack_id)
            if change is None:
                return
            try:
                self.reader.roles.write(change, at=self.clock())
            except (RoleOutdated, PinsNotUsable):
                continue
            return
        raise RoleModified

    def _change(self, before: Role, pack_id: str) -> RoleChange | None:
        pin = before.pins.get(pack_id)
        if pin is None or not pin.follow:
            return None
        read = self.reader.packs.read([pack_id], [RevisionId(pack_id, pin.revision)])
        pack = read.now.get(pack_id)
        if pack is None or pack.image_digest == pin.image_digest or pack.withdrawn:
            return None
        move = Move(read.at(pack_id, pin.revision), pack, pin.revision)
        if move.difference.widened:
            logger.info("a pin waits for consent", extra={"pack_id": pack_id, "revision": pack.revision})
            return None
        try:
            self.signatures.require_of([pack], org_id=before.org_id)
        except SignatureRequired:
            logger.info("a pin waits for a signature", extra={"pack_id": pack_id, "revision": pack.revision})
            return None
        return RoleChange(
            before=before,
            after=before.with_pins(before.pack_ids, {**before.pins, pack_id: pin.at(pack)}),
            packs={pack_id: pack},
            actor=ACTOR,
            operation=ACTOR,
        )
