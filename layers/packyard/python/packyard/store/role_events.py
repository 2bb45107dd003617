"""The events of writes to roles."""

from collections.abc import Mapping
from typing import Any

from packyard.packs.event import EventDraft, EventType
from packyard.packs.role import Role


def role_updated(before: Role, after: Role, *, actor: str, operation: str) -> EventDraft:
    """Return the event of a role's next revision.

    Args:
        before: The role as it was.
        after: The role at its next revision.
        actor: Who changes it, or `follow`.
        operation: `set`, `refresh` or `follow`, as in the history.
    """
    data = {
        "operation": operation,
        "attached": [pack_id for pack_id in after.pack_ids if pack_id not in before.pack_ids],
        "detached": [pack_id for pack_id in before.pack_ids if pack_id not in after.pack_ids],
        "pins": {pack_id: pin.revision for pack_id, pin in after.pins.items()},
    }
    return _draft(EventType.ROLE_UPDATED, after, actor, data)


def role_deleted(before: Role, after: Role, *, actor: str) -> EventDraft:
    """Return the event of a role's deletion.

    Args:
        before: The role as it was.
        after: The role as it ends, without packs.
        actor: Who deletes it.
    """
    return _draft(EventType.ROLE_DELETED, after, actor, {"detached": list(before.pack_ids)})


def capabilities_accepted(role: Role, accepted: Mapping[str, int], *, actor: str) -> EventDraft:
    """Return the event of a consent, which is written in addition to that of the role's change.

    Args:
        role: The role at the revision that the consent makes.
        accepted: By pack, the revision to whose wider capabilities the actor has consented.
        actor: Who consents.
    """
    of_one = next(iter(accepted)) if len(accepted) == 1 else None
    return _draft(EventType.CAPABILITIES_ACCEPTED, role, actor, {"accepted": dict(accepted)}, pack_id=of_one)


def _draft(
    kind: EventType, role: Role, actor: str, data: dict[str, Any], *, pack_id: str | None = None
) -> EventDraft:
    return EventDraft(
        type=kind,
        org_id=role.org_id,
        actor=actor,
        role_id=role.role_id,
        pack_id=pack_id,
        revision=role.revision,
        data=data,
    )
