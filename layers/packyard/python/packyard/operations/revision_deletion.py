"""Deleting the content of a revision, for the day when a secret was published (API contract, section 7).

    enqueue the retry → mark the image → look which roles pin it → find what shares its content → decide
    → take the repository → remove the image from the registry → remove what the bucket keeps → say that it is gone

The mark keeps every new pin, clone, rollback and publication of the image away, so the look sees all pins that there
will be. Up to the decision the mark can be taken away; after it, the steps are always the same and can be repeated.

- A crash before the mark: the retry finds an image that nobody marked, and nothing happens.
- A crash between the mark and the decision: the retry marks the image anew, looks, and decides or takes the mark away.
- A crash after the decision, or a registry that fails: the retry goes on. The client gets 502 and can repeat too.
- Two at once: each sets a mark of its own, and only the last mark counts (`store.removals`).
- A publisher at work in the repository: its claim ends, so that it cannot write its row, and it is told to repeat. What
  it pushes again is whole. A document that another image of the pack names stays.
- Publishing the same content again: refused, since the state of the image is a condition of every new revision.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import (
    PackModified,
    RegistryCleanupFailed,
    RevisionInUse,
    ServiceUnavailable,
)
from packyard.messaging.cleanup_queue import CleanupQueue, RevisionDeletion
from packyard.oci.digest import Digest
from packyard.operations.attached import AttachedStatements
from packyard.operations.built_images import BuiltImages
from packyard.operations.delete import PURGE_LEASE
from packyard.operations.owned_pack import changing, require_changeable
from packyard.operations.shared_content import ContentFinder
from packyard.operations.withdrawals import editable_revision
from packyard.packs.image_state import FORCE_AFTER, ImageId, ImageState, ImageStatus, Removal
from packyard.packs.pack import Pack
from packyard.packs.precondition import IfMatch
from packyard.packs.timestamp import format_timestamp
from packyard.storage.door_files import keys_of
from packyard.storage.kept_content import KeptContent
from packyard.store.attestations import AttestationStore
from packyard.store.pack_revisions import PackRevisions
from packyard.store.packs import Gone, Stale
from packyard.store.pinning_roles import PinningRole, PinningRoles
from packyard.store.removals import ImageEntry, IsCurrent, MarkLost, Owned, Removals
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import NameLost, Purge, RepositoryBusy
from packyard.tenants.caller import Caller

logger = Logger(child=True)

# Longer than a request can take, so that `clean_up` does not work beside a request that succeeds.
_FIRST_RETRY_AFTER: Final = timedelta(minutes=1)
# The most roles that a refusal names.
_NAMED_ROLES: Final = 20
# An attempt fails when the pack has got another revision in the meantime.
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDeleter:
    """Deletes the content of revisions.

    Attributes:
        revisions: Where packs and their histories are.
        pinning: Says which roles pin an image.
        content: Finds what shares the content.
        attestations: What the ledger says of statements about images.
        attached: The statements in the registry.
        kept: What the bucket keeps of images.
        time_left: For how many seconds the registry may still be waited for.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    revisions: PackRevisions
    removals: Removals
    pinning: PinningRoles
    repositories: RepositoryStore
    cleanup_queue: CleanupQueue
    images: BuiltImages
    content: ContentFinder
    attestations: AttestationStore
    attached: AttachedStatements
    kept: KeptContent
    time_left: Callable[[], float]
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def delete(
        self, pack_id: str, revision: int, *, force: bool, caller: Caller, if_match: IfMatch | None
    ) -> Removal:
        """Delete the content of a revision of an owned pack, or confirm that it is deleted.

        Args:
            pack_id: The pack, as the client names it.
            revision: The revision. Every revision that has its image is deleted with it.
            force: Whether pins do not hold it, once it has been withdrawn for 24 hours.
            caller: Who asks.
            if_match: What the client has seen of the pack.

        Raises:
            PackNotFound: There is no such pack that the caller can see.
            RevisionNotFound: It has no such revision.
            PermissionDenied: It is another organisation's.
            PackDeleting: It is being deleted.
            PreconditionFailed: It is at another revision than the client has seen.
            RevisionInUse: The image is the pack's current one, or roles pin it.
            PackModified: Other requests keep changing the pack or its image.
            RegistryCleanupFailed: It is decided, or not yet refused, and could not be finished; `clean_up` goes on.
            ServiceUnavailable: A backing service did not answer, and as far as is known nothing is decided.
        """
        enqueued = False
        for _ in range(_ATTEMPTS):
            pack, found = editable_revision(pack_id, revision, caller=caller, revisions=self.revisions)
            require_changeable(pack, if_match)
            digest = found.image_digest
            if digest == pack.image_digest:
                raise _current(revision)
            now = self.clock()
            if not enqueued:
                message = RevisionDeletion(pack_id=pack.id, digest=digest, due_at=now + _FIRST_RETRY_AFTER)
                self.cleanup_queue.enqueue(message, now=now)
                enqueued = True
            asked = self._removal(revision, by=caller.principal, force=force, now=now)
            try:
                with changing(if_match):
                    marked = self.removals.begin(pack, digest, asked)
            except PackModified:
                continue
            except IsCurrent:
                raise _current(revision) from None
            try:
                return self._carried_out(marked, force=force)
            except MarkLost:
                continue
            except ServiceUnavailable as error:
                # The mark may be seen. This is the only error that may come after that (API contract, section 5).
                raise RegistryCleanupFailed from error
        raise PackModified

    def finish(self, image: ImageId) -> None:
        """Go on with the deletion of an image that was marked or decided, if it is not finished.

        Raises:
            MarkLost: Another process is at work on it.
            RegistryCleanupFailed, ServiceUnavailable: It failed for now; a repeat is safe.
        """
        state = self.removals.state(image)
        if state is None or state.status is not ImageStatus.DELETING or state.removal is None:
            return
        if not state.is_gone:
            owned = self.removals.owned(image.pack_id)
            if owned is None:
                # The pack is deleted, with every image of it.
                return
            asked = replace(state.removal, token=self.new_ulid())
            try:
                state = self.removals.begin(owned.pack, image.digest, asked)
            except (Stale, Gone, IsCurrent) as changed:
                raise ServiceUnavailable from changed
        try:
            self._carried_out(state, force=state.removal.force if state.removal else False)
        except RevisionInUse:
            logger.info("deletion refused", extra={"pack_id": image.pack_id})

    def remove_unpinned(self, pack: Pack, entry: ImageEntry, *, by: str) -> bool:
        """Delete an image unless a role pins it. Return whether it is gone. Nothing repeats it but the caller.

        Args:
            pack: The pack as it was read.
            entry: What its history says of the image.
            by: Who asks.

        Raises:
            IsCurrent, Stale, Gone: As for `Removals.begin`.
            MarkLost: Another process is at work on it.
            RegistryCleanupFailed, ServiceUnavailable: As for `finish`.
        """
        asked = self._removal(entry.revision, by=by, force=False, now=self.clock())
        state = self.removals.begin(pack, entry.digest, asked)
        try:
            self._carried_out(state, force=False)
        except RevisionInUse:
            return False
        return True

    def _removal(self, revision: int, *, by: str, force: bool, now: datetime) -> Removal:
        return Removal(
            revision=revision,
            by=by,
            at=now,
            force=force,
            token=self.new_ulid(),
            request_id=self.removals.request_id(),
        )

    def _carried_out(self, state: ImageState, *, force: bool) -> Removal:
        """Carry out what is marked or decided, and return it.

        Args:
            state: What `Removals.begin` returned.
            force: Whether the client asked to delete it although roles pin it.
        """
        owned = self.removals.owned(state.pack_id)
        if owned is not None:
            if not state.is_gone:
                state = self._decided(state, owned, force=force)
            if state.status is ImageStatus.DELETING:
                self._remove(state, owned)
        if state.removal is None:
            raise AssertionError("what is deleted was asked for")
        return state.removal

    def _decided(self, state: ImageState, owned: Owned, *, force: bool) -> ImageState:
        removal = state.removal
        if removal is None:
            raise AssertionError("only what is marked can be decided")
        image = ImageId(state.pack_id, state.digest)
        if not removal.force:
            pinned = list(self.pinning.of_image(image))
            if pinned:
                self.removals.give_up(state)
                raise self._pinned(state, pinned, owned.pack, force=force)
        return self.removals.decide(state, self._found(removal, owned, image))

    def _found(self, removal: Removal, owned: Owned, image: ImageId) -> Removal:
        """Return a removal with what is known of the content."""
        newest = self.removals.newest(image.pack_id)
        gone = self.removals.gone(image.pack_id, (entry.digest for entry in newest))
        entry = self._entry(image, newest)
        others = [other for other in newest if other.digest not in gone | {image.digest}]
        # What lies beyond the newest entries is not compared.
        beyond = max(newest[-1].revision - 1, 0) if newest else 0
        reader = None if owned.ours else owned.pack.org_id
        shared = self.content.find(entry, others, reader=reader)
        listed = self.images.documents(owned.pack, image.digest) if owned.ours else ()
        return replace(
            removal,
            also_in=shared.also_in,
            not_compared=shared.not_compared + beyond,
            clones=self.removals.clones(image),
            documents=tuple(dict.fromkeys((image.digest, *listed, *entry.manifests))) if owned.ours else (),
            caches=(
                *shared.caches,
                *keys_of(org_id=owned.pack.org_id, pack_id=image.pack_id, image=image.digest),
            ),
        )

    def _entry(self, image: ImageId, newest: Sequence[ImageEntry]) -> ImageEntry:
        """Return what the history says of an image, from the entry that says most."""
        known = [entry for entry in newest if entry.digest == image.digest]
        if not any(entry.manifests for entry in known):
            known = [entry for entry in self.removals.entries(image.pack_id) if entry.digest == image.digest]
        return max(known, key=lambda entry: (bool(entry.manifests), entry.layer_digest is not None))

    def _remove(self, state: ImageState, owned: Owned) -> None:
        removal = state.removal
        if removal is None:
            raise AssertionError("only what is decided is removed")
        if removal.documents:
            try:
                self._remove_documents(state, removal.documents, owned.pack)
            except NameLost:
                # The pack is deleted, with every image of it.
                return
        self.kept.remove(removal.caches)
        self.removals.finish(state, pack=owned.pack)
        logger.info("revision deleted", extra={"pack_id": state.pack_id, "digest": state.digest})

    def _remove_documents(self, state: ImageState, documents: Sequence[Digest], pack: Pack) -> None:
        """Remove an image from our registry, but for documents that other images of the pack name."""
        if self.time_left() <= 0:
            raise RegistryCleanupFailed
        now = self.clock()
        try:
            purge = self.repositories.join_purge(
                pack, until=now + PURGE_LEASE, now=now, token=self.new_ulid()
            )
        except RepositoryBusy as busy:
            raise RegistryCleanupFailed from busy
        # From here on no publisher can write a row that names one of these documents.
        unused = [documents[0], *self._unused(state, documents[1:])]
        # What refers to the image goes before it.
        statements = self._statements(state, pack)
        answered = not statements or self.images.delete(pack, statements)
        answered = self.images.delete(pack, unused) and answered
        self._end(purge if answered else purge.with_requests_in_flight())

    def _statements(self, state: ImageState, pack: Pack) -> tuple[Digest, ...]:
        """Return what attaches statements to an image. From the mark on, no other is recorded."""
        record = self.attestations.find(ImageId(state.pack_id, state.digest))
        if record is None:
            return ()
        return tuple(dict.fromkeys((*self.attached.listed_for(pack, state.digest), *record.manifests)))

    def _end(self, purge: Purge) -> None:
        self.repositories.end_purge(purge)

    def _unused(self, state: ImageState, manifests: Sequence[Digest]) -> list[Digest]:
        named: dict[Digest, set[Digest]] = {}
        for entry in self.removals.entries(state.pack_id) if manifests else ():
            if entry.digest != state.digest:
                named.setdefault(entry.digest, set()).update({entry.digest, *entry.manifests})
        sharing = [digest for digest, names in named.items() if names & set(manifests)]
        kept = set(sharing) - self.removals.gone(state.pack_id, sharing) if sharing else set()
        used = {manifest for digest in kept for manifest in named[digest]}
        return [manifest for manifest in manifests if manifest not in used]

    def _pinned(
        self, state: ImageState, pinned: Sequence[PinningRole], pack: Pack, *, force: bool
    ) -> RevisionInUse:
        own = sorted(role.role_id for role in pinned if role.org_id == pack.org_id)
        others = len(pinned) - len(own)
        helps = "Move their pins (POST /agent-roles/{role_id}/packs/refresh)"
        if state.withdrawal is None:
            helps += ", or withdraw the revision: 24 hours after that, force=true deletes it all the same"
        elif not state.withdrawal.may_be_forced(self.clock()):
            until = format_timestamp(state.withdrawal.at + FORCE_AFTER)
            helps += f", or repeat this with force=true from {until} on"
        elif not force:
            helps += ", or repeat this with force=true"
        return RevisionInUse(
            f"Roles pin the image of this revision: {len(own)} of your organisation and {others} of others. {helps}.",
            role_ids=own[:_NAMED_ROLES],
            others=others,
        )


def _current(revision: int) -> RevisionInUse:
    return RevisionInUse(
        f"Revision {revision} has the pack's present image, which cannot be deleted. First give the pack another "
        "image: upload an archive, or go back with PUT /packs/{id}."
    )
