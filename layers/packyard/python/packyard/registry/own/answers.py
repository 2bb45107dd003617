"""Reads the answers of our own registry: documents, digests, and whether something was stored."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from packyard.errors import RegistryUnavailable
from packyard.oci.digest import Digest, digest_of, parse_digest
from packyard.oci.document import Document
from packyard.registry.own.transport import Answer


def document_of(answer: Answer, wanted: str | None) -> Document:
    """Return the manifest or index in a registry's answer.

    The document's own `mediaType` takes precedence over `Content-Type`, which may be generic.

    Args:
        answer: The registry's answer.
        wanted: The digest that the document must have; None to accept any.

    Raises:
        RegistryUnavailable: The document has another digest.
    """
    digest = digest_of(answer.body)
    if wanted not in (digest, None):
        raise RegistryUnavailable("The registry did not answer with what it was asked for.")
    stated = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Document(_media_type(answer.body) or stated, answer.body, digest)


def _media_type(raw: bytes) -> str:
    try:
        found = json.loads(raw)["mediaType"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return found if isinstance(found, str) and found.isascii() and found.isprintable() else ""


def listed_manifests(document: Document) -> Mapping[Digest, str]:
    """Return the media types of the manifests that an index lists, by digest; empty if it is not an index."""
    try:
        entries = json.loads(document.raw).get("manifests", ())
        return {parse_digest(entry["digest"]): str(entry.get("mediaType", "")) for entry in entries}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def stated_digest(answer: Answer) -> Digest | None:
    """Return the digest in `Docker-Content-Digest`, or None if it is absent or of an algorithm that we do not use."""
    try:
        return parse_digest(answer.headers.get("Docker-Content-Digest", "").strip())
    except ValueError:
        return None


def says_stored(answer: Answer, digest: Digest) -> bool:
    """Tell whether an answer confirms that something was stored: by naming its digest, or by status 201.

    Args:
        answer: The registry's answer to a PUT.
        digest: The digest of what was sent.

    Raises:
        RegistryUnavailable: The answer names another digest.
    """
    stated = stated_digest(answer)
    if stated not in (digest, None):
        raise RegistryUnavailable("The registry did not store what it was sent.")
    return stated is not None or answer.status == HTTPStatus.CREATED
