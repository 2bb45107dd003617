"""The content of a registry, in memory, under the rules of the OCI distribution-spec and independent of HTTP."""

import json
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from packyard.oci.digest import Digest, digest_of, parse_digest


class Refusal(Exception):
    """A refusal with one of the codes of the specification's section "Error Codes"."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, byte for byte as it was sent."""

    media_type: str
    raw: bytes

    @property
    def digest(self) -> Digest:
        return digest_of(self.raw)

    @property
    def subject(self) -> str | None:
        """The digest of what it refers to; None if it refers to nothing."""
        body = json.loads(self.raw)
        return body["subject"]["digest"] if "subject" in body else None

    def listed(self) -> dict[str, Any]:
        """Return what a list of referrers says of it (distribution-spec, "Listing Referrers")."""
        body = json.loads(self.raw)
        kept = {name: body[name] for name in ("artifactType", "annotations") if name in body}
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw), **kept}


@dataclass
class Repository:
    """One repository."""

    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, Manifest] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    # Blobs that the registry has lost by itself. They may have come back.
    lost: set[Digest] = field(default_factory=set)

    def lose(self, digest: Digest) -> None:
        """Lose a blob, as a registry must not."""
        del self.blobs[digest]
        self.lost.add(digest)

    def blob(self, digest: str) -> bytes:
        try:
            return self.blobs[Digest(digest)]
        except KeyError:
            raise Refusal(HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN") from None

    def begin_upload(self) -> str:
        session = str(uuid.uuid4())
        self.uploads[session] = b""
        return session

    def upload(self, session: str) -> bytes:
        try:
            return self.uploads[session]
        except KeyError:
            raise Refusal(HTTPStatus.NOT_FOUND, "BLOB_UPLOAD_UNKNOWN") from None

    def append(self, session: str, piece: bytes, *, start: int | None = None) -> int:
        """Append to an upload whose present length must be `start`; return its new length."""
        received = self.upload(session)
        if start is not None and start != len(received):
            raise Refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID")
        self.uploads[session] = received + piece
        return len(received) + len(piece)

    def finish_upload(self, session: str, piece: bytes, digest: str) -> Digest:
        """Turn an upload into a blob, if its digest is the one that the client states."""
        content = self.upload(session) + piece
        if digest_of(content) != _digest(digest):
            raise Refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID")
        del self.uploads[session]
        self.blobs[digest_of(content)] = content
        return digest_of(content)

    def cancel_upload(self, session: str) -> None:
        self.upload(session)
        del self.uploads[session]

    def manifest(self, reference: str) -> Manifest:
        digest = self.tags.get(reference, Digest(reference))
        try:
            return self.manifests[digest]
        except KeyError:
            raise Refusal(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN") from None

    def put_manifest(self, reference: str, manifest: Manifest) -> None:
        """Store a manifest under its digest or a tag, if everything that it names exists."""
        if ":" in reference and manifest.digest != _digest(reference):
            raise Refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID")
        self._check(manifest)
        self.manifests[manifest.digest] = manifest
        if ":" not in reference:
            self.tags[reference] = manifest.digest

    def delete_manifest(self, digest: str) -> None:
        if _digest(digest) not in self.manifests:
            raise Refusal(HTTPStatus.NOT_FOUND, "MANIFEST_UNKNOWN")
        del self.manifests[Digest(digest)]
        self.tags = {tag: named for tag, named in self.tags.items() if named != digest}

    def _check(self, manifest: Manifest) -> None:
        try:
            body: dict[str, Any] = json.loads(manifest.raw)
            named = [part["digest"] for part in (body["config"], *body["layers"])] if "config" in body else []
            children = [part["digest"] for part in body.get("manifests", [])]
        except (ValueError, KeyError, TypeError):
            raise Refusal(HTTPStatus.BAD_REQUEST, "MANIFEST_INVALID") from None
        if body.get("mediaType", manifest.media_type) != manifest.media_type:
            raise Refusal(HTTPStatus.BAD_REQUEST, "MANIFEST_INVALID")
        if not (self.blobs.keys() >= set(named) and self.manifests.keys() >= set(children)):
            raise Refusal(HTTPStatus.BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN")


@dataclass
class Shelves:
    """All repositories of one registry. The first upload to a repository creates it."""

    repositories: dict[str, Repository] = field(default_factory=dict)

    def repository(self, name: str, *, create: bool = False) -> Repository:
        if create:
            return self.repositories.setdefault(name, Repository())
        try:
            return self.repositories[name]
        except KeyError:
            raise Refusal(HTTPStatus.NOT_FOUND, "NAME_UNKNOWN") from None


def _digest(text: str) -> Digest:
    try:
        return parse_digest(text)
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID") from None
