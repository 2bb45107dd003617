"""How a bundle is attached to an image: as an artifact that refers to it (OCI image-spec 1.1, `subject`).

Registries without the API for referrers list them in an index under a tag (distribution-spec, "Referrers Tag Schema").
Amazon ECR takes descriptors with the three members that every descriptor has, and refuses others in `subject` and
`config`. So descriptors have no others, but for the title that `oras pull` needs.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from packyard.attestations.bundle import MEDIA_TYPE
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of, parse_digest
from packyard.oci.document import Document
from packyard.oci.media_types import INDEX, MANIFEST
from packyard.packs.timestamp import format_timestamp

EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
EMPTY: Final = b"{}"
# The most referrers that are kept in an index. Others than this service may have added some.
_MAX_LISTED: Final = 1000


@dataclass(frozen=True, slots=True)
class Referrer:
    """What is pushed for one bundle.

    Attributes:
        manifest: The artifact's manifest.
        bundle: The blob that it names.
        entry: How an index lists it.
    """

    manifest: Document
    bundle: bytes
    entry: dict[str, Any]


def referrer(bundle: bytes, *, subject: Descriptor, predicate_type: str, at: datetime) -> Referrer:
    """Return what attaches a bundle to an image. The same arguments give the same bytes.

    Args:
        bundle: The bundle.
        subject: The image's index.
        predicate_type: What the bundle's statement is, for those who look for one of a type.
        at: When the image was published, in UTC.
    """
    digest = digest_of(bundle)
    annotations = {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": predicate_type,
        "org.opencontainers.image.created": format_timestamp(at),
    }
    manifest = Document.of(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": MEDIA_TYPE,
            "config": {"mediaType": EMPTY_TYPE, "digest": digest_of(EMPTY), "size": len(EMPTY)},
            "layers": [
                {
                    "mediaType": MEDIA_TYPE,
                    "digest": digest,
                    "size": len(bundle),
                    "annotations": {
                        "org.opencontainers.image.title": f"{digest.replace(':', '-')}.sigstore.json"
                    },
                }
            ],
            "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
            "annotations": annotations,
        },
    )
    entry = manifest.descriptor() | {"artifactType": MEDIA_TYPE, "annotations": annotations}
    return Referrer(manifest, bundle, entry)


def referrers_tag(subject: Digest) -> str:
    """Return the tag under which an image's referrers are listed where there is no API for them."""
    return subject.replace(":", "-")


def index_with(found: Document | None, entries: Iterable[dict[str, Any]]) -> Document:
    """Return the index of referrers with some entries added. Those that others have added stay.

    Args:
        found: The index as it is; None if there is none. What is no index is replaced: nobody could read it.
        entries: What to add; an entry of the same digest is replaced.
    """
    added = {entry["digest"]: entry for entry in entries}
    kept = [entry for entry in _listed(found) if entry["digest"] not in added]
    return _index([*kept[: _MAX_LISTED - len(added)], *added.values()])


def index_without(found: Document, digests: Iterable[Digest]) -> Document | None:
    """Return the index of referrers without some; None if it is empty then."""
    removed = set(digests)
    kept = [entry for entry in _listed(found) if entry["digest"] not in removed]
    return _index(kept) if kept else None


def _index(entries: list[dict[str, Any]]) -> Document:
    return Document.of(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})


def _listed(index: Document | None) -> list[dict[str, Any]]:
    if index is None:
        return []
    try:
        entries = json.loads(index.raw)["manifests"]
        return [entry for entry in entries if parse_digest(entry["digest"])]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
