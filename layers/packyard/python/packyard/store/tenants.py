"""Organisations and their API keys."""

from datetime import datetime
from typing import Any

from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import api_key_key, org_key
from packyard.store.table import Item, Put, Table
from packyard.tenants.api_key import ApiKey, PermissionSet
from packyard.tenants.org import BillingPosture, Org


class TenantStore:
    """Who may use the service.

    Args:
        table: Where they are kept.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def get_org(self, org_id: str) -> Org | None:
        """Return an organisation as it stands now, or None. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(org_key(org_id))
        if item is None:
            return None
        return Org(
            org_id=item["org_id"],
            slug=item["slug"],
            billing=BillingPosture(item["billing"]),
            trial_ends_at=_instant(item, "trial_ends_at"),
            platform=item["platform"],
        )

    def get_api_key(self, key_hash: str) -> ApiKey | None:
        """Return a key as it stands now, a revoked or expired one included, or None. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(api_key_key(key_hash))
        if item is None:
            return None
        return ApiKey(
            key_hash=item["key_hash"],
            org_id=item["org_id"],
            label=item["label"],
            permission_set=PermissionSet(item["permission_set"]),
            created_at=parse_timestamp(item["created_at"]),
            revoked_at=_instant(item, "revoked_at"),
            expires_at=_instant(item, "void_from"),
        )

    def put_org(self, org: Org) -> None:
        """Write a new organisation.

        Raises:
            ConditionFailed: The id is taken.
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._put_new(
            {
                **org_key(org.org_id),
                "org_id": org.org_id,
                "slug": org.slug,
                "billing": org.billing.value,
                "trial_ends_at": _text(org.trial_ends_at),
                "platform": org.platform,
            }
        )

    def put_api_key(self, key: ApiKey) -> None:
        """Write a new key.

        Raises:
            ConditionFailed: The key is there already.
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._put_new(
            {
                **api_key_key(key.key_hash),
                "key_hash": key.key_hash,
                "org_id": key.org_id,
                "label": key.label,
                "permission_set": key.permission_set.value,
                "created_at": format_timestamp(key.created_at),
                "revoked_at": _text(key.revoked_at),
                # Not `expires_at`: that is the table's TTL attribute, and an expired key stays on record.
                "void_from": _text(key.expires_at),
            }
        )

    def _put_new(self, item: dict[str, Any]) -> None:
        present = {name: value for name, value in item.items() if value is not None}
        self._table.put(Put(item=present, condition="attribute_not_exists(PK)"))


def _instant(item: Item, name: str) -> datetime | None:
    return parse_timestamp(item[name]) if name in item else None


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else format_timestamp(instant)
