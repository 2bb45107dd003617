"""Retention: old revisions that no role pins are deleted, by the same steps as `revision_deletion`.

The table's stream tells of each new revision of a pack that has a policy, and of each new policy. A message to the
cleanup queue follows from that, so a crash loses nothing, and two messages do no harm. A sweep sends no message: it
goes on with the deletions that an earlier one has begun, and its own message comes again until it is done (decision
65). Each image is marked before its pins are looked at. So a role that pins it at the same time is either seen, or
refused.

An image stays if one of the newest revisions has it, if a role of any organisation pins it, and if it is current.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import PackDeleting, PackModified, PreconditionFailed
from packyard.messaging.not_yet import NotYet
from packyard.operations.owned_pack import require_owned
from packyard.operations.read import no_such_pack
from packyard.operations.revision_deletion import RevisionDeleter
from packyard.packs.image_state import ImageId, ImageStatus
from packyard.packs.pack import PackStatus, is_pack_id
from packyard.packs.precondition import IfMatch
from packyard.packs.retention import MAX_KEPT, retention_tag
from packyard.store.packs import Gone, Stale
from packyard.store.pinning_roles import PinningRoles
from packyard.store.removals import ImageEntry, IsCurrent, MarkLost, Removals
from packyard.store.retention import KeptPack, PolicyChanged, RetentionStore
from packyard.tenants.caller import Caller

logger = Logger(child=True)

# Who deletes, in events.
ACTOR: Final = "retention"
# How many entries of a history a sweep reads beyond those that are kept.
_SWEPT: Final = 5000
# A sweep begins no deletion when less is left: one takes a few seconds.
_SECONDS_FOR_ONE: Final = 10.0
_REST_LATER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Sets retention policies and carries them out.

    Attributes:
        policies: The policies.
        removals: What histories say of images.
        pinning: Says which images roles pin.
        deleter: Returns what deletes revisions. Only a sweep needs it.
        time_left: For how many seconds the present message may still be worked on.
        clock: The present instant, UTC.
    """

    policies: RetentionStore
    removals: Removals
    pinning: PinningRoles
    deleter: Callable[[], RevisionDeleter]
    time_left: Callable[[], float]
    clock: Callable[[], datetime]

    def get(self, pack_id: str, *, caller: Caller) -> int | None:
        """Return how many revisions of an owned pack are kept; None for all. One read.

        Raises:
            PackNotFound: The caller's organisation owns no such pack, or the caller may not touch it.
            ServiceUnavailable: DynamoDB did not answer.
        """
        return self._owned(pack_id, caller).keep

    def set(self, pack_id: str, keep: int | None, *, caller: Caller, if_match: IfMatch | None) -> int | None:
        """Set how many revisions of an owned pack are kept, and return it. One that is so already stays.

        Args:
            pack_id: The pack, as the client names it.
            keep: How many, 1 to 10,000; None for all.
            caller: Who asks.
            if_match: What the client has seen of the policy.

        Raises:
            PackNotFound: As for `get`.
            PackDeleting: The pack is being deleted.
            PreconditionFailed: The policy is another one than the client has seen.
            PackModified: Another request has changed it in between.
            ServiceUnavailable: DynamoDB did not answer.
        """
        before = self._owned(pack_id, caller)
        if before.pack.status is not PackStatus.ACTIVE:
            raise PackDeleting
        tag = retention_tag(before.keep)
        if if_match is not None and if_match.tags is not None and tag not in if_match.tags:
            raise PreconditionFailed(
                f'The policy is "{tag}", and If-Match names another. Read it again; if the change is still right, send '
                f'it with If-Match: "{tag}".'
            )
        if before.keep == keep:
            return keep
        try:
            self.policies.set(before, keep, actor=caller.principal)
        except PolicyChanged:
            raise PackModified from None
        return keep

    def sweep(self, pack_id: str) -> None:
        """Delete the old revisions of a pack that nothing holds, if it has a policy.

        Raises:
            NotYet: There was no time for all; the message comes again.
            RegistryCleanupFailed, ServiceUnavailable: It failed for now; a repeat is safe.
        """
        found = self.policies.get(pack_id)
        if found is None or found.keep is None or found.pack.status is not PackStatus.ACTIVE:
            return
        for entry, begun in self._old(found, found.keep):
            if self.time_left() < _SECONDS_FOR_ONE:
                raise NotYet(self.clock() + _REST_LATER, now=self.clock())
            try:
                if begun:
                    self.deleter().finish(ImageId(pack_id, entry.digest))
                else:
                    self.deleter().remove_unpinned(found.pack, entry, by=ACTOR)
            except (IsCurrent, Stale, Gone):
                # The pack has changed; the stream tells of it, and another sweep follows.
                return
            except MarkLost:
                continue

    def _old(self, found: KeptPack, keep: int) -> list[tuple[ImageEntry, bool]]:
        """Return an entry for each image to delete, the oldest first, and whether its deletion has begun."""
        entries = list(islice(self.removals.entries(found.pack.id), min(keep, MAX_KEPT) + _SWEPT))
        kept = {entry.digest for entry in entries[:keep]} | {found.pack.image_digest}
        old = {entry.digest: entry for entry in reversed(entries[keep:]) if entry.digest not in kept}
        pinned = {role.image_digest for role in self.pinning.of(found.pack.id)}
        states = self.removals.states(found.pack.id, old)
        begun = {digest for digest, state in states.items() if state.status is ImageStatus.DELETING}
        ended = {digest for digest, state in states.items() if state.status is ImageStatus.DELETED}
        return [
            (entry, digest in begun)
            for digest, entry in old.items()
            if digest not in ended and (digest in begun or digest not in pinned)
        ]

    def _owned(self, pack_id: str, caller: Caller) -> KeptPack:
        found = self.policies.get(pack_id) if is_pack_id(pack_id) else None
        if found is None:
            raise no_such_pack(pack_id)
        require_owned(found.pack, pack_id, actor=caller)
        return found
