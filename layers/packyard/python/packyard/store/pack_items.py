"""Packs as items of the table: the row, its index keys, and the entries of its history."""

from collections.abc import Sequence
from typing import Any, Final

from packyard.oci.digest import Digest
from packyard.packs.attestation_state import Attestations
from packyard.packs.deprecation import Deprecation
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version
from packyard.packs.pack import ImageOrigin, Layer, Pack, PackStatus, Tier, Visibility
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import (
    community_partition,
    community_shard,
    listing_key,
    owned_partition,
    pack_key,
    revision_key,
)
from packyard.store.wire import Item


def to_item(pack: Pack) -> Item:
    """Return a pack's row. A deleted pack has no index keys, so it appears in no listing."""
    item: dict[str, Any] = {
        **pack_key(pack.id),
        "id": pack.id,
        "org_id": pack.org_id,
        "name": pack.name,
        "display_name": pack.display_name,
        "version": pack.version,
        "tier": pack.tier.value,
        "visibility": pack.visibility.value,
        "image_origin": pack.image_origin.value,
        "image_ref": pack.image_ref,
        "image_digest": pack.image_digest,
        "size_bytes": pack.size_bytes,
        "created_at": format_timestamp(pack.created_at),
        "updated_at": format_timestamp(pack.updated_at),
        "revision": pack.revision,
        "status": pack.status.value,
        "description": pack.description,
        "category": pack.category,
        "capabilities": pack.capabilities,
        "suggested_packs": list(pack.suggested_packs) or None,
        # Its name is from when the chain id was all that named the content (decision 76).
        "content_digest": pack.chain_id,
        "files_digest": pack.content_digest,
        "layer_digest": pack.layer_digest,
        "layers": [layer._asdict() for layer in pack.layers] or None,
        "shared_since": pack.shared_since,
        "deprecated": None if pack.deprecated is None else deprecation_to_item(pack.deprecated),
        "highest_version": pack.highest_version,
        "stored_bytes": pack.stored_bytes,
        "withdrawn": pack.withdrawn or None,
        "archive_digest": pack.archive_digest,
        **_attestation_marks(pack),
        **_index_keys(pack),
    }
    return {name: value for name, value in item.items() if value is not None}


def _attestation_marks(pack: Pack) -> dict[str, Digest]:
    """Return what a row says of attestations: for which image there are to be some, and for which there are.

    They name the image, since a row may get another image while an earlier one's are being attached.
    """
    if pack.attestations is Attestations.OFF:
        return {}
    attached = {"attested": pack.image_digest} if pack.attestations is Attestations.ATTACHED else {}
    return {"to_attest": pack.image_digest, **attached}


def _attestations(item: Item) -> Attestations:
    if item.get("attested") == item["image_digest"]:
        return Attestations.ATTACHED
    return Attestations.PENDING if item.get("to_attest") == item["image_digest"] else Attestations.OFF


def _index_keys(pack: Pack) -> dict[str, str]:
    if pack.status is PackStatus.DELETED:
        return {}
    sort_key = listing_key(pack.name, pack.id)
    # Only its owner's listings have a pack whose image is withdrawn, whatever its visibility.
    listed = Visibility.ORG if pack.withdrawn else pack.visibility
    owned = {"GSI1PK": owned_partition(pack.org_id, listed.value), "GSI1SK": sort_key}
    if listed is not Visibility.COMMUNITY:
        return owned
    return {**owned, "GSI2PK": community_partition(community_shard(pack.id)), "GSI2SK": sort_key}


