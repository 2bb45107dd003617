"""The images in our own registry, built or copied. The cleanup message comes before the push, the tag after the row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools import Logger

from packyard.errors import (
    PackyardError,
    RegistryCleanupFailed,
    RegistryUnavailable,
    ServiceUnavailable,
    TimedOut,
)
from packyard.messaging.cleanup_queue import CleanupQueue, OrphanImage
from packyard.oci.build.image import Image
from packyard.oci.build.layer import Layer
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.read.image_tree import ImageTree
from packyard.packs.attestation_state import Attestations
from packyard.packs.manifest.name import PackName, repository_of
from packyard.packs.manifest.version import Version, tag_of
from packyard.packs.pack import Pack
from packyard.registry.own.port import BlobUpload, ImageRegistry
from packyard.registry.own.refusal import NAME_UNKNOWN, RegistryRefused, TagKept

logger = Logger(child=True)

# The codes for what was removed during a push (distribution-spec, "Error Codes"). Some come with 404, some with 400.
_TAKEN_AWAY: Final = frozenset({NAME_UNKNOWN, "BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})
# A message for the operator. The pack works without the tag, since its digest pins it (decision 50).
TAG_KEPT: Final = (
    "the registry does not let the version's tag name the pack's image: it is immutable or protected there"
)


class StandingLayersLost(ServiceUnavailable):
    """The registry does not have layers of the pack's image that a new image was to share with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImages:
    """Where the images of built packs are.

    Attributes:
        repository_prefix: What their repositories' names begin with.
        attestations: Whether statements are made about new ones.
        time_left: For how many seconds the registry may still be waited for.
        clock: The present instant, UTC.
    """

    registry: ImageRegistry
    cleanup_queue: CleanupQueue
    repository_prefix: str
    attestations: Attestations
    time_left: Callable[[], float]
    clock: Callable[[], datetime]

    def reference(self, *, org_id: str, name: PackName, version: Version) -> str:
        """Return the `image_ref` of a built pack: the version's tag in the pack's repository."""
        return f"{self.registry.host}/{self._repository(org_id, name)}:{tag_of(version)}"

    def begin_upload(self, *, org_id: str, name: PackName) -> BlobUpload:
        """Begin an upload, to which a layer of a pack is sent before its push."""
        return self.registry.begin_upload(self._repository(org_id, name))

    def push(
        self,
        image: Image,
        *,
        uploads: Mapping[Digest, BlobUpload],
        pack: Pack,
        due_at: datetime,
        beside_layers: bool = False,
    ) -> None:
        """Enqueue the cleanup of an image and push it by digest.

        Args:
            image: Its documents, and the layers that are not in the pack's repository.
            uploads: By a layer's digest: what has taken it already.
            pack: The pack that is to have it, as it will be written.
            due_at: From when the image is an orphan unless a row uses it.
            beside_layers: Whether it needs layers that are in the repository. A repository that is not there has lost
                them, so it is not created.

        Raises:
            RegistryUnavailable, RegistryThrottled: Our registry did not take the image.
            StandingLayersLost: It does not have the layers whose blob is not here.
            ServiceUnavailable: SQS, or AWS on behalf of the registry, did not answer.
        """
        repository = self._enqueued(image.digests, pack, due_at)
        send = partial(self.registry.push, repository, image, uploads=uploads)
        try:
            if beside_layers:
                send()
            else:
                self._sent(repository, due_at, send)
        except RegistryRefused as refused:
            # A deletion has removed the repository in between; or this push took longer than its claim, and a cleaner
            # has removed what the index names. The client's repeat pushes the image again, or learns from the row why
            # not.
            if refused.answered != HTTPStatus.NOT_FOUND and not refused.codes & _TAKEN_AWAY:
                raise
            standing = [layer.digest for layer in image.layers if not isinstance(layer, Layer)]
            if standing and not self.registry.has_blobs(repository, standing):
                raise StandingLayersLost from refused
            raise ServiceUnavailable from refused

    def copy(
        self,
        image: ImageTree,
        *,
        content: Callable[[Descriptor], Iterable[bytes]],
        mount_from: str | None,
        pack: Pack,
        due_at: datetime,
    ) -> None:
        """Enqueue the cleanup of an image that others have made, and copy it by digest.

        Args:
            image: The whole image.
            content: Yields the content of a blob, from its start with each call.
            mount_from: The repository of our registry that has the image; None for an image of another registry.
            pack: The pack that gets the image, as it will be written.
            due_at: From then on the copy is removed unless a row uses it.

        Raises:
            TimedOut: There was not enough time; what has been copied by then need not be copied again.
            RegistryUnavailable, ServiceUnavailable: As for `push`; and the errors of `content`.
        """
        repository = self._enqueued(image.digests, pack, due_at)

        def send() -> None:
            for blob in image.blobs:
                self._require_time()
                self.registry.copy_blob(
                    repository, blob, chunks=partial(content, blob), mount_from=mount_from
                )
            for document in image.documents:
                self._require_time()
                self.registry.push_manifest(repository, document)

        self._sent(repository, due_at, send)

    def holds(self, pack: Pack, image: Image) -> bool:
        """Return whether our registry still has a pack's image.

        Args:
            pack: The pack.
            image: An image of the same content. If it is the pack's own, everything that it names is looked for too.

        Raises:
            RegistryUnavailable, ServiceUnavailable: As for `push`.
        """
        repository = self._repository(pack.org_id, pack.name)
        own = image.index.digest == pack.image_digest
        documents = image.digests if own else (pack.image_digest,)
        named = [*(layer.digest for layer in image.layers), *(config.digest for config in image.configs)]
        return all(
            self.registry.has_image(repository, digest) for digest in documents
        ) and self.registry.has_blobs(repository, named if own else ())

    def tag(self, index: Document, *, pack: Pack) -> None:
        """Set the version's tag. The pack works without it. If this fails, the cleanup message sets it (decision 4)."""
        try:
            self.registry.tag(self._repository(pack.org_id, pack.name), tag_of(pack.version), index)
        except TagKept:
            # The cleanup message will meet the same refusal, and log it.
            logger.warning(TAG_KEPT, extra={"pack_id": pack.id}, exc_info=True)
        except PackyardError:
            logger.warning("tag left to clean_up", extra={"pack_id": pack.id}, exc_info=True)

    def purge(self, pack: Pack, digests: Iterable[Digest]) -> bool:
        """Remove every image that a pack has ever had.

        Args:
            pack: The pack.
            digests: The digests of those images. They are read only if the registry needs them.

        Returns:
            Whether every request was answered, so that none can remove anything later.

        Raises:
            RegistryCleanupFailed: Some of the images are, or may be, still there.
        """
        return self.registry.purge_repository(self._repository(pack.org_id, pack.name), digests)

    def documents(self, pack: Pack, digest: Digest) -> tuple[Digest, ...]:
        """Return the digests of the manifests that an image's index lists; none for an image that is not there.

        Args:
            pack: The pack in whose repository it is.
            digest: The image's.

        Raises:
            RegistryCleanupFailed: Our registry did not answer.
        """
        try:
            return self.registry.listed_manifests(self._repository(pack.org_id, pack.name), digest)
        except RegistryUnavailable as error:
            raise RegistryCleanupFailed from error

    def delete(self, pack: Pack, digests: Sequence[Digest]) -> bool:
        """Remove documents of one image; see `ImageRegistry.delete_image`.

        Args:
            pack: The pack in whose repository they are.
            digests: The image's index, or its only manifest, then what the index lists.

        Raises:
            RegistryCleanupFailed: Some of them are, or may be, still there.
        """
        return self.registry.delete_image(self._repository(pack.org_id, pack.name), digests)

    def _enqueued(self, digests: tuple[Digest, ...], pack: Pack, due_at: datetime) -> str:
        """Enqueue the cleanup of documents that are about to be pushed, and return the repository to push them to."""
        repository = self._repository(pack.org_id, pack.name)
        self.cleanup_queue.enqueue(
            OrphanImage(
                repository=repository, digests=digests, org_id=pack.org_id, name=pack.name, due_at=due_at
            ),
            now=self.clock(),
        )
        return repository

    def _sent(self, repository: str, due_at: datetime, send: Callable[[], None]) -> None:
        """Send to a repository. If it does not exist, create it and send again (decision 69).

        Some registries create a repository with the first push. ECR answers NAME_UNKNOWN instead; it has also been seen
        to close the connection (aws/containers-roadmap #1970). The cleanup message covers what is created here:
        `clean_up` removes it unless a row uses it by `due_at`. After that time, nothing is created.
        """
        try:
            send()
        except RegistryUnavailable as failed:
            missing = isinstance(failed, RegistryRefused) and NAME_UNKNOWN in failed.codes
            hung_up = type(failed) is RegistryUnavailable and self.time_left() > 0
            if not (missing or hung_up) or self.clock() >= due_at:
                raise
            created = self.registry.create_repository(repository)
            # Another push of the same name may have created it in between. A closed connection does not tell.
            if created is None or not (created or missing):
                raise
            send()

    def _require_time(self) -> None:
        if self.time_left() <= 0:
            raise TimedOut

    def _repository(self, org_id: str, name: PackName) -> str:
        return repository_of(name, org_id=org_id, prefix=self.repository_prefix)
