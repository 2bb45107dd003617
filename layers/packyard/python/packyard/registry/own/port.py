"""The interface to our own registry that the operations use, independent of the kind of registry."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from packyard.oci.build.image import Image
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.oci.document import Document

if TYPE_CHECKING:
    from packyard.attestations.referrer import Referrer


class BlobUpload(Protocol):
    """An early upload: sends a blob to a repository before its digest is known. It cannot be seen or pulled meanwhile.

    An early upload saves time but may fail: no failure is raised, and the blob is then pushed in the usual way. It is a
    context manager; an upload that has not been finished when the context ends is cancelled.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def write(self, piece: bytes) -> None:
        """Queue the next piece for sending; drop it if the upload has failed."""
        ...

    def end(self) -> None:
        """Mark the end of the blob."""
        ...

    def settle(self) -> None:
        """Wait until the registry has taken all pieces, or will not; for whoever has begun others meanwhile."""
        ...

    def finish(self) -> str | None:
        """Wait until the registry has all pieces, and return the upload's URL; None if the upload failed.

        Call it after `end`. The caller then closes the upload at that URL, under the blob's digest. A second call
        returns None, because an upload can be closed only once.
        """
        ...


class ImageRegistry(Protocol):
    """The registry that holds the images that we build or copy.

    Every method except those that delete raises RegistryUnavailable when the registry does not answer or refuses the
    request (RegistryRefused), RegistryThrottled when it limits our requests, and ServiceUnavailable when AWS does not
    answer.
    """

    @property
    def host(self) -> str:
        """The start of image references: the host, and the port if it is not the scheme's default."""
        ...

    def create_repository(self, repository: str) -> bool | None:
        """Create `repository`, after a push has found that it does not exist.

        Returns:
            True when this call created it, False when it exists already, None when the registry creates repositories
            only by a push.

        Raises:
            RepositoryQuotaReached: The registry allows no more repositories.
        """
        ...

    def begin_upload(self, repository: str) -> BlobUpload:
        """Return an early upload of a layer to `repository`.

        It sends no request before the first piece, and raises no error.
        """
        ...

    def push(
        self, repository: str, image: Image, *, uploads: Mapping[Digest, BlobUpload] | None = None
    ) -> None:
        """Upload an image by digest alone: no tag moves. What is there already is not sent again.

        Args:
            repository: Where to. It has the layers whose blob is not here.
            image: Its documents, and the layers whose blob is here.
            uploads: By a layer's digest: what has taken its pieces in their order.
        """
        ...

    def has_image(self, repository: str, digest: Digest) -> bool:
        """Tell whether the repository has an index or a manifest of this digest."""
        ...

    def blob_url(self, repository: str, digest: Digest) -> str | None:
        """Return a short-lived URL from which anyone can read a blob of the repository.

        Returns:
            None when the registry answers with blobs itself, to those who have a login. The blob may be missing then.
        """
        ...

    def has_blobs(self, repository: str, digests: Iterable[Digest]) -> bool:
        """Tell whether the repository has all of these blobs."""
        ...

    def copy_blob(
        self,
        repository: str,
        blob: Descriptor,
        *,
        chunks: Callable[[], Iterable[bytes]],
        mount_from: str | None,
    ) -> None:
        """Upload a blob unless the repository has it.

        Args:
            repository: The repository's path in the registry.
            blob: The blob's digest and size.
            chunks: Returns the blob's bytes in pieces; called again for each attempt. Its errors are passed on.
            mount_from: Another repository of this registry that has the blob, from which it can be mounted.
        """
        ...

    def push_manifest(self, repository: str, document: Document) -> None:
        """Store a manifest or an index under its digest. Everything that it names must have been pushed before."""
        ...

    def tag(self, repository: str, tag: str, index: Document) -> None:
        """Set `tag` to an index that has been pushed, also if it names another one now.

        Raises:
            TagKept: It names another index, and the registry refuses to move it.
        """
        ...

    def restore_tag(self, repository: str, tag: str, digest: Digest) -> None:
        """Set `tag` to the index of this digest, which has been pushed before.

        Raises:
            TagKept: It names another index, and the registry refuses to move it.
        """
        ...

    def listed_manifests(self, repository: str, digest: Digest) -> tuple[Digest, ...]:
        """Return the digests that an index lists, parents before children; none if it is a manifest or not there."""
        ...

    def find(self, repository: str, reference: str) -> Document | None:
        """Return the index or the manifest that a digest or a tag names; None if there is none."""
        ...

    def attach(self, repository: str, artifacts: "Sequence[Referrer]", *, is_new: bool) -> bool:
        """Push artifacts that refer to an image, by digest.

        Args:
            repository: The repository's path in the registry; it has the image.
            artifacts: The artifacts.
            is_new: Whether no attempt has pushed them yet, so that the registry is not asked for their blobs.

        Returns:
            Whether the registry lists all of them among the image's referrers. If not, a tag has to list them.
        """
        ...

    def delete_image(self, repository: str, digests: Sequence[Digest]) -> bool:
        """Delete an image with its tags. Parts that do not exist count as deleted.

        The arguments state everything to delete, so repeating the call after a crash completes the deletion.

        Args:
            repository: The repository's path in the registry; it may not exist any more.
            digests: `Image.digests`: the index, then its manifests.

        Returns:
            Whether every request was answered on its first attempt. If not, an unanswered request may take effect later
            and delete an equal image that is pushed in the meantime.

        Raises:
            RegistryCleanupFailed: A part of the image exists, or may exist, still.
        """
        ...

    def delete_empty_repository(self, repository: str) -> bool:
        """Delete a repository if it holds no image. One that does not exist counts as deleted.

        Returns:
            As for `delete_image`.

        Raises:
            RegistryCleanupFailed: The registry did not answer, or refused.
        """
        ...

    def purge_repository(self, repository: str, indexes: Iterable[Digest]) -> bool:
        """Delete every image of a repository with its tags. Images that do not exist count as deleted.

        Repeating the call after a crash completes the deletion. The registry's garbage collection removes the blobs.

        Args:
            repository: The repository's path in the registry; it may not exist any more.
            indexes: The digest of every image that a revision of the pack has used. Not read if the registry can delete
                a repository as a whole.

        Returns:
            As for `delete_image`.

        Raises:
            RegistryCleanupFailed: An image exists, or may exist, still.
        """
        ...
