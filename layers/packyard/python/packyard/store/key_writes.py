"""The two writes to API keys, each with its event: by members of the organisation and by the operator."""

from datetime import datetime
from typing import Any

from packyard.packs.timestamp import format_timestamp
from packyard.store.api_key_items import EXPIRY, from_item, to_item
from packyard.store.events import EventLog
from packyard.store.keys import api_key_key
from packyard.store.table import ConditionFailed, Put, Table, TransactionFailed, Update, token_of
from packyard.store.tenant_events import key_issued, key_revoked
from packyard.tenants.api_key import ApiKey


def put_key(table: Table, key: ApiKey, *, by: str, events: EventLog) -> None:
    """Write a new key and its event, both or neither. One transaction.

    Args:
        table: The table.
        key: The key.
        by: Who issues it: a principal, or the operator.
        events: Makes the event.

    Raises:
        ConditionFailed: There is a key with the same hash.
        ServiceUnavailable: DynamoDB did not answer; the key may have been written.
    """
    actions = [
        Put(item=to_item(key), condition="attribute_not_exists(PK)"),
        events.put(key_issued(key, actor=by)),
    ]
    try:
        table.transact(actions, token=token_of(actions))
    except TransactionFailed as failure:
        raise ConditionFailed(failure.reasons[0].old) from None


def revoke_key(
    table: Table, revoked: ApiKey, *, by: str, events: EventLog, forgotten_at: datetime | None = None
) -> ApiKey | None:
    """Revoke a key, and write the event, both or neither. One transaction. The first revocation is kept.

    Args:
        table: The table.
        revoked: The key as it is to be: `revoked_at`, and `revoked_by` where a member of the organisation revokes it.
        by: Who revokes it, for the event: a principal, or the operator.
        events: Makes the event.
        forgotten_at: When DynamoDB may remove it; None for never, or when it would have been removed anyway.

    Returns:
        The key as it is now; None if there is no such key.

    Raises:
        ServiceUnavailable: DynamoDB did not answer; the key may have been revoked.
    """
    actions: list[Put | Update] = [
        _revocation(revoked, forgotten_at),
        events.put(key_revoked(revoked, actor=by)),
    ]
    try:
        table.transact(actions, token=token_of(actions))
    except TransactionFailed as failure:
        if not failure.reasons[0].condition_failed:
            raise
        old = failure.reasons[0].old
        return None if old is None else from_item(old)
    return revoked


def _revocation(revoked: ApiKey, forgotten_at: datetime | None) -> Update:
    values: dict[str, Any] = {
        "revoked_at": None if revoked.revoked_at is None else format_timestamp(revoked.revoked_at),
        "revoked_by": revoked.revoked_by,
        EXPIRY: None if forgotten_at is None else int(forgotten_at.timestamp()),
    }
    present = {name: value for name, value in values.items() if value is not None}
    return Update(
        key=api_key_key(revoked.key_hash),
        change="SET " + ", ".join(f"{name} = :{name}" for name in present),
        condition="attribute_exists(PK) AND attribute_not_exists(revoked_at)",
        values={f":{name}": value for name, value in present.items()},
    )
