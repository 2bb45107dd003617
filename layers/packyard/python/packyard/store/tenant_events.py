"""The events of writes to organisations and their API keys."""

from typing import Any

from packyard.packs.event import EventDraft, EventType
from packyard.packs.timestamp import format_timestamp
from packyard.tenants.api_key import ApiKey
from packyard.tenants.org import Org


def key_issued(key: ApiKey, *, actor: str) -> EventDraft:
    """Return the event of a new API key. Its secret is not in it.

    Args:
        key: The key.
        actor: Who issues it.
    """
    allows = key.permission_set.value if key.permission_set is not None else None
    return _of_key(
        EventType.KEY_ISSUED,
        key,
        actor,
        permission_set=allows,
        scopes=sorted(key.scopes),
        expires_at=None if key.expires_at is None else format_timestamp(key.expires_at),
        ci=dict(key.ci) or None,
    )


def key_revoked(key: ApiKey, *, actor: str) -> EventDraft:
    """Return the event of a key's revocation.

    Args:
        key: The key.
        actor: Who revokes it.
    """
    return _of_key(EventType.KEY_REVOKED, key, actor)


def org_created(org: Org, *, actor: str) -> EventDraft:
    """Return the event of a new organisation.

    Args:
        org: The organisation.
        actor: The operator.
    """
    return _of_org(EventType.ORG_CREATED, org, actor)


def org_updated(org: Org, *, actor: str) -> EventDraft:
    """Return the event of a change to how an organisation stands with billing.

    Args:
        org: The organisation after the change.
        actor: The operator.
    """
    return _of_org(EventType.ORG_UPDATED, org, actor)


def _of_key(kind: EventType, key: ApiKey, actor: str, **more: Any) -> EventDraft:
    data = {
        "key_id": key.key_hash,
        "principal": key.principal,
        "label": key.label,
        "pack_name": key.pack_name,
        **more,
    }
    return EventDraft(type=kind, org_id=key.org_id, actor=actor, data=_present(data))


def _of_org(kind: EventType, org: Org, actor: str) -> EventDraft:
    data = {
        "slug": org.slug,
        "billing": org.billing.value,
        "trial_ends_at": None if org.trial_ends_at is None else format_timestamp(org.trial_ends_at),
    }
    return EventDraft(type=kind, org_id=org.org_id, actor=actor, data=_present(data))


def _present(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}
