"""A client for the part of the OCI distribution API that pushes and deletes images, for one registry.

Endpoints are named `end-1` and so on in the OCI distribution-spec, section "Endpoints".
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from packyard.errors import RegistryUnavailable
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.media_types import ANY_MANIFEST
from packyard.registry.own.answers import document_of, says_stored, stated_digest
from packyard.registry.own.port import BlobUpload
from packyard.registry.own.refusal import RegistryBroken, RegistryRefused, TagKept
from packyard.registry.own.scopes import to_delete, to_pull, to_push
from packyard.registry.own.tags import TagList, list_tags
from packyard.registry.own.transport import Answer, Transport
from packyard.registry.statuses import CLIENT_ERRORS, REDIRECTS

# The header by which a registry says that it lists referrers (distribution-spec 1.1).
_SUBJECT: Final = "OCI-Subject"
_MOUNT_REFUSED: Final = frozenset(CLIENT_ERRORS) - {HTTPStatus.TOO_MANY_REQUESTS}
# The answers when the registry has lost an upload, or its bytes were damaged on the way. The upload then starts again.
_UPLOAD_LOST: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})
_UPLOAD_LOST_CODES: Final = frozenset(
    {"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DIGEST_INVALID", "SIZE_INVALID", "RANGE_INVALID"}
)


class RegistryClient:
    """Pushes, finds and deletes blobs and manifests.

    Every method retries when the registry does not answer. Every method that sends requests raises RegistryUnavailable
    when no attempt got an answer or the registry stored something else than it was sent, RegistryThrottled when the
    registry limits our requests, RegistryRefused when the registry refuses the request, and ServiceUnavailable when AWS
    does not provide the credential.

    Args:
        transport: Sends the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def push_blob(  # noqa: PLR0913 - by name; one blob, and where it may be already
        self,
        repository: str,
        *,
        digest: Digest,
        size: int,
        chunks: Callable[[], Iterable[bytes]],
        mount_from: str | None = None,
        upload: BlobUpload | None = None,
        is_new: bool = False,
    ) -> None:
        """Upload a blob unless the repository has it, by one POST and one PUT (end-4a, end-6).

        Chunked uploads (PATCH) are avoided here because ECR's answers to them deviate from the standard. If the
        registry can mount the blob from another of its repositories, the POST suffices (end-11). If `upload` has sent
        the bytes already, the PUT suffices.

        Args:
            repository: The repository's path in the registry.
            digest: The blob's digest.
            size: The blob's size in bytes.
            chunks: Returns the blob's bytes in pieces; called again for each attempt.
            mount_from: Another repository of the registry that has the blob, if any.
            upload: An early upload that has been given the blob's bytes, if any.
            is_new: Whether the repository is known not to have it yet, so that it is not asked.
        """

        def attempt() -> None:
            if (not is_new and self._has_blob(repository, digest)) or self._close_upload(
                repository, upload, digest
            ):
                return
            location = self._begin(repository, digest, mount_from)
            if location is None:
                return
            try:
                self._finish(repository, location, digest=digest, size=size, chunks=chunks)
            except RegistryRefused as refused:
                if refused.answered not in _UPLOAD_LOST and not refused.codes & _UPLOAD_LOST_CODES:
                    raise
                raise RegistryUnavailable("The registry has lost the upload.") from refused

        # A retry begins a new upload: the URL of an upload may be invalid after a failed PUT.
        self._transport.retrying(attempt)

    def begin_upload(self, repository: str) -> BlobUpload:
        """Return an upload that accepts a blob's bytes before its digest is known. Sends no request yet."""
        # Imported here because most packs are too small to need it.
        from packyard.registry.own.early_upload import EarlyUpload  # noqa: PLC0415

        return EarlyUpload(
            transport=self._transport, repository=repository, stall_seconds=self._transport.stall_seconds
        )

    def put_manifest(self, repository: str, reference: str, document: Document) -> bool:
        """Store a manifest or an index under its digest or a tag; an existing tag moves (end-7).

        A refusal counts as success if the registry already has the document under that reference: registries with
        immutable tags may refuse to store even the same image again (buildkit #3776).

        Args:
            repository: The repository's path in the registry.
            reference: A digest or a tag.
            document: The manifest or index.

        Returns:
            Whether the registry has said that it lists a document with a `subject` among the referrers of that
            (`OCI-Subject`; distribution-spec, "Pushing Manifests with Subject").

        Raises:
            TagKept: The tag names another image, and the registry refuses to move it.
        """

        def attempt() -> bool:
            answer = self._transport.send(
                "PUT",
                f"/v2/{repository}/manifests/{reference}",
                scopes=to_push(repository),
                headers={"Content-Type": document.media_type, "Content-Length": str(document.size)},
                body=lambda: (document.raw,),
            )
            if not says_stored(answer, document.digest):
                found = self._find(repository, reference)
                if found is None or found.digest != document.digest:
                    raise RegistryUnavailable("The registry has not stored yet what it was sent.")
            return bool(answer.headers.get(_SUBJECT, "").strip())

        try:
            return self._transport.retrying(attempt)
        except RegistryRefused as refused:
            found = self._existing(repository, reference, refused)
            if found is None:
                raise
            if found.digest != document.digest:
                raise TagKept(
                    refused.answered, refused.codes, f"{repository}:{reference} names {found.digest}"
                ) from refused
            return False

    def has_blob(self, repository: str, digest: Digest) -> bool:
        """Tell whether a repository has a blob (end-2)."""
        return self._transport.retrying(lambda: self._has_blob(repository, digest))

    def get_manifest(self, repository: str, digest: Digest) -> Document:
        """Return a manifest or an index that we pushed, checked against its digest (end-3)."""

        def attempt() -> Document:
            path = f"/v2/{repository}/manifests/{digest}"
            answer = self._transport.send(
                "GET", path, scopes=to_push(repository), headers={"Accept": ANY_MANIFEST}
            )
            return document_of(answer, digest)

        return self._transport.retrying(attempt)

    def find_manifest(self, repository: str, reference: str) -> Document | None:
        """Return the manifest or index that a digest or a tag names, or None when there is none (end-3)."""
        return self._transport.retrying(lambda: self._find(repository, reference))

    def blob_redirect(self, repository: str, digest: Digest) -> str | None:
        """Return the URL of another host to which the registry redirects for a blob, or None if it does not (end-2).

        A redirect within the registry is not returned, because that URL needs our login.
        """

        def attempt() -> str | None:
            path = f"/v2/{repository}/blobs/{digest}"
            answer = self._transport.send("GET", path, scopes=to_pull(repository), also=REDIRECTS)
            return None if answer.succeeded else self._transport.foreign_location(answer)

        return self._transport.retrying(attempt)

    def list_tags(self, repository: str) -> TagList:
        """Return a repository's tags, no tags if it does not exist (end-8b)."""
        return list_tags(self._transport, repository)

    def delete_manifest(self, repository: str, digest: Digest) -> bool:
        """Delete a manifest or an index with the tags that name it (end-9). One that does not exist counts as deleted.

        A deleted manifest may be readable for a while (distribution #4685). After an error answer the manifest may be
        deleted all the same, so that is checked.

        Returns:
            Whether the first attempt was answered with success. If not, an unanswered request may still take effect.
        """
        attempts = 0

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            self._transport.send(
                "DELETE",
                f"/v2/{repository}/manifests/{digest}",
                scopes=to_delete(repository),
                also={HTTPStatus.NOT_FOUND},
            )

        try:
            self._transport.retrying(attempt)
        except (RegistryBroken, RegistryRefused):
            if not self._is_gone(repository, digest):
                raise
            return False
        return attempts == 1

    def _find(self, repository: str, reference: str) -> Document | None:
        answer = self._transport.send(
            "GET",
            f"/v2/{repository}/manifests/{reference}",
            scopes=to_push(repository),
            also={HTTPStatus.NOT_FOUND},
            headers={"Accept": ANY_MANIFEST},
        )
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        return document_of(answer, reference if ":" in reference else stated_digest(answer))

    def _existing(self, repository: str, reference: str, refused: RegistryRefused) -> Document | None:
        """Return what a reference names after the registry refused to set it; None if that cannot be read."""
        if refused.answered == HTTPStatus.UNAUTHORIZED:
            return None
        try:
            return self.find_manifest(repository, reference)
        except RegistryUnavailable:
            return None

    def _is_gone(self, repository: str, digest: Digest) -> bool:
        try:
            return self.find_manifest(repository, digest) is None
        except RegistryUnavailable:
            return False

    def _begin(self, repository: str, digest: Digest, mount_from: str | None) -> str | None:
        """Begin an upload and return its URL, or None when the registry has mounted the blob instead."""
        uploads = f"/v2/{repository}/blobs/uploads/"
        nothing = {"Content-Length": "0"}
        if mount_from is not None:
            query = urlencode({"mount": digest, "from": mount_from})
            mounted = self._transport.send(
                "POST",
                f"{uploads}?{query}",
                scopes=to_push(repository, mount_from=mount_from),
                also=_MOUNT_REFUSED,
                headers=nothing,
            )
            if mounted.succeeded and self._is_mounted(repository, digest, mounted):
                return None
            if mounted.succeeded and "Location" in mounted.headers:
                return self._transport.location(mounted, relative_to=uploads)
        # Some registries refuse to mount a blob but accept an upload of it.
        begun = self._transport.send("POST", uploads, scopes=to_push(repository), headers=nothing)
        return self._transport.location(begun, relative_to=uploads)

    def _is_mounted(self, repository: str, digest: Digest, mounted: Answer) -> bool:
        """Tell whether a mount made the blob available, rather than begin an upload."""
        if mounted.status == HTTPStatus.ACCEPTED:
            return False
        location = mounted.headers.get("Location", digest)
        named = urlsplit(location).path.endswith(digest.partition(":")[2])
        return (mounted.status == HTTPStatus.CREATED and named) or self._has_blob(repository, digest)

    def _close_upload(self, repository: str, upload: BlobUpload | None, digest: Digest) -> bool:
        """Close an early upload under the blob's digest, and tell whether the registry has the blob now."""
        location = None if upload is None else upload.finish()
        if location is None:
            return False
        try:
            self._finish(repository, location, digest=digest, size=0, chunks=tuple)
        except RegistryRefused:
            # The registry has lost the upload or has other bytes. The caller sends the whole blob.
            return False
        return True

    def _finish(
        self,
        repository: str,
        location: str,
        *,
        digest: Digest,
        size: int,
        chunks: Callable[[], Iterable[bytes]],
    ) -> None:
        answer = self._transport.send(
            "PUT",
            f"{location}{'&' if '?' in location else '?'}digest={digest}",
            scopes=to_push(repository),
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(size)},
            body=chunks,
        )
        if not says_stored(answer, digest) and not self._has_blob(repository, digest):
            raise RegistryUnavailable("The registry has not stored yet what it was sent.")

    def _has_blob(self, repository: str, digest: Digest) -> bool:
        answer = self._transport.send(
            "HEAD",
            f"/v2/{repository}/blobs/{digest}",
            scopes=to_push(repository),
            # A registry redirects to the storage of a blob only if it has the blob.
            also={*REDIRECTS, HTTPStatus.NOT_FOUND},
        )
        return answer.status != HTTPStatus.NOT_FOUND
