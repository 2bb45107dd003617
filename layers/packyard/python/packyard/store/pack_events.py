"""The events of writes to packs."""

from typing import TYPE_CHECKING, Any

from packyard.packs.attestation_state import Attestations
from packyard.packs.event import ATTESTATIONS, IMAGE_DIGEST, EventDraft, EventType
from packyard.packs.pack import Pack
from packyard.store.pack_items import deprecation_to_item

if TYPE_CHECKING:
    from packyard.scanning.result import ScanResult


def pack_created(pack: Pack, *, actor: str, operation: str, scan: "ScanResult | None" = None) -> EventDraft:
    """Return the event of a new pack.

    Args:
        pack: The pack.
        actor: Who publishes it.
        operation: The operation, as in the history.
        scan: The result of scanning the image; None for none.
    """
    data = {
        **_what_it_is(pack, operation),
        "visibility": pack.visibility.value,
        **_to_be_attested(pack),
        **_scanned(scan),
    }
    return _draft(EventType.PACK_CREATED, pack, actor, data)


def pack_changed(
    before: Pack, after: Pack, *, actor: str, operation: str, scan: "ScanResult | None" = None
) -> EventDraft:
    """Return the event of a pack's next revision.

    A change of who sees the pack decides the type, then a change of its deprecation. The data has both. A deprecation
    that is taken back has only what was said before.

    Args:
        before: The pack as it was.
        after: The pack at the next revision.
        actor: Who changes it.
        operation: The operation, as in the history.
        scan: As for `pack_created`.
    """
    data = _what_it_is(after, operation) | _scanned(scan)
    for name in ("visibility", "tier", "version"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            data |= {name: str(new), f"{name}_before": str(old)}
    if before.image_digest != after.image_digest:
        data |= _to_be_attested(after)
    kind = EventType.PACK_UPDATED
    if before.deprecated != after.deprecated:
        kind = EventType.PACK_DEPRECATED
        said = {"deprecated": after.deprecated, "deprecated_before": before.deprecated}
        data |= {name: deprecation_to_item(one) for name, one in said.items() if one is not None}
    if before.visibility is not after.visibility:
        kind = EventType.PACK_VISIBILITY_CHANGED
    return _draft(kind, after, actor, data)


def pack_deleted(pack: Pack, *, actor: str, request_id: str | None) -> EventDraft:
    """Return the event of the end of a pack's deletion.

    Args:
        pack: The pack as it ends.
        actor: Who asked for the deletion.
        request_id: The request that asked for it; None if that is not known.
    """
    return _draft(EventType.PACK_DELETED, pack, actor, {"name": str(pack.name)}, request_id)


def _what_it_is(pack: Pack, operation: str) -> dict[str, Any]:
    return {
        "operation": operation,
        "name": str(pack.name),
        "version": str(pack.version),
        IMAGE_DIGEST: str(pack.image_digest),
    }


def _to_be_attested(pack: Pack) -> dict[str, Any]:
    """Return what lets the reader of events have statements made about a new image."""
    if pack.attestations is Attestations.OFF:
        return {}
    return {ATTESTATIONS: Attestations.PENDING.value}


def _scanned(scan: "ScanResult | None") -> dict[str, Any]:
    return {} if scan is None else {"scan": scan.summary()}


def _draft(
    kind: EventType, pack: Pack, actor: str, data: dict[str, Any], request_id: str | None = None
) -> EventDraft:
    return EventDraft(
        type=kind,
        org_id=pack.org_id,
        actor=actor,
        pack_id=pack.id,
        revision=pack.revision,
        data=data,
        request_id=request_id,
    )
