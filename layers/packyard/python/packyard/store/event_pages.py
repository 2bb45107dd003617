"""The events of an organisation, one page at a time.

A page is one query of at most a hundred items and one more, whatever the history holds. Without a filter it reads the
table, consistently. With filters it reads the index of one of them, from the one with the fewest events to be expected,
and looks at the others in what it has read. So with several filters a page may hold few events or none, although more
pages follow.

Pages end at the events that are ten seconds old (`packyard.packs.event.last_shown`). The index is eventually
consistent, usually within a second, which is part of these ten seconds.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from packyard.packs.event import Event, last_shown
from packyard.store.cursor import Binding, Position
from packyard.store.event_items import from_item
from packyard.store.keys import EVENT_INDEXES, event_key, events_of_partition
from packyard.store.table import Query, Table

# How many events a page with several filters looks at.
_LOOKED_AT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilters:
    """Which events to list.

    Attributes:
        pack_id: Only those of this pack; None for all.
        role_id: Only those of this role; None for all.
        type: Only those of this type; None for all.
        actor: Only those of this actor; None for all.
        after: Only those with a greater id, the oldest first; None for all, the newest first.
        before: Only those with a smaller id; None for all.
    """

    pack_id: str | None = None
    role_id: str | None = None
    type: str | None = None
    actor: str | None = None
    after: str | None = None
    before: str | None = None

    def binding(self, org_id: str) -> Binding:
        """Return what a cursor of this list is valid for."""
        return {
            "listing": "events",
            "org_id": org_id,
            "pack_id": self.pack_id,
            "role_id": self.role_id,
            "type": self.type,
            "actor": self.actor,
            "after": self.after,
            "before": self.before,
        }

    def facets(self) -> dict[str, str]:
        """Return the filters that have an index, in the order in which their indexes are preferred."""
        given = {"role": self.role_id, "pack": self.pack_id, "actor": self.actor, "type": self.type}
        return {facet: value for facet, value in given.items() if value is not None}

    def matches(self, event: Event) -> bool:
        """Return whether an event passes the filters, the bounds of its id apart."""
        return (
            self.pack_id in (None, event.pack_id)
            and self.role_id in (None, event.role_id)
            and self.type in (None, event.type)
            and self.actor in (None, event.actor)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """One page of events.

    Attributes:
        events: The newest first, or the oldest first after an id.
        next_position: Where the next page begins; None on the last page.
    """

    events: tuple[Event, ...]
    next_position: Position | None


def list_events(  # noqa: PLR0913 - by name
    table: Table,
    *,
    org_id: str,
    filters: EventFilters,
    limit: int,
    now: datetime,
    position: Position | None = None,
) -> EventPage:
    """Return a page of an organisation's events. One read.

    Args:
        table: The table.
        org_id: The organisation.
        filters: Which events.
        limit: The most events to return, 1 to 100.
        now: The present instant. Events that are not yet ten seconds old are left out.
        position: The previous page's `next_position`; None for the first page.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    looked_at = limit if len(filters.facets()) < 2 else max(limit, _LOOKED_AT)  # noqa: PLR2004 - more than one
    query = _query(org_id, filters, position, last_shown(now), looked_at + 1)
    if query is None:
        return EventPage(events=(), next_position=None)
    read = table.query(query)
    seen = [from_item(item) for item in read.items if item["id"] != filters.before]
    more = len(seen) > looked_at or read.last_key is not None
    found = [event for event in seen[:looked_at] if filters.matches(event)]
    events = tuple(found[:limit])
    if len(found) > limit:
        return EventPage(events=events, next_position=Position(events[-1].id))
    return EventPage(
        events=events, next_position=Position(seen[:looked_at][-1].id) if more and seen else None
    )


def _query(
    org_id: str, filters: EventFilters, position: Position | None, last: str, limit: int
) -> Query | None:
    """Return what to read; None if no id can be within the bounds."""
    facets = filters.facets()
    index, partition = None, event_key(org_id, "")["PK"]
    if facets:
        facet, value = next(iter(facets.items()))
        index, partition = EVENT_INDEXES[facet], events_of_partition(org_id, facet, value)
    names = (f"{index}PK", f"{index}SK") if index else ("PK", "SK")
    values: dict[str, Any] = {":partition": partition}
    backwards = filters.after is None
    # All ids have the same length. So an id with `!` sorts right after the id, and before every greater one.
    last = f"{last}!" if filters.before is None else min(f"{last}!", filters.before)
    if backwards:
        values[":end"] = last if position is None else min(last, position)
        condition = f"{names[0]} = :partition AND {names[1]} < :end"
    else:
        values |= {":start": f"{position or filters.after}!", ":end": last}
        condition = f"{names[0]} = :partition AND {names[1]} BETWEEN :start AND :end"
        # DynamoDB refuses bounds in the wrong order.
        if values[":start"] > values[":end"]:
            return None
    return Query(index=index, condition=condition, values=values, limit=limit, backwards=backwards)
