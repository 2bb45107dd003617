"""How an image came about: SLSA provenance 1.0 (slsa.dev/provenance/v1), for images that this service has built.

Everybody who sees a pack can read its statements, and they stay as they are. So they name the organisation, the pack,
the request and the CI run, and no person and no key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from packyard.attestations.statement import PROVENANCE, Statement
from packyard.oci.digest import Digest
from packyard.packs.pack import Pack
from packyard.packs.timestamp import format_timestamp

# What `externalParameters` mean is said in docs/trust.md.
BUILD_TYPE: Final = "https://packyard.dev/attestations/pack/v1"
# Of the facts of a CI run, what tells an image's origin (API contract, section 11); all are texts of an ID token.
_MAX_CI_FACTS: Final = 24
_MAX_CI_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the ledger knows of the write that gave a pack its image.

    Attributes:
        operation: The operation, as in the pack's history.
        at: When it was written, in UTC.
        request_id: The request that asked for it; None if that is not known.
        ci: Of the CI run that published, what its identity token said, by name; empty without one.
        source: Where the sender said that the content comes from, which nobody has checked; empty without it.
        replaced: The digest of the image of which the write has made this one by changing files; None otherwise.
    """

    operation: str
    at: datetime
    request_id: str | None = None
    ci: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    replaced: Digest | None = None


def provenance(pack: Pack, origin: Origin, *, builder: str) -> Statement:
    """Return the statement of how a pack's image came about.

    Args:
        pack: The pack at the revision that has the image.
        origin: The write that gave it the image.
        builder: The URI of this deployment (`builder.id`).
    """
    external: dict[str, Any] = {
        "operation": origin.operation,
        "pack": {
            "id": pack.id,
            "owner": pack.org_id,
            "name": pack.name,
            "version": pack.version,
            "revision": pack.revision,
        },
    }
    ci = _bounded(origin.ci)
    if ci:
        external["ci"] = ci
    if origin.source:
        external["source"] = origin.source
    metadata = {"finishedOn": format_timestamp(origin.at)}
    if origin.request_id:
        metadata = {"invocationId": origin.request_id, **metadata}
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": external,
            "resolvedDependencies": _sources(pack, origin),
        },
        "runDetails": {
            "builder": {"id": builder},
            "metadata": metadata,
            "byproducts": _byproducts(pack),
        },
    }
    return Statement(
        subjects=(pack.image_digest,),
        name=repository_name(pack),
        predicate_type=PROVENANCE,
        predicate=predicate,
    )


def repository_name(pack: Pack) -> str:
    """Return the registry and the repository of a pack's image, without a tag: a tag may move."""
    # A port has a colon too, before the first slash.
    host, _, path = pack.image_ref.partition("/")
    return f"{host}/{path.partition(':')[0].partition('@')[0]}"


def _sources(pack: Pack, origin: Origin) -> list[dict[str, Any]]:
    """Return what went into the image: the archive, or else the image that was changed."""
    sources: list[dict[str, Any]] = []
    if pack.archive_digest is not None:
        sources.append({"name": "archive", "digest": _digest_set(pack.archive_digest)})
    if origin.replaced is not None:
        uri = f"oci://{repository_name(pack)}@{origin.replaced}"
        sources.append({"name": "image", "uri": uri, "digest": _digest_set(origin.replaced)})
    return sources


def _byproducts(pack: Pack) -> list[dict[str, Any]]:
    """Return what names the files of the image, whatever carries them (API contract, section 4)."""
    if pack.content_digest is None:
        return []
    return [{"name": "content_digest", "digest": _digest_set(pack.content_digest)}]


def _digest_set(digest: Digest) -> dict[str, str]:
    return {"sha256": digest.partition(":")[2]}


def _bounded(facts: Mapping[str, Any]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in sorted(facts.items())
        if isinstance(value, str) and len(value) <= _MAX_CI_CHARACTERS
    }
    return dict(list(kept.items())[:_MAX_CI_FACTS])
