"""What an image brings: the signatures and attestations that its registry holds beside it, unverified.

It is read once, when the image is registered, and kept with the pack. A policy is applied to what was kept, so that a
role that gets the pack needs no request to the registry, and a policy that changes is applied at once (decision 128).
"""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from packyard.oci.digest import Digest
from packyard.packs.timestamp import format_timestamp, parse_timestamp

# The most signatures and attestations that are read of one image, and how many bytes of each and of all are kept. An
# item of the table has at most 400 KB.
MAX_KEPT: Final = 32
MAX_BYTES_EACH: Final = 192 << 10
MAX_BYTES: Final = 256 << 10

BUNDLES: Final = frozenset(
    {
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
    }
)
SIMPLE_SIGNING: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE: Final = "application/vnd.dsse.envelope.v1+json"
# What is read. Everything else that refers to an image is something else, such as a scan's report.
READABLE: Final = BUNDLES | {SIMPLE_SIGNING, ENVELOPE}

SIGNATURE_ANNOTATION: Final = "dev.cosignproject.cosign/signature"
CERTIFICATE_ANNOTATION: Final = "dev.sigstore.cosign/certificate"
CHAIN_ANNOTATION: Final = "dev.sigstore.cosign/chain"
LOG_ANNOTATION: Final = "dev.sigstore.cosign/bundle"
TIMESTAMP_ANNOTATION: Final = "dev.sigstore.cosign/rfc3161timestamp"
ANNOTATIONS: Final = (
    *(SIGNATURE_ANNOTATION, CERTIFICATE_ANNOTATION, CHAIN_ANNOTATION),
    *(LOG_ANNOTATION, TIMESTAMP_ANNOTATION, "predicateType"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A signature or an attestation as its registry holds it.

    Attributes:
        where: Where it was found: `referrers`, or the tag.
        manifest: The digest of the manifest that carries it.
        digest: The digest of its bytes.
        media_type: The type that the manifest states.
        size: In bytes, as the manifest states it.
        content: The bytes, which have that digest; None if they are over the limits, or of a type that is not read.
        annotations: Those of its descriptor that cosign writes (`ANNOTATIONS`).
    """

    where: str
    manifest: Digest
    digest: Digest
    media_type: str
    size: int
    content: bytes | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept_bytes(self) -> int:
        """How much of it is kept, in bytes."""
        return len(self.content or b"") + sum(map(len, self.annotations.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSignatures:
    """What an image brings.

    Attributes:
        repository: The image's registry and repository, where this was read.
        digest: The image's.
        found: The signatures and attestations.
        looked_at: Where was looked, and what was there, in words.
        complete: Whether all places could be read, and nothing was left off.
        unread: What kept it from being read at all, in words; empty if it was read.
        at: When it was read, in UTC.
    """

    repository: str
    digest: Digest
    found: tuple[Brought, ...] = ()
    looked_at: tuple[str, ...] = ()
    complete: bool = True
    unread: str = ""
    at: datetime


def to_text(signatures: ImageSignatures) -> str:
    """Return what is stored: JSON, deflated, in base64. At most about 360 KB."""
    document = {
        "repository": signatures.repository,
        "digest": signatures.digest,
        "looked_at": list(signatures.looked_at),
        "complete": signatures.complete,
        "unread": signatures.unread,
        "at": format_timestamp(signatures.at),
        "found": [_document(one) for one in signatures.found],
    }
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(raw)).decode()


def from_text(stored: str) -> ImageSignatures:
    """Return what `to_text` has stored."""
    document = json.loads(zlib.decompress(base64.b64decode(stored)))
    return ImageSignatures(
        repository=document["repository"],
        digest=document["digest"],
        found=tuple(map(_brought, document["found"])),
        looked_at=tuple(document["looked_at"]),
        complete=document["complete"],
        unread=document["unread"],
        at=parse_timestamp(document["at"]),
    )


def _document(one: Brought) -> dict[str, Any]:
    content = {} if one.content is None else {"content": base64.b64encode(one.content).decode()}
    return {
        "where": one.where,
        "manifest": one.manifest,
        "digest": one.digest,
        "media_type": one.media_type,
        "size": one.size,
        "annotations": dict(one.annotations),
        **content,
    }


def _brought(document: Mapping[str, Any]) -> Brought:
    content = document.get("content")
    return Brought(
        where=document["where"],
        manifest=document["manifest"],
        digest=document["digest"],
        media_type=document["media_type"],
        size=document["size"],
        annotations=document["annotations"],
        content=None if content is None else base64.b64decode(content),
    )
