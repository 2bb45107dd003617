"""What an answer of our own registry holds: a document, a digest, or that something is stored."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from packyard.errors import RegistryUnavailable
from packyard.oci.digest import Digest, digest_of, parse_digest
from packyard.oci.document import Document
from packyard.registry.own.transport import Answer


def document_of(answer: Answer, wanted: str | None) -> Document:
    """Return the document that a registry has answered with, if it is the one of the digest `wanted`.

    Its type is the one that it states itself: a registry may call it by a generic one, or add a charset.
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
    """Return what an index lists, with the media types that it states; what is no index lists nothing."""
    try:
        entries = json.loads(document.raw).get("manifests", ())
        return {parse_digest(entry["digest"]): str(entry.get("mediaType", "")) for entry in entries}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def stated_digest(answer: Answer) -> Digest | None:
    """Return the digest that an answer states, if it is one of those that we use; some registries use others too."""
    try:
        return parse_digest(answer.headers.get("Docker-Content-Digest", "").strip())
    except ValueError:
        return None


def says_stored(answer: Answer, digest: Digest) -> bool:
    """Return whether an answer says that something is stored: it names its digest, or answers as the standard has it.

    Raises:
        RegistryUnavailable: The registry says it stored something else.
    """
    stated = stated_digest(answer)
    if stated not in (digest, None):
        raise RegistryUnavailable("The registry did not store what it was sent.")
    return stated is not None or answer.status == HTTPStatus.CREATED
