"""Packs: who vouches for them, and unfinished deletions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from packyard.messaging.cleanup_queue import CleanupQueue, PackDeletion
from packyard.packs.pack import Pack, PackStatus, Tier, is_pack_id
from packyard.store.deletions import Deletion, DeletionStore
from packyard.store.packs import Gone, PackStore, Stale
from packyard_cli.failure import Exit, Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """What the operator does to packs.

    Attributes:
        store: Where they are kept.
        deletions: Those that are being deleted.
        clock: The present instant, UTC.
    """

    store: PackStore
    deletions: DeletionStore
    clock: Callable[[], datetime]

    def set_tier(self, pack_id: str, tier: Tier, *, actor: str) -> Pack:
        """Set a pack's tier, record that in its history, and return the pack.

        If the pack already has the tier, nothing changes, and there is no entry.

        Args:
            pack_id: The pack.
            tier: The new tier.
            actor: The operator, for the history.

        Raises:
            Failure: There is no such pack, it is being deleted, or somebody is changing it at the same time.
        """
        pack = self.store.get(pack_id) if is_pack_id(pack_id) else None
        if pack is None or pack.status is not PackStatus.ACTIVE:
            raise Failure(
                Exit.NOT_FOUND,
                f"There is no pack {pack_id!r}, or it is being deleted.",
                "Name a pack by its id.",
            )
        if pack.tier is tier:
            return pack
        changed = pack.revised(at=self.clock(), tier=tier)
        try:
            self.store.change(pack, changed, actor=actor, operation="tier")
        except Stale:
            raise Failure(
                Exit.CONFLICT, f"Somebody changed {pack_id} at the same time.", "Repeat the command."
            ) from None
        except Gone:
            raise Failure(Exit.NOT_FOUND, f"Somebody deleted {pack_id} at the same time.") from None
        return changed

    def pending_deletions(self) -> list[Deletion]:
        """Return every pack that is being deleted, the longest waiting first."""
        return list(self.deletions.pending())

    def retry_deletion(self, pack_id: str, *, queue: CleanupQueue) -> None:
        """Continue a deletion now.

        Args:
            pack_id: The pack.
            queue: The queue whose consumer finishes deletions.

        Raises:
            Failure: The pack is not being deleted.
        """
        if not is_pack_id(pack_id) or self.deletions.find(pack_id) is None:
            raise Failure(
                Exit.NOT_FOUND,
                f"{pack_id!r} is not being deleted.",
                "packyard admin deletion list shows the packs that are.",
            )
        now = self.clock()
        queue.enqueue(PackDeletion(pack_id=pack_id, due_at=now), now=now)
