"""Deleting a pack: decide, purge its images, and only then free its name and end its row.

    enqueue the deletion's retry → decide it on the row → take the repository → purge it → delete what scans found
    → remove what the doors have of it → mark the row deleted, free the name, add the deletion to the history

After the decision, the remaining steps are always the same, and each can be repeated: by a client that repeats the
request, and by `clean_up`, whose cleanup message is enqueued before the decision.

- A crash before the decision: the cleanup message finds an active pack, and nothing happens.
- A crash after it, or a registry that fails: the cleanup message finds the pack `deleting` and purges what is left. The
  row and the name stay until the images are gone. The history, which lists the images, stays longer.
- Two at once, the operator's repeat and `clean_up`: both purge, one ends the row, and the other finds it ended.
- A role that attaches, an update, a re-upload: their conditions are on the row's status. A re-upload that has pushed
  meanwhile fails when it commits, and its own cleanup message removes its image.
- A create of the same name: the name is taken until the images are gone, and its repository is busy while another
  process may still be removing something from it (`store.repositories`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import RegistryCleanupFailed, ServiceUnavailable
from packyard.messaging.cleanup_queue import CleanupQueue, PackDeletion
from packyard.oci.digest import Digest
from packyard.operations.built_images import BuiltImages
from packyard.operations.read import no_such_pack
from packyard.packs.pack import ImageOrigin, Pack, is_pack_id
from packyard.packs.precondition import IfMatch
from packyard.storage.door_files import keys_of
from packyard.storage.kept_content import KeptContent
from packyard.store.attestations import AttestationStore
from packyard.store.deletions import Deletion, DeletionStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import NameLost, Purge, RepositoryBusy
from packyard.tenants.caller import Caller

logger = Logger(child=True)

# Longer than any purging function can run, by more than the clocks of two machines differ.
PURGE_LEASE: Final = timedelta(minutes=5)
# Longer than a request can take, so that `clean_up` does not purge beside a request that succeeds.
_FIRST_RETRY_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleter:
    """Deletes packs.

    Attributes:
        kept: What the bucket keeps of images.
        time_left: For how many seconds the registry may still be waited for. The next attempt goes on from there.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    deletions: DeletionStore
    attestations: AttestationStore
    repositories: RepositoryStore
    cleanup_queue: CleanupQueue
    images: BuiltImages
    kept: KeptContent
    time_left: Callable[[], float]
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def delete(self, pack_id: str, *, caller: Caller, if_match: IfMatch | None = None) -> None:
        """Delete an owned pack, finish its deletion, or confirm that it is deleted.

        Args:
            pack_id: The pack, as the client names it.
            caller: Who asks.
            if_match: What the client has seen of it.

        Raises:
            PackNotFound: The caller's organisation owns no such pack, or the caller may not touch it.
            PreconditionFailed: The pack is at another revision than the client has seen.
            PackInUse: Roles reference it.
            RegistryCleanupFailed: The deletion is decided, but could not be finished; `clean_up` goes on with it.
            ServiceUnavailable: A backing service did not answer, and as far as is known nothing is decided.
        """
        if not is_pack_id(pack_id):
            raise no_such_pack(pack_id)
        now = self.clock()
        self.cleanup_queue.enqueue(PackDeletion(pack_id=pack_id, due_at=now + _FIRST_RETRY_AFTER), now=now)
        deletion = self.deletions.begin(
            pack_id,
            org_id=caller.org_id,
            actor=caller.principal,
            if_match=if_match,
            now=now,
            name=caller.pack_name,
        )
        if deletion is None:
            return
        try:
            self._finish(deletion)
        except ServiceUnavailable as error:
            # This is the only error that may be answered after a visible change (API contract, section 5).
            raise RegistryCleanupFailed from error

    def finish(self, pack_id: str) -> None:
        """Finish the deletion of a pack, if it has been decided and is not finished.

        Raises:
            RegistryCleanupFailed, ServiceUnavailable: It failed for now; a repeat is safe.
        """
        deletion = self.deletions.find(pack_id)
        if deletion is not None:
            self._finish(deletion)

    def _finish(self, deletion: Deletion) -> None:
        pack = deletion.pack
        try:
            others = pack.image_origin is ImageOrigin.IMAGE_REF and not deletion.adopted
            purge = None if others else self._purge(pack)
        except NameLost:
            # The transaction that ends a pack frees its name: another process has finished the deletion.
            return
        if not others:
            self.deletions.forget_scans(pack.id)
        self.kept.remove(self._kept_of(pack))
        self.deletions.finish(deletion, purge=purge, now=self.clock())
        logger.info("pack deleted", extra={"pack_id": pack.id})

    def _kept_of(self, pack: Pack) -> Iterator[str]:
        """Yield the keys of what the doors have of all images of a pack."""
        for digest in self.deletions.image_digests(pack.id):
            yield from keys_of(org_id=pack.org_id, pack_id=pack.id, image=digest)

    def _purge(self, pack: Pack) -> Purge:
        """Remove all images of a pack. Return the hold on its repository, which has kept other images out."""
        now = self.clock()
        try:
            purge = self.repositories.join_purge(
                pack, until=now + PURGE_LEASE, now=now, token=self.new_ulid()
            )
        except RepositoryBusy as busy:
            raise RegistryCleanupFailed from busy
        # The registry may carry out a request whose answer was lost later on, and then remove what another publish has
        # pushed. The hold lasts until that is impossible, also when the purge fails.
        answered = self.images.purge(pack, self._digests_in_time(pack))
        return purge if answered else purge.with_requests_in_flight()

    def _digests_in_time(self, pack: Pack) -> Iterator[Digest]:
        """Yield what to remove: what attaches statements to images, and then the images."""
        for digest in chain(self.attestations.manifests(pack.id), self.deletions.image_digests(pack.id)):
            if self.time_left() <= 0:
                raise RegistryCleanupFailed
            yield digest
