"""The Pack object as a caller sees it (API contract, section 1)."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.packs.attestation_state import Attestations
from packyard.packs.deprecation import Deprecation
from packyard.packs.image_state import ImageStatus
from packyard.packs.pack import Pack
from packyard.packs.precondition import pack_tag as tag_of
from packyard.packs.timestamp import format_timestamp
from packyard.tenants.caller import Caller


def pack_view(pack: Pack, caller: Caller) -> dict[str, Any]:
    """Return the Pack object; optional fields are absent, never null, and `org_id` shows on owned packs only."""
    owned = pack.org_id == caller.org_id
    fields: dict[str, Any] = {
        "id": pack.id,
        "org_id": pack.org_id if owned else None,
        "name": pack.name,
        "display_name": pack.display_name,
        "description": pack.description,
        "category": pack.category,
        "version": pack.version,
        "tier": pack.tier,
        "visibility": pack.visibility,
        "capabilities": pack.capabilities,
        "suggested_packs": ",".join(pack.suggested_packs) or None,
        "image_origin": pack.image_origin,
        "image_ref": pack.image_ref,
        "image_digest": pack.image_digest,
        "content_digest": pack.content_digest,
        "size_bytes": pack.size_bytes,
        "created_at": format_timestamp(pack.created_at),
        "updated_at": format_timestamp(pack.updated_at),
        "owned": owned,
        "deprecated": deprecation_view(pack.deprecated),
        "status": ImageStatus.WITHDRAWN.value if pack.withdrawn else None,
        "attestations": pack.attestations.value,
    }
    return {name: value for name, value in fields.items() if value is not None}


def deprecation_view(deprecation: Deprecation | None) -> dict[str, str] | None:
    """Return what a pack's owner says to those who use it; None for a pack that is not deprecated."""
    if deprecation is None:
        return None
    replacement = {} if deprecation.replacement is None else {"replacement": deprecation.replacement}
    return {"message": deprecation.message, **replacement}


def pack_response(status: int, pack: Pack, caller: Caller, *, warnings: Sequence[str] = ()) -> Response[str]:
    """Return one pack with its entity tag.

    Args:
        status: Of the answer.
        pack: The pack.
        caller: Who sees it.
        warnings: What breaks the specification of Agent Skills in what the caller has sent; no part of the pack.
    """
    view = pack_view(pack, caller) | ({"warnings": list(warnings)} if warnings else {})
    return json_response(status, view, {ETAG: pack_tag(pack, caller)})


def pack_tag(pack: Pack, caller: Caller) -> str:
    """Return the entity tag of a pack as a caller sees it: for its owner, the revision.

    Other organisations see another body, which needs another tag (RFC 9110, section 8.8.3). They cannot write the pack.
    A field that can change without a new revision must change the tag as well (decision 40).
    """
    if pack.org_id == caller.org_id:
        return tag_of(pack.revision, withdrawn=pack.withdrawn, attested=_attested(pack))
    states = f"{'-withdrawn' if pack.withdrawn else ''}{'-attested' if _attested(pack) else ''}"
    return f'"shared-{pack.revision}{states}"'


def _attested(pack: Pack) -> bool:
    return pack.attestations is Attestations.ATTACHED
