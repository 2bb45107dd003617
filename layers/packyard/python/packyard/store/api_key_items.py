"""API keys as items of the table."""

from datetime import datetime
from typing import Any, Final

from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store import schema
from packyard.store.keys import api_key_index_key, api_key_key
from packyard.store.wire import Item
from packyard.tenants.api_key import ApiKey, PermissionSet

# The table's TTL attribute, in seconds since 1970.
EXPIRY: Final = "expires_at"


def to_item(key: ApiKey) -> Item:
    """Return the item of a key."""
    created_at = format_timestamp(key.created_at)
    # Keys of CI are many and end soon. In the list they would crowd out those that people make (decision 119).
    listed = {} if key.ci else api_key_index_key(key.org_id, created_at, key.key_hash)
    item: dict[str, Any] = {
        **api_key_key(key.key_hash),
        **listed,
        "key_hash": key.key_hash,
        "org_id": key.org_id,
        "label": key.label,
        "created_at": created_at,
        "revoked_at": _text(key.revoked_at),
        # Not the TTL attribute: keys that the operator has issued are kept when they have expired.
        "void_from": _text(key.expires_at),
        **(_granted(key) if key.permission_set is None else {"permission_set": key.permission_set.value}),
    }
    return {name: value for name, value in item.items() if value is not None}


def _granted(key: ApiKey) -> dict[str, Any]:
    # A release that does not know these attributes would not keep the key to its scopes and its pack (decision 92).
    return {
        schema.ATTRIBUTE: schema.WITH_NARROWED_KEYS,
        "scopes": sorted(key.granted),
        "pack_name": key.pack_name,
        "created_by": key.created_by,
        "prefix": key.prefix,
        "acts_as": key.acts_as,
        "ci": dict(key.ci) or None,
        # Those that the operator has issued, which name no maker, are kept, unless a member revokes one.
        EXPIRY: None if key.expires_at is None or key.created_by is None else int(key.expires_at.timestamp()),
    }


def from_item(item: Item) -> ApiKey:
    """Return the key of an item."""
    permission_set = item.get("permission_set")
    return ApiKey(
        key_hash=item["key_hash"],
        org_id=item["org_id"],
        label=item["label"],
        created_at=parse_timestamp(item["created_at"]),
        permission_set=None if permission_set is None else PermissionSet(permission_set),
        granted=frozenset(item.get("scopes", ())),
        pack_name=item.get("pack_name"),
        revoked_at=_instant(item, "revoked_at"),
        revoked_by=item.get("revoked_by"),
        expires_at=_instant(item, "void_from"),
        created_by=item.get("created_by"),
        prefix=item.get("prefix", ""),
        ci=item.get("ci", {}),
        acts_as=item.get("acts_as"),
    )


def _instant(item: Item, name: str) -> datetime | None:
    return parse_timestamp(item[name]) if name in item else None


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else format_timestamp(instant)
