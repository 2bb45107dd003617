"""What a page of events costs after a hundred events and after twenty times as many: calls, and items evaluated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from tests.aws import TABLE, Aws, aws_in_memory
from tests.listings import Reads
from ulid import ULID

from packyard.packs.event import Event, EventType, event_id
from packyard.store.event_items import to_item
from packyard.store.event_pages import EventFilters, list_events
from packyard.store.wire import to_wire

ORG, PACK, ROLE = "org_a", "pack_of_few", "role-of-few"
START = datetime(2026, 1, 1, tzinfo=UTC)
SMALL, LARGE = 100, 2000
LIMIT = 10
# Of the pack, the role and the type that few events are of.
FEW = 20
LISTINGS = {
    "all": EventFilters(),
    "the oldest first": EventFilters(after="0" * 26),
    "of a pack": EventFilters(pack_id=PACK),
    "of a role": EventFilters(role_id=ROLE),
    "of a type": EventFilters(type=EventType.KEY_REVOKED),
    "of an actor": EventFilters(actor="key:few"),
    "of a pack and a type": EventFilters(pack_id=PACK, type=EventType.PACK_CREATED),
    "of many of an actor, and few of a type": EventFilters(actor="key:many", type=EventType.PACK_DELETED),
}


@dataclass(frozen=True)
class Cost:
    calls: int
    items: int
    events: int


Costs = Mapping[int, Mapping[str, Cost]]


def history() -> Iterator[Event]:
    """Yield events: first a few of a pack, a role, an actor and a type, and then many others."""
    for number in range(LARGE):
        at = START + timedelta(seconds=number)
        few = number < FEW
        yield Event(
            id=event_id(at, str(ULID())),
            type=EventType.KEY_REVOKED if few else EventType.PACK_UPDATED,
            org_id=ORG,
            at=at,
            actor="key:few" if few else "key:many",
            request_id="r",
            pack_id=PACK if few else "pack_of_many",
            role_id=ROLE if few else None,
        )


@pytest.fixture(scope="module")
def costs() -> Iterator[Costs]:
    with aws_in_memory() as aws:
        unwritten, reads = history(), Reads(aws)
        store(aws, islice(unwritten, SMALL))
        small = {name: cost(aws, reads, filters) for name, filters in LISTINGS.items()}
        store(aws, unwritten)
        yield {SMALL: small, LARGE: {name: cost(aws, reads, filters) for name, filters in LISTINGS.items()}}


def store(aws: Aws, events: Iterator[Event]) -> None:
    while batch := list(islice(events, 25)):
        puts: Any = [{"PutRequest": {"Item": to_wire(to_item(event, expires_at=1))}} for event in batch]
        aws.dynamodb.batch_write_item(RequestItems={TABLE: puts})


def cost(aws: Aws, reads: Reads, filters: EventFilters) -> Cost:
    reads.reset()
    page = list_events(aws.table, org_id=ORG, filters=filters, limit=LIMIT, now=START + timedelta(days=1))
    return Cost(reads.calls, reads.items, len(page.events))


@pytest.mark.parametrize("name", [name for name in LISTINGS if "many" not in name])
def test_a_page_costs_the_same_after_twenty_times_as_many_events(costs: Costs, name: str) -> None:
    assert costs[LARGE][name] == costs[SMALL][name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("all", Cost(calls=1, items=11, events=10)),
        ("of a pack", Cost(calls=1, items=11, events=10)),
        # With two filters, a page looks at more events than it may hold, and at no more than 501.
        ("of a pack and a type", Cost(calls=1, items=20, events=0)),
        ("of many of an actor, and few of a type", Cost(calls=1, items=501, events=0)),
    ],
)
def test_a_page_is_one_query_with_a_limit(costs: Costs, name: str, expected: Cost) -> None:
    assert costs[LARGE][name] == expected
