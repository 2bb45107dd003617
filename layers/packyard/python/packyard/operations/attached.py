"""The statements in our registry: pushed, found where the registry has no list of them, and removed.

A registry that lists referrers is told by the manifests themselves. For others a tag names an index that lists them
(distribution-spec, "Referrers Tag Schema"). Everybody may add to that index, so it is read before it is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from packyard.attestations.record import AttestationRecord
from packyard.attestations.referrer import Referrer, index_with, index_without, referrers_tag
from packyard.errors import RegistryCleanupFailed, RegistryUnavailable, ServiceUnavailable
from packyard.messaging.not_yet import NotYet
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.operations.delete import PURGE_LEASE
from packyard.packs.manifest.name import repository_of
from packyard.packs.pack import Pack
from packyard.registry.own.port import ImageRegistry
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import RepositoryBusy


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedStatements:
    """The statements about the images in our registry.

    Attributes:
        registry: Our registry.
        repositories: The holds on repositories.
        repository_prefix: What their names begin with.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    registry: ImageRegistry
    repositories: RepositoryStore
    repository_prefix: str
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def subject(self, pack: Pack) -> Descriptor:
        """Return what statements about a pack's image refer to.

        Raises:
            RegistryUnavailable: Our registry did not answer.
            ServiceUnavailable: It does not have the image, or AWS did not answer on its behalf.
        """
        found = self.registry.find(self._repository(pack), pack.image_digest)
        if found is None:
            # It is being deleted, or the registry has lost it.
            raise ServiceUnavailable
        return Descriptor(found.media_type, found.digest, found.size)

    def push(self, pack: Pack, artifacts: Sequence[Referrer], *, is_new: bool) -> None:
        """Push statements about a pack's image, and list them where the registry does not.

        Args:
            pack: The pack.
            artifacts: The statements.
            is_new: As for `ImageRegistry.attach`.

        Raises:
            RegistryUnavailable, ServiceUnavailable: As for `subject`.
        """
        repository = self._repository(pack)
        if self.registry.attach(repository, artifacts, is_new=is_new):
            return
        tag = referrers_tag(pack.image_digest)
        index = index_with(self.registry.find(repository, tag), [artifact.entry for artifact in artifacts])
        self.registry.tag(repository, tag, index)

    def listed_for(self, pack: Pack, image: Digest) -> tuple[Digest, ...]:
        """Return what a tag lists as referrers of an image: the index, then what it lists; nothing without a tag.

        Raises:
            RegistryCleanupFailed: Our registry did not answer.
        """
        repository = self._repository(pack)
        try:
            index = self.registry.find(repository, referrers_tag(image))
            if index is None:
                return ()
            return (index.digest, *self.registry.listed_manifests(repository, index.digest))
        except RegistryUnavailable as error:
            raise RegistryCleanupFailed from error

    def remove_late(self, pack: Pack, record: AttestationRecord) -> None:
        """Remove statements that were pushed after the purge of their image. Nobody else may be in the repository.

        Args:
            pack: The pack; its name and its repository may be another pack's by now.
            record: What to remove.

        Raises:
            NotYet: Somebody is at work in the repository.
            RegistryCleanupFailed: Some of them are, or may be, still there.
            ServiceUnavailable: AWS did not answer.
        """
        now = self.clock()
        try:
            purge = self.repositories.begin_purge(
                org_id=pack.org_id, name=pack.name, until=now + PURGE_LEASE, now=now, token=self.new_ulid()
            )
        except RepositoryBusy as busy:
            raise NotYet(busy.until, now=now) from busy
        repository = self._repository(pack)
        try:
            self._unlist(repository, record)
        except RegistryUnavailable as error:
            raise RegistryCleanupFailed from error
        answered = self.registry.delete_image(repository, record.manifests)
        self.repositories.end_purge(purge if answered else purge.with_requests_in_flight())

    def _unlist(self, repository: str, record: AttestationRecord) -> None:
        """Take statements out of the index that a tag names. The name's next pack may have the same image."""
        tag = referrers_tag(record.image)
        found = self.registry.find(repository, tag)
        if found is None:
            return
        left = index_without(found, record.manifests)
        if left is None:
            self.registry.delete_image(repository, [found.digest])
        elif left.digest != found.digest:
            self.registry.tag(repository, tag, left)

    def _repository(self, pack: Pack) -> str:
        return repository_of(pack.name, org_id=pack.org_id, prefix=self.repository_prefix)