def from_item(item: Item) -> Pack:
    """Return the pack of a row; attributes that this version does not know are ignored."""
    return Pack(
        id=item["id"],
        org_id=item["org_id"],
        name=PackName(item["name"]),
        display_name=item["display_name"],
        version=Version(item["version"]),
        tier=Tier(item["tier"]),
        visibility=Visibility(item["visibility"]),
        image_origin=ImageOrigin(item["image_origin"]),
        image_ref=item["image_ref"],
        image_digest=Digest(item["image_digest"]),
        size_bytes=int(item["size_bytes"]),
        created_at=parse_timestamp(item["created_at"]),
        updated_at=parse_timestamp(item["updated_at"]),
        revision=int(item["revision"]),
        status=PackStatus(item["status"]),
        description=item.get("description"),
        category=item.get("category"),
        capabilities=item.get("capabilities"),
        suggested_packs=tuple(item.get("suggested_packs", ())),
        content_digest=digest_attribute(item.get("files_digest")),
        chain_id=digest_attribute(item.get("content_digest")),
        layer_digest=digest_attribute(item.get("layer_digest")),
        layers=tuple(
            Layer(Digest(layer["digest"]), int(layer["size"]), layer["media_type"])
            for layer in item.get("layers", ())
        ),
        shared_since=int(item["shared_since"]) if "shared_since" in item else None,
        deprecated=_deprecation(item.get("deprecated")),
        highest_version=Version(item["highest_version"]) if "highest_version" in item else None,
        stored_bytes=int(item["stored_bytes"]) if "stored_bytes" in item else None,
        withdrawn=item.get("withdrawn", False),
        archive_digest=digest_attribute(item.get("archive_digest")),
        attestations=_attestations(item),
    )


def deprecation_to_item(deprecation: Deprecation) -> Item:
    """Return what is said of a deprecated pack, as items have it."""
    replacement = {} if deprecation.replacement is None else {"replacement": deprecation.replacement}
    return {"message": deprecation.message, **replacement}


def _deprecation(stored: Any) -> Deprecation | None:
    return None if stored is None else Deprecation(stored["message"], stored.get("replacement"))


def digest_attribute(stored: Any) -> Digest | None:
    """Return what an attribute holds that is a digest, or is not there."""
    return None if stored is None else Digest(stored)


def history_entry(pack: Pack, actor: str, operation: str, manifests: Sequence[Digest] = ()) -> Item:
    """Return the entry in a pack's history for one revision, which has the whole pack as it was then.

    Args:
        pack: The pack at that revision.
        actor: Who made the change.
        operation: The operation that made the change, such as `upload`.
        manifests: If the image was pushed for this revision, the digests of the manifests that its index lists.
    """
    listed = {"manifests": list(manifests)} if manifests else {}
    return {
        **listed,
        **revision_facts(pack),
        **revision_key(pack.id, pack.revision),
        "revision": pack.revision,
        "operation": operation,
        "actor": actor,
        "at": format_timestamp(pack.updated_at),
    }


# What a row has that the entries of its history do not repeat: it never changes, or is about the present.
_ROW_ONLY: Final = frozenset(
    (
        *("PK", "SK", "id", "org_id", "name", "created_at", "updated_at", "revision", "status"),
        *("shared_since", "highest_version", "stored_bytes"),
    )
)


# What a row says of its present image.
_STATES: Final = frozenset({"withdrawn", "to_attest", "attested"})
# What can change without a new revision. That there are to be statements about an image stays so.
_CHANGING: Final = _STATES - {"to_attest"}


def revision_facts(pack: Pack) -> Item:
    """Return what an entry of a pack's history has of the pack."""
    return {
        name: value
        for name, value in to_item(pack).items()
        if name not in _ROW_ONLY and name not in _CHANGING and not name.startswith("GSI")
    }


def pack_as_of(row: Item, entry: Item) -> Pack | None:
    """Return a pack as it was at an earlier revision; None if the entry was written before it had the whole pack.

    Args:
        row: The pack's row.
        entry: The revision's entry in its history.
    """
    if entry["revision"] == row["revision"]:
        return from_item(row)
    if "image_ref" not in entry:
        return None
    kept = {name: row[name] for name in _ROW_ONLY if name in row}
    if entry["image_digest"] == row.get("image_digest"):
        kept |= {name: row[name] for name in _STATES if name in row}
    return from_item({**kept, **entry, "updated_at": entry["at"]})
