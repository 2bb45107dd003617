"""The OCI distribution API, as far as it takes to push images and to delete them, against one registry.

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
from packyard.registry.own.scopes import to_delete, to_push
from packyard.registry.own.tags import TagList, list_tags
from packyard.registry.own.transport import Answer, Transport
from packyard.registry.statuses import CLIENT_ERRORS, REDIRECTS

_MOUNT_REFUSED: Final = frozenset(CLIENT_ERRORS) - {HTTPStatus.TOO_MANY_REQUESTS}
# Said of an upload that the registry has lost, or whose bytes came over changed: it is begun anew.
_UPLOAD_LOST: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})
_UPLOAD_LOST_CODES: Final = frozenset(
    {"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DIGEST_INVALID", "SIZE_INVALID", "RANGE_INVALID"}
)


class RegistryClient:
    """Pushes blobs and manifests by digest.

    Every method tries again when the registry does not answer. It raises RegistryUnavailable when no attempt
    got an answer or the registry stored something else than it was sent, RegistryThrottled when it asks to be left
    alone, RegistryRefused when it will not do what it is asked, and ServiceUnavailable when AWS does not give the
    credential.
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
    ) -> None:
        """Upload a blob unless the repository has it: one POST, one PUT (end-4a, end-6).

        ECR's answers to chunked uploads (PATCH) leave the standard; every registry takes these two. Where the registry
        can take the blob over from another of its repositories, the POST is all there is (end-11). Where it has been
        sent already, the PUT is.

        Args:
            repository: Its path in the registry.
            digest: Of the blob.
            size: Of the blob, in bytes.
            chunks: Makes the blob's pieces, anew for each attempt.
            mount_from: Another repository of the registry, which has the blob.
            upload: Has taken the pieces, if anything has.
        """

        def attempt() -> None:
            if self._has_blob(repository, digest) or self._closed(repository, upload, digest):
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

        # An upload is tried again from its start: a PUT that failed may have used up the upload's URL.
        self._transport.persistently(attempt)

    def begin_upload(self, repository: str) -> BlobUpload:
        """Return what takes a blob for a repository before its digest is known."""
        # Most packs are small, and never come here.
        from packyard.registry.own.early_upload import EarlyUpload  # noqa: PLC0415

        return EarlyUpload(
            transport=self._transport, repository=repository, stall_seconds=self._transport.stall_seconds
        )

    def put_manifest(self, repository: str, reference: str, document: Document) -> None:
        """Store a manifest or an index under its digest or a tag; a tag that stands moves (end-7).

        What the registry refuses to store, but has already, is stored: under immutable tags, some refuse the same
        image too (buildkit #3776).

        Raises:
            TagKept: The registry keeps the tag on another image, and refuses to move it.
        """

        def attempt() -> None:
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

        try:
            self._transport.persistently(attempt)
        except RegistryRefused as refused:
            found = self._standing(repository, reference, refused)
            if found is None:
                raise
            if found.digest != document.digest:
                raise TagKept(
                    refused.answered, refused.codes, f"{repository}:{reference} names {found.digest}"
                ) from refused

    def get_manifest(self, repository: str, digest: Digest) -> Document:
        """Return a manifest or an index that we pushed, of whatever type, checked against its digest (end-3)."""

        def attempt() -> Document:
            path = f"/v2/{repository}/manifests/{digest}"
            answer = self._transport.send(
                "GET", path, scopes=to_push(repository), headers={"Accept": ANY_MANIFEST}
            )
            return document_of(answer, digest)

        return self._transport.persistently(attempt)

    def find_manifest(self, repository: str, reference: str) -> Document | None:
        """Return the manifest or index of a digest or a tag, or None when there is none (end-3)."""
        return self._transport.persistently(lambda: self._find(repository, reference))

    def list_tags(self, repository: str) -> TagList:
        """Return a repository's tags; none for one that is not there (end-8b)."""
        return list_tags(self._transport, repository)

    def delete_manifest(self, repository: str, digest: Digest) -> bool:
        """Remove a manifest or an index, and with it the tags that name it (end-9); none there is fine.

        What the registry says it has removed may be read for a while yet (distribution #4685). What it says it could
        not remove may be gone all the same, and that is looked for.

        Returns:
            Whether the first attempt was answered, so that none can still be on its way.
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
            self._transport.persistently(attempt)
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

    def _standing(self, repository: str, reference: str, refused: RegistryRefused) -> Document | None:
        """Return what a reference names that could not be set to something, where that tells anything."""
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
        """Begin an upload and return its URL, or None when the registry has taken the blob over instead."""
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
            if mounted.succeeded and self._has_taken_over(repository, digest, mounted):
                return None
            if mounted.succeeded and "Location" in mounted.headers:
                return self._transport.location(mounted, relative_to=uploads)
        # Some registries refuse to mount what they could be sent; those are sent it.
        begun = self._transport.send("POST", uploads, scopes=to_push(repository), headers=nothing)
        return self._transport.location(begun, relative_to=uploads)

    def _has_taken_over(self, repository: str, digest: Digest, mounted: Answer) -> bool:
        """Return whether an answer to a mount means that the blob is there, and not that an upload has begun."""
        if mounted.status == HTTPStatus.ACCEPTED:
            return False
        location = mounted.headers.get("Location", digest)
        named = urlsplit(location).path.endswith(digest.partition(":")[2])
        return (mounted.status == HTTPStatus.CREATED and named) or self._has_blob(repository, digest)

    def _closed(self, repository: str, upload: BlobUpload | None, digest: Digest) -> bool:
        """Close an upload whose pieces the registry has, and return whether that made them a blob."""
        location = None if upload is None else upload.finish()
        if location is None:
            return False
        try:
            self._finish(repository, location, digest=digest, size=0, chunks=tuple)
        except RegistryRefused:
            # It has forgotten the upload, or has got something else: it is sent all of it.
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
            # A registry redirects to where it keeps a blob only when it keeps it.
            also={*REDIRECTS, HTTPStatus.NOT_FOUND},
        )
        return answer.status != HTTPStatus.NOT_FOUND
