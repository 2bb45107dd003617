"""What an organisation uses and may use, as it is read, and the limits that the operator sets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from packyard.packs.event import EventDraft, EventType
from packyard.packs.usage import Quota, Quotas, Usage
from packyard.store.build_slots import MAX_BUILDS, under_way
from packyard.store.events import EventLog
from packyard.store.keys import build_slots_key, usage_key
from packyard.store.table import Action, Item, Table, TransactionFailed, Update, token_of
from packyard.store.usage import LIMITS, usage_of


class LimitsChanged(Exception):
    """Somebody has changed the limits since they were read; nothing was written."""


class UsageStore:
    """What all organisations use and may use.

    Args:
        table: The table.
        defaults: The limits of organisations for which the operator has set none.
    """

    def __init__(self, *, table: Table, defaults: Quotas) -> None:
        self._table = table
        self._defaults = defaults

    def read(self, org_id: str, *, now: datetime) -> Usage:
        """Return what an organisation uses and may use. One consistent read.

        Args:
            org_id: The organisation. One without items has used nothing.
            now: The current time; the publishes are those of its day, UTC.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
        """
        return self.read_with_own(org_id, now=now)[0]

    def read_with_own(self, org_id: str, *, now: datetime) -> tuple[Usage, Quotas]:
        """Return the same, and of the limits those that the operator has set for it. One consistent read.

        Raises:
            ServiceUnavailable: As for `read`.
        """
        counted, builds = self._items(org_id)
        own = _own_limits(counted, builds)
        usage = usage_of(
            counted,
            defaults=self._defaults,
            day=now.date(),
            builds=len(under_way(builds, now)),
            max_builds=own.builds_at_once,
        )
        return usage, own

    def own_limits(self, org_id: str) -> Quotas:
        """Return the limits that the operator has set for an organisation, without the defaults. One consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
        """
        return _own_limits(*self._items(org_id))

    def set_limits(
        self, org_id: str, limits: Mapping[Quota, int | None], *, before: Quotas, by: str, events: EventLog
    ) -> None:
        """Set limits of an organisation, and write the event. One transaction.

        Args:
            org_id: The organisation.
            limits: The limits that change, at least one: 0 or more, and at least 1 for builds; None for the default.
            before: All limits that the operator has set before, as `own_limits` returns them.
            by: The operator.
            events: Makes the event.

        Raises:
            LimitsChanged: The limits are not as `before` has them.
            ServiceUnavailable: DynamoDB did not answer; the limits may have been set.
        """
        counted = {quota: limit for quota, limit in limits.items() if quota in LIMITS}
        actions: list[Action] = []
        if counted:
            actions.append(_set_counted(org_id, counted, before))
        if Quota.BUILDS_AT_ONCE in limits:
            actions.append(_set_builds(org_id, limits[Quota.BUILDS_AT_ONCE], before.builds_at_once))
        data = {
            "policy": "quotas",
            "limits": {quota.value: limit for quota, limit in limits.items()},
            "limits_before": {quota.value: before.of(quota) for quota in limits},
        }
        event = EventDraft(type=EventType.POLICY_UPDATED, org_id=org_id, actor=by, data=data)
        actions.append(events.put(event))
        try:
            self._table.transact(actions, token=token_of(actions))
        except TransactionFailed:
            raise LimitsChanged from None

    def _items(self, org_id: str) -> tuple[Item, Item]:
        found = {
            item["SK"]: item for item in self._table.get_many([usage_key(org_id), build_slots_key(org_id)])
        }
        return found.get(usage_key("")["SK"], {}), found.get(build_slots_key("")["SK"], {})


def _own_limits(counted: Item, builds: Item) -> Quotas:
    stored = {quota.value: counted.get(attribute) for quota, attribute in LIMITS.items()}
    stored[Quota.BUILDS_AT_ONCE.value] = builds.get(MAX_BUILDS)
    return Quotas(**{name: None if limit is None else int(limit) for name, limit in stored.items()})


def _set_counted(org_id: str, limits: Mapping[Quota, int | None], before: Quotas) -> Update:
    names = {f"#{quota.value}": LIMITS[quota] for quota in limits}
    values: dict[str, Any] = {}
    sets, removes, conditions = [], [], []
    for quota, limit in limits.items():
        conditions.append(_is(f"#{quota.value}", before.of(quota), values))
        if limit is None:
            removes.append(f"#{quota.value}")
        else:
            sets.append(f"#{quota.value} = :{quota.value}")
            values[f":{quota.value}"] = limit
    if Quota.STORED_BYTES in limits:
        sets.append("#left = :most - if_not_exists(#used, :zero)")
        names |= {"#left": "bytes_left", "#used": "stored_bytes"}
        values |= {":most": limits[Quota.STORED_BYTES] or 0, ":zero": 0}
    change = f"SET {', '.join(sets)}" if sets else ""
    if removes:
        change += f" REMOVE {', '.join(removes)}"
    return Update(
        key=usage_key(org_id),
        change=change.strip(),
        condition=" AND ".join(conditions),
        values=values,
        names=names,
    )


def _set_builds(org_id: str, limit: int | None, before: int | None) -> Update:
    values: dict[str, Any] = {}
    condition = _is(MAX_BUILDS, before, values)
    if limit is not None:
        values[":limit"] = limit
    return Update(
        key=build_slots_key(org_id),
        change=f"REMOVE {MAX_BUILDS}" if limit is None else f"SET {MAX_BUILDS} = :limit",
        condition=condition,
        values=values,
    )


def _is(name: str, value: int | None, values: dict[str, Any]) -> str:
    """Return the condition that an attribute has a value, or is not there. Its placeholder is added to `values`."""
    if value is None:
        return f"attribute_not_exists({name})"
    placeholder = f":was_{name.lstrip('#')}"
    values[placeholder] = value
    return f"{name} = {placeholder}"
