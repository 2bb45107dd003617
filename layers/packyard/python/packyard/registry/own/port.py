"""Our own registry, whatever its kind, as the operations see it."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self

from packyard.oci.build.image import Image
from packyard.oci.build.layer import Layer
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.read.third_party_document import Descriptor


class BlobUpload(Protocol):
    """A blob on its way into a repository, before anybody knows its digest: nothing that can be seen or pulled.

    Sending early is worth a try and no more: whatever goes wrong with it is not raised, and the blob is then pushed as
    any other. A context manager; what has not been finished by its end is cancelled.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def write(self, piece: bytes) -> None:
        """Send the next piece some time; only for as long as the registry takes them."""
        ...

    def end(self) -> None:
        """Say that there are no more pieces."""
        ...

    def finish(self) -> str | None:
        """Return where the registry has the pieces, once it has them all; None when it has not.

        For whoever closes the upload, after `end`. That can be tried only once: it is None the second time.
        """
        ...


class ImageRegistry(Protocol):
    """Where the images that we build are kept.

    Every method but those that delete raises RegistryUnavailable when the registry does not answer, or will not do
    what it must (RegistryRefused), RegistryThrottled when it asks for fewer requests, and ServiceUnavailable when AWS
    does not answer for it.
    """

    @property
    def host(self) -> str:
        """What an image reference starts with: host, and port where it is not the scheme's own."""
        ...

    def create_repository(self, repository: str) -> bool | None:
        """Create `repository`, for a push that has found none.

        Returns:
            True when this call created it, False when it exists already, None when the registry has no such call.

        Raises:
            RepositoryQuotaReached: The registry holds as many repositories as it may.
        """
        ...

    def begin_upload(self, repository: str) -> BlobUpload:
        """Return what takes a layer for `repository` ahead of its push.

        Asks the registry nothing before the first piece, and raises nothing.
        """
        ...

    def push(self, repository: str, image: Image, layer: Layer, *, upload: BlobUpload | None = None) -> None:
        """Upload an image by digest alone: no tag moves. What is there already is not sent again.

        Args:
            repository: Where to.
            image: Its documents.
            layer: Its layer.
            upload: Has taken the layer's pieces in their order, if anything has.
        """
        ...

    def has_image(self, repository: str, digest: Digest) -> bool:
        """Return whether the index of this digest is there, and may be pulled by it."""
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
            repository: Where to.
            blob: Its digest and size.
            chunks: Makes its pieces, anew for each attempt; what it raises is passed on.
            mount_from: Another repository of this registry that has it, from where it need not be sent.
        """
        ...

    def push_manifest(self, repository: str, document: Document) -> None:
        """Store a manifest or an index under its digest; all that it names is there already."""
        ...

    def tag(self, repository: str, tag: str, index: Document) -> None:
        """Let `tag` name an index that has been pushed, whatever it named before.

        Raises:
            TagKept: It names another, and the registry does not let it go.
        """
        ...

    def restore_tag(self, repository: str, tag: str, digest: Digest) -> None:
        """Let `tag` name the index of this digest, which has been pushed before.

        Raises:
            TagKept: It names another, and the registry does not let it go.
        """
        ...

    def delete_image(self, repository: str, digests: Sequence[Digest]) -> bool:
        """Remove an image with its tags. Whatever of it is gone already counts as removed.

        A crash half-way converges when the same call is made again: the arguments say what to remove, not
        what the registry still has.

        Args:
            repository: Where it is; may be gone itself.
            digests: `Image.digests`: of the index, then of its manifests.

        Returns:
            Whether every request was answered the first time. If not, one of them may still be on its way, and remove
            what is pushed in the meantime.

        Raises:
            RegistryCleanupFailed: Something of it is, or may be, still there.
        """
        ...

    def delete_empty_repository(self, repository: str) -> bool:
        """Remove a repository that holds no image. One that holds any stays, and one that is gone counts as removed.

        Returns:
            As `delete_image`.

        Raises:
            RegistryCleanupFailed: It may be still there.
        """
        ...

    def purge_repository(self, repository: str, indexes: Iterable[Digest]) -> bool:
        """Remove every image of a repository with its tags. Whatever of it is gone already counts as removed.

        A crash half-way converges when the same call is made again. What the registry keeps of the blobs, it
        collects by itself.

        Args:
            repository: What to empty; may be gone itself.
            indexes: What was ever pushed to it for a row. Read only as far as the registry needs to be told.

        Returns:
            As `delete_image`.

        Raises:
            RegistryCleanupFailed: Something of it is, or may be, still there.
        """
        ...
