"""The builds of each organisation that are under way, for the limit on builds at once.

A build has an entry in a set of its organisation, for as long as it runs. DynamoDB lets an entry in only while the set
is smaller than the limit, so of two builds for the last place one waits. An entry names the time after which its
process cannot run any more. So a build that dies keeps its place until then, and whoever finds no place removes such
entries first. It is an item of its own, so that builds do not conflict with transactions that count other usage.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import build_slots_key
from packyard.store.table import ConditionFailed, Item, Table, Update

MAX_BUILDS: Final = "max_builds"
# A builder that finds expired entries removes them and tries again, so often.
_ATTEMPTS: Final = 3


class NoSlot(Exception):
    """The organisation has as many builds under way as it may have.

    Args:
        limit: The most at once.
        used: How many there are.
    """

    def __init__(self, *, limit: int, used: int) -> None:
        super().__init__(f"{used} of {limit} builds are under way.")
        self.limit = limit
        self.used = used


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place among an organisation's builds.

    Attributes:
        org_id: The organisation.
        entry: What its set has for the build.
    """

    org_id: str
    entry: str


class BuildSlots:
    """The places of all organisations.

    Args:
        table: The table.
        default: The most builds at once where the operator has set no limit; None for no limit.
    """

    def __init__(self, *, table: Table, default: int | None) -> None:
        self._table = table
        self._default = default

    def take(self, org_id: str, *, lease: str, now: datetime, until: datetime) -> Slot:
        """Take a place for a build. One write; two more for each time that expired entries are in the way.

        Args:
            org_id: The organisation.
            lease: A value never used before.
            now: The current time.
            until: When the place is free again at the latest: after the latest end of this function's invocation.

        Raises:
            NoSlot: There is no place.
            ServiceUnavailable: DynamoDB did not answer; the place may be taken until `until`.
        """
        slot = Slot(org_id=org_id, entry=f"{format_timestamp(until)}#{lease}")
        found: Item = {}
        for _ in range(_ATTEMPTS):
            try:
                self._table.update(self._entry(slot))
            except ConditionFailed as failure:
                found = failure.old or {}
                expired = _entries(found) - under_way(found, now)
                if not expired:
                    break
                self._remove(org_id, expired)
            else:
                return slot
        limit = int(found.get(MAX_BUILDS, self._default or 0))
        raise NoSlot(limit=limit, used=len(under_way(found, now)))

    def release(self, slot: Slot) -> None:
        """Give a place back. One write. A place that has been given back stays so.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        self._remove(slot.org_id, {slot.entry})

    def _entry(self, slot: Slot) -> Update:
        free = "(attribute_not_exists(builds) OR size(builds) < {})"
        by_default = f"attribute_not_exists({MAX_BUILDS})"
        if self._default is not None:
            by_default += f" AND {free.format(':default')}"
        return Update(
            key=build_slots_key(slot.org_id),
            change="ADD builds :entries",
            # The first part is for a retry whose first attempt succeeded but whose answer was lost.
            condition=f"contains(builds, :entry) OR attribute_exists({MAX_BUILDS}) AND {free.format(MAX_BUILDS)}"
            f" OR {by_default}",
            values={
                ":entries": {slot.entry},
                ":entry": slot.entry,
                **({} if self._default is None else {":default": self._default}),
            },
        )

    def _remove(self, org_id: str, entries: AbstractSet[str]) -> None:
        try:
            self._table.update(
                Update(
                    key=build_slots_key(org_id),
                    change="DELETE builds :entries",
                    condition="attribute_exists(PK)",
                    values={":entries": set(entries)},
                )
            )
        except ConditionFailed:
            return


def under_way(item: Item, now: datetime) -> AbstractSet[str]:
    """Return the entries of the builds that may be running.

    Args:
        item: The organisation's item; empty if there is none.
        now: The current time.
    """
    return {entry for entry in _entries(item) if parse_timestamp(entry.partition("#")[0]) > now}


def _entries(item: Item) -> AbstractSet[str]:
    return set(item.get("builds", ()))
