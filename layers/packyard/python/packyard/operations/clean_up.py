"""Handling cleanup messages: remove what nothing uses, keep what a pack uses, finish deletions that were begun.

A message may come early, late, twice, or while its sender is still at work. All cases have the same outcome. A message
that comes early, or while its repository is busy, raises `NotYet` and stays in the queue. A message that fails stays
there too, waits longer each time, and goes to the dead-letter queue in the end. No message is sent again by us: Lambda
stops a function after about 16 rounds when it sends to the queue that invokes it (decision 65).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from packyard.aws import figures
from packyard.messaging.cleanup_queue import (
    OrphanImage,
    PackDeletion,
    RetentionSweep,
    RevisionDeletion,
    StagedArchive,
    parse_message,
)
from packyard.messaging.not_yet import NotYet
from packyard.oci.digest import Digest
from packyard.oci.reference import parse_reference
from packyard.operations.built_images import TAG_KEPT
from packyard.operations.delete import PURGE_LEASE, Deleter
from packyard.operations.retention import Retention
from packyard.operations.revision_deletion import RevisionDeleter
from packyard.packs.image_state import ImageId
from packyard.packs.manifest.version import tag_of
from packyard.packs.pack import ImageOrigin, Pack, PackStatus
from packyard.registry.own.port import ImageRegistry
from packyard.registry.own.refusal import TagKept
from packyard.storage.staging import Staging
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import RepositoryBusy

logger = Logger(child=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner:
    """Settles cleanup messages.

    Attributes:
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    packs: PackStore
    repositories: RepositoryStore
    staging: Staging
    registry: ImageRegistry
    deleter: Deleter
    revision_deleter: RevisionDeleter
    retention: Retention
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def settle(self, body: str) -> None:
        """Settle one message.

        Raises:
            ValueError: The message is not one of ours.
            NotYet: It has come early, or another process is at work in its repository.
            RegistryCleanupFailed, RegistryUnavailable, ServiceUnavailable: It failed; the message should come again.
        """
        message = parse_message(body)
        if self.clock() < message.due_at:
            raise self._not_yet(message.due_at)
        match message:
            case StagedArchive():
                self.staging.delete(message.key)
            case OrphanImage():
                self._settle_image(message)
            case PackDeletion():
                self.deleter.finish(message.pack_id)
            case RevisionDeletion():
                self.revision_deleter.finish(ImageId(message.pack_id, message.digest))
            case RetentionSweep():
                self.retention.sweep(message.pack_id)

    def measure(self, body: str, *, sent_at: datetime) -> None:
        """Write for how long a message that is left in the queue has been due, as a metric; nothing before it is due.

        Args:
            body: The message's body.
            sent_at: When it was first sent; a message that cannot be read is due from then on.
        """
        try:
            due_at = parse_message(body).due_at
        except ValueError:
            due_at = sent_at
        overdue = (self.clock() - due_at).total_seconds()
        if overdue >= 0:
            figures.record({"OverdueCleanupSeconds": (overdue, MetricUnit.Seconds)})

    def _not_yet(self, until: datetime) -> NotYet:
        return NotYet(until, now=self.clock())

    def _settle_image(self, image: OrphanImage) -> None:
        holder = self.packs.find_by_name(org_id=image.org_id, name=image.name)
        user = self._user(image, holder)
        if user is not None:
            self._settle_used(image, user)
            return
        try:
            purge = self.repositories.begin_purge(
                org_id=image.org_id,
                name=image.name,
                until=self.clock() + PURGE_LEASE,
                now=self.clock(),
                token=self.new_ulid(),
            )
        except RepositoryBusy as busy:
            raise self._not_yet(busy.until) from busy
        # Read again now that no process can commit: the row may have been written in between.
        unused = self._unused(image, purge.holder)
        if unused:
            answered = self.registry.delete_image(image.repository, unused)
            # A publish that failed may have created the repository. The hold keeps every other publisher out of it.
            answered = self.registry.delete_empty_repository(image.repository) and answered
            if not answered:
                purge = purge.with_requests_in_flight()
            logger.info("orphan removed", extra={"repository": image.repository, "digest": image.digests[0]})
        self.repositories.end_purge(purge)
        if not unused:
            # A pack uses it after all. The message comes again, and then finds the pack.
            raise self._not_yet(self.clock())

    def _settle_used(self, image: OrphanImage, user: Pack) -> None:
        """Keep an image for the pack that uses it: the pack that it was built for, or one registered with it since."""
        if user.image_origin is not ImageOrigin.IMAGE_REF:
            self._restore_tag(image, user)
        elif not self.packs.adopt_image(user.id):
            # The pack is being deleted, and its deletion may not know that this image must be removed too.
            raise self._not_yet(self.clock() + PURGE_LEASE)

    def _unused(self, image: OrphanImage, holder: str | None) -> tuple[Digest, ...]:
        """Return the digests of an image that the name's holder does not use.

        They are all of them, none, or those of the documents that the image does not share with the holder's images.
        """
        if holder is None or not self._lies_here(image, self.packs.get(holder)):
            return image.digests
        used = self.packs.used_digests(holder, image.digests)
        return () if image.digests[0] in used else tuple(d for d in image.digests if d not in used)

    def _user(self, image: OrphanImage, holder: str | None) -> Pack | None:
        """Return the name's holder if one of its revisions uses the image."""
        if holder is None or not self.packs.uses_digest(holder, image.digests[0]):
            return None
        pack = self.packs.get(holder)
        return pack if self._lies_here(image, pack) else None

    def _lies_here(self, image: OrphanImage, pack: Pack | None) -> bool:
        """Return whether a pack's images are in the image's repository, which never changes.

        The name's holder may have been registered since, with the same image in another registry. It has the same
        digest then, but does not use the image here.
        """
        if pack is None:
            return False
        reference = parse_reference(pack.image_ref)
        return (reference.registry, reference.repository) == (self.registry.host, image.repository)

    def _restore_tag(self, image: OrphanImage, pack: Pack) -> None:
        """Let the version's tag name the image, in case its publisher died or failed before it could (decision 4).

        It does nothing while the pack is being deleted: a tag set now could bring the image back after its removal.
        """
        if pack.status is PackStatus.ACTIVE and pack.image_digest == image.digests[0]:
            try:
                self.registry.restore_tag(image.repository, tag_of(pack.version), pack.image_digest)
            except TagKept:
                # Another attempt would have the same result.
                logger.warning(TAG_KEPT, extra={"pack_id": pack.id}, exc_info=True)
