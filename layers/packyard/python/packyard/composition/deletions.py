"""What deletes, withdraws and cleans up."""

import time
from functools import cached_property
from typing import TYPE_CHECKING

from packyard.composition.statements import Statements

if TYPE_CHECKING:
    from packyard.operations.clean_up import Cleaner
    from packyard.operations.delete import Deleter
    from packyard.operations.retention import Retention
    from packyard.operations.revision_deletion import RevisionDeleter
    from packyard.operations.withdrawals import Withdrawer


class Deletions(Statements):
    """What takes packs, revisions and their content away."""

    @cached_property
    def deleter(self) -> "Deleter":
        """Deletes packs."""
        from packyard.operations.delete import Deleter

        return Deleter(
            deletions=self.deletions,
            attestations=self.attestation_store,
            repositories=self.repositories,
            cleanup_queue=self.cleanup_queue,
            images=self.built_images,
            kept=self.kept_content,
            time_left=self.registry_time_left,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def withdrawer(self) -> "Withdrawer":
        """Withdraws and restores revisions."""
        from packyard.operations.withdrawals import Withdrawer

        return Withdrawer(revisions=self.pack_revisions, states=self.image_states, clock=self.clock)

    @cached_property
    def revision_deleter(self) -> "RevisionDeleter":
        """Deletes the content of revisions."""
        from packyard.operations.revision_deletion import RevisionDeleter
        from packyard.operations.shared_content import ContentFinder

        return RevisionDeleter(
            revisions=self.pack_revisions,
            removals=self.removals,
            pinning=self.pinning_roles,
            repositories=self.repositories,
            cleanup_queue=self.cleanup_queue,
            images=self.built_images,
            content=ContentFinder(indexes=self.indexes, monotonic=time.monotonic),
            attestations=self.attestation_store,
            attached=self.attached_statements,
            kept=self.kept_content,
            time_left=self.registry_time_left,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )

    @cached_property
    def retention(self) -> "Retention":
        """Sets retention policies and carries them out."""
        from packyard.operations.retention import Retention

        return Retention(
            policies=self.retention_store,
            removals=self.removals,
            pinning=self.pinning_roles,
            deleter=lambda: self.revision_deleter,
            time_left=self.registry_time_left,
            clock=self.clock,
        )

    def enqueue_sweep(self, pack_id: str) -> None:
        """Let `clean_up` delete the old revisions of a pack that has a retention policy."""
        from packyard.messaging.cleanup_queue import RetentionSweep

        now = self.clock()
        self.cleanup_queue.enqueue(RetentionSweep(pack_id=pack_id, due_at=now), now=now)

    @cached_property
    def cleaner(self) -> "Cleaner":
        """Handles cleanup messages."""
        from packyard.operations.clean_up import Cleaner

        return Cleaner(
            packs=self.packs,
            repositories=self.repositories,
            staging=self.staging,
            registry=self.registry,
            deleter=self.deleter,
            revision_deleter=self.revision_deleter,
            retention=self.retention,
            clock=self.clock,
            new_ulid=self.new_ulid,
        )
