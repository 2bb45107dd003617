"""Organisations and their API keys."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from packyard.packs.manifest.name import parse_slug
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.api_key_items import from_item
from packyard.store.events import EventLog
from packyard.store.keys import api_key_key, api_keys_partition, org_key, slug_key
from packyard.store.table import ConditionFailed, Item, Put, Query, Table, TransactionFailed, Update, token_of
from packyard.store.version_policies import policy_of
from packyard.tenants.api_key import ApiKey
from packyard.tenants.caller import OPERATOR
from packyard.tenants.org import ORG_ID, BillingPosture, Org


class SlugTaken(Exception):
    """Another organisation has the slug.

    Args:
        holder: The id of that organisation.
    """

    def __init__(self, holder: str) -> None:
        super().__init__(f"The slug belongs to {holder}.")
        self.holder = holder


class TenantStore:
    """The organisations and their API keys.

    Args:
        table: The table.
        events: Makes the events of writes.
    """

    def __init__(self, *, table: Table, events: EventLog) -> None:
        self._table = table
        self._events = events

    def get_org(self, org_id: str) -> Org | None:
        """Return an organisation, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(org_key(org_id))
        return None if item is None else _org(item)

    def slugs(self, org_ids: Collection[str]) -> dict[str, str]:
        """Return the slugs of organisations by id, without those that there are not. One consistent read.

        Args:
            org_ids: At most 100, each once.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
        """
        items = self._table.get_many([org_key(org_id) for org_id in org_ids])
        return {item["org_id"]: item["slug"] for item in items}

    def find_org(self, slug: str) -> str | None:
        """Return the id of the organisation with this slug, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(slug_key(slug))
        return None if item is None else item["org_id"]

    def named(self, text: str) -> Org | None:
        """Return the organisation of this id or slug, or None. One or two consistent reads.

        Of a text that cannot be either, none.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        if ORG_ID.fullmatch(text):
            return self.get_org(text)
        try:
            org_id = self.find_org(parse_slug(text))
        except ValueError:
            return None
        return None if org_id is None else self.get_org(org_id)

    def get_api_key(self, key_hash: str) -> ApiKey | None:
        """Return an API key, even if it is revoked or expired, or None. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = self._table.get(api_key_key(key_hash))
        if item is None:
            return None
        return from_item(item)

    def list_api_keys(self, org_id: str) -> Iterator[ApiKey]:
        """Yield an organisation's API keys, the oldest first, including revoked and expired ones.

        The index is eventually consistent, usually within a second.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        keys = Query(
            index="GSI1",
            condition="GSI1PK = :partition",
            values={":partition": api_keys_partition(org_id)},
        )
        page = self._table.query(keys)
        yield from map(from_item, page.items)
        while page.last_key is not None:
            page = self._table.query(keys, start=page.last_key)
            yield from map(from_item, page.items)

    def put_org(self, org: Org, *, by: str = OPERATOR) -> None:
        """Write a new organisation, take its slug and write the event, all or none. One transaction.

        Args:
            org: The organisation.
            by: Who creates it: the operator.

        Raises:
            ConditionFailed: The id is taken.
            SlugTaken: Another organisation has the slug.
            ServiceUnavailable: DynamoDB did not answer.
        """
        item = {
            **org_key(org.org_id),
            "org_id": org.org_id,
            "slug": org.slug,
            "billing": org.billing.value,
            "trial_ends_at": _text(org.trial_ends_at),
            "platform": org.platform,
        }
        slug = {**slug_key(org.slug), "org_id": org.org_id}
        from packyard.store.tenant_events import org_created  # noqa: PLC0415 - only writes need it

        actions = [_put_new(item), _put_new(slug), self._events.put(org_created(org, actor=by))]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            of_org, of_slug, _ = failure.reasons
            if of_org.condition_failed:
                raise ConditionFailed(of_org.old) from None
            raise SlugTaken((of_slug.old or {}).get("org_id", "")) from None

    def set_posture(
        self, org: Org, *, billing: BillingPosture, trial_ends_at: datetime | None, by: str = OPERATOR
    ) -> Org:
        """Set an organisation's billing posture, and return the organisation after the change.

        One transaction, which also writes the event. A posture that stands already is not written again.

        Args:
            org: The organisation as it was read.
            billing: The new posture.
            trial_ends_at: The new end of its trial; None for no end.
            by: Who sets it: the operator.

        Raises:
            ConditionFailed: There is no such organisation.
            ServiceUnavailable: DynamoDB did not answer.
        """
        changed = replace(org, billing=billing, trial_ends_at=trial_ends_at)
        if changed == org:
            return org
        set_end = "SET billing = :billing, trial_ends_at = :end"
        update = Update(
            key=org_key(org.org_id),
            change="SET billing = :billing REMOVE trial_ends_at" if trial_ends_at is None else set_end,
            condition="attribute_exists(PK)",
            values={
                ":billing": billing.value,
                **({} if trial_ends_at is None else {":end": format_timestamp(trial_ends_at)}),
            },
        )
        from packyard.store.tenant_events import org_updated  # noqa: PLC0415 - only writes need it

        actions: list[Put | Update] = [update, self._events.put(org_updated(changed, actor=by))]
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed as failure:
            raise ConditionFailed(failure.reasons[0].old) from None
        return changed

    def put_api_key(self, key: ApiKey, *, by: str = OPERATOR) -> None:
        """Write a new API key and its event, both or neither. One transaction.

        Args:
            key: The key.
            by: Who issues it: the operator.

        Raises:
            ConditionFailed: There is a key with the same hash.
            ServiceUnavailable: DynamoDB did not answer.
        """
        from packyard.store.key_writes import put_key  # noqa: PLC0415 - only writes need it

        put_key(self._table, key, by=by, events=self._events)

    def revoke_api_key(self, key: ApiKey, *, at: datetime, by: str = OPERATOR) -> ApiKey:
        """Revoke an API key and return it. An earlier revocation is kept, and is no second event. One transaction.

        Args:
            key: The key as it was read.
            at: The time of the revocation.
            by: Who revokes it: the operator.

        Raises:
            ConditionFailed: There is no such key.
            ServiceUnavailable: DynamoDB did not answer.
        """
        if key.revoked_at is not None:
            return key
        from packyard.store.key_writes import revoke_key  # noqa: PLC0415 - only writes need it

        revoked = revoke_key(self._table, replace(key, revoked_at=at), by=by, events=self._events)
        if revoked is None:
            raise ConditionFailed(None)
        return revoked


def _put_new(item: Mapping[str, Any]) -> Put:
    present = {name: value for name, value in item.items() if value is not None}
    return Put(item=present, condition="attribute_not_exists(PK)")


def _org(item: Item) -> Org:
    return Org(
        org_id=item["org_id"],
        slug=item["slug"],
        billing=BillingPosture(item["billing"]),
        trial_ends_at=_instant(item, "trial_ends_at"),
        platform=item["platform"],
        version_policy=policy_of(item).policy,
    )


def _instant(item: Item, name: str) -> datetime | None:
    return parse_timestamp(item[name]) if name in item else None


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else format_timestamp(instant)
