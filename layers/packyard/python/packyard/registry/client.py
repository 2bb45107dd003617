"""The OCI distribution API, as far as it takes to push images and to delete them, against one registry.

Endpoints are named `end-1` and so on in the OCI distribution-spec, section "Endpoints".
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode, urljoin

from packyard.errors import RegistryUnavailable
from packyard.oci.digest import Digest, digest_of, parse_digest
from packyard.oci.document import Document
from packyard.oci.media_types import DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST
from packyard.registry.port import BlobUpload
from packyard.registry.transport import Answer, RegistryRefused, Transport

# Of at most 128 characters each (distribution-spec, "Pulling manifests"), so that a page stays well below what we read.
_TAGS_PER_PAGE = 100
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_ANY_MANIFEST = f"{INDEX}, {DOCKER_INDEX}, {MANIFEST}, {DOCKER_MANIFEST}"
_ANY_ANSWER = frozenset(
    {HTTPStatus.CREATED, HTTPStatus.ACCEPTED, *range(400, 500)} - {HTTPStatus.TOO_MANY_REQUESTS}
)


class RegistryClient:
    """Pushes blobs and manifests by digest.

    Every method tries again when the registry does not answer. It raises RegistryUnavailable when no attempt
    got an answer or the registry stored something else than it was sent, and RegistryRefused when it will not
    do what it is asked.
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
            if self._has_blob(repository, digest) or self._closed(upload, digest):
                return
            location = self._begin(repository, digest, mount_from)
            if location is not None:
                self._finish(location, digest=digest, size=size, chunks=chunks)

        # An upload is tried again from its start: a PUT that failed may have used up the upload's URL.
        self._transport.persistently(attempt)

    def begin_upload(self, repository: str) -> BlobUpload:
        """Return what takes a blob for a repository before its digest is known."""
        # Most packs are small, and never come here.
        from packyard.registry.early_upload import EarlyUpload  # noqa: PLC0415

        return EarlyUpload(
            transport=self._transport, repository=repository, stall_seconds=self._transport.stall_seconds
        )

    def put_manifest(self, repository: str, reference: str, document: Document) -> None:
        """Store a manifest or an index under its digest or a tag; a tag that stands moves (end-7)."""

        def attempt() -> None:
            answer = self._transport.send(
                "PUT",
                f"/v2/{repository}/manifests/{reference}",
                expect={HTTPStatus.CREATED},
                headers={"Content-Type": document.media_type, "Content-Length": str(document.size)},
                body=lambda: (document.raw,),
            )
            _check_stored(answer, document.digest)

        self._transport.persistently(attempt)

    def get_manifest(self, repository: str, digest: Digest) -> Document:
        """Return a manifest or an index that we pushed, of whatever type, checked against its digest (end-3)."""

        def attempt() -> Document:
            answer = self._transport.send(
                "GET",
                f"/v2/{repository}/manifests/{digest}",
                expect={HTTPStatus.OK},
                headers={"Accept": _ANY_MANIFEST},
            )
            return _document(answer, digest)

        return self._transport.persistently(attempt)

    def find_manifest(self, repository: str, reference: str) -> Document | None:
        """Return the manifest or index of a digest or a tag, or None when there is none (end-3)."""

        def attempt() -> Document | None:
            answer = self._transport.send(
                "GET",
                f"/v2/{repository}/manifests/{reference}",
                expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND},
                headers={"Accept": _ANY_MANIFEST},
            )
            if answer.status == HTTPStatus.NOT_FOUND:
                return None
            wanted = reference if ":" in reference else answer.headers.get("Docker-Content-Digest")
            return _document(answer, wanted)

        return self._transport.persistently(attempt)

    def list_tags(self, repository: str, *, after: str | None = None) -> Sequence[str]:
        """Return some of a repository's tags, in the registry's order; none for one that is not there (end-8b).

        Args:
            repository: Its path in the registry.
            after: The last tag of the answer before; registries that know no pages ignore it.
        """
        page = f"?n={_TAGS_PER_PAGE}" + (f"&last={after}" if after is not None else "")

        def attempt() -> Sequence[str]:
            answer = self._transport.send(
                "GET",
                f"/v2/{repository}/tags/list{page}",
                expect={HTTPStatus.OK, HTTPStatus.NOT_FOUND},
            )
            return () if answer.status == HTTPStatus.NOT_FOUND else _tags(answer.body)

        return self._transport.persistently(attempt)

    def delete_manifest(self, repository: str, digest: Digest) -> bool:
        """Remove a manifest or an index, and with it the tags that name it (end-9); none there is fine.

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
                expect={HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND},
            )

        self._transport.persistently(attempt)
        return attempts == 1

    def _begin(self, repository: str, digest: Digest, mount_from: str | None) -> str | None:
        """Begin an upload and return its URL, or None when the registry has taken the blob over instead."""
        uploads = f"/v2/{repository}/blobs/uploads/"
        nothing = {"Content-Length": "0"}
        if mount_from is not None:
            query = urlencode({"mount": digest, "from": mount_from})
            mounted = self._transport.send("POST", f"{uploads}?{query}", expect=_ANY_ANSWER, headers=nothing)
            if mounted.status == HTTPStatus.CREATED:
                return None
            if mounted.status == HTTPStatus.ACCEPTED:
                return self._location(uploads, mounted)
        # Some registries refuse to mount what they could be sent; those are sent it.
        return self._location(
            uploads, self._transport.send("POST", uploads, expect={HTTPStatus.ACCEPTED}, headers=nothing)
        )

    def _location(self, uploads: str, begun: Answer) -> str:
        return urljoin(self._transport.base_url + uploads, begun.headers.get("Location", ""))

    def _closed(self, upload: BlobUpload | None, digest: Digest) -> bool:
        """Close an upload whose pieces the registry has, and return whether that made them a blob."""
        location = None if upload is None else upload.finish()
        if location is None:
            return False
        try:
            self._finish(location, digest=digest, size=0, chunks=tuple)
        except RegistryRefused:
            # It has forgotten the upload, or has got something else: it is sent all of it.
            return False
        return True

    def _finish(
        self, location: str, *, digest: Digest, size: int, chunks: Callable[[], Iterable[bytes]]
    ) -> None:
        stored = self._transport.send(
            "PUT",
            f"{location}{'&' if '?' in location else '?'}digest={digest}",
            expect={HTTPStatus.CREATED},
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(size)},
            body=chunks,
        )
        _check_stored(stored, digest)

    def _has_blob(self, repository: str, digest: Digest) -> bool:
        # A registry redirects to where it keeps a blob only when it keeps it.
        answer = self._transport.send(
            "HEAD",
            f"/v2/{repository}/blobs/{digest}",
            expect={HTTPStatus.OK, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.NOT_FOUND},
        )
        return answer.status != HTTPStatus.NOT_FOUND


def _document(answer: Answer, wanted: str | None) -> Document:
    """Return the document that a registry has answered with, if it is the one of the digest `wanted`."""
    found = Document(answer.headers.get("Content-Type", ""), answer.body, digest_of(answer.body))
    if wanted not in (found.digest, None):
        raise RegistryUnavailable("The registry did not answer with what it was asked for.")
    return found


def listed_manifests(document: Document) -> Mapping[Digest, str]:
    """Return what an index lists, with the media types that it states; what is no index lists nothing."""
    try:
        entries = json.loads(document.raw).get("manifests", ())
        return {parse_digest(entry["digest"]): str(entry.get("mediaType", "")) for entry in entries}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _tags(body: bytes) -> Sequence[str]:
    try:
        tags = json.loads(body)["tags"] or []
        if all(_TAG.fullmatch(tag) for tag in tags):
            return list(tags)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise RegistryUnavailable("The registry answered with something else than its tags.")


def _check_stored(answer: Answer, digest: Digest) -> None:
    """Believe a registry that says it stored something else."""
    if answer.headers.get("Docker-Content-Digest", digest) != digest:
        raise RegistryUnavailable("The registry did not store what it was sent.")
