"""What a page costs in a table of a hundred packs, and in one of thirty times as many: calls, and items evaluated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
from tests.aws import TABLE, Aws, aws_in_memory
from tests.catalogue import FEW, MANY, packs
from tests.listings import Reads
from tests.packs import pack_id

from packyard.packs.pack import Pack, Tier
from packyard.store.cursor import Position
from packyard.store.keys import listing_key
from packyard.store.listing import Filters, list_packs
from packyard.store.pack_items import to_item
from packyard.store.wire import to_wire

LIMIT = 50
SMALL, LARGE = 100, 3000
# What a filter may evaluate that passes few: the budget of a page, and the read that exceeds it.
MOST_CALLS, MOST_ITEMS = 11, 550


@dataclass(frozen=True)
class Listing:
    """A page of a listing: the first one, or the one that goes on behind a pack."""

    filters: Filters = field(default_factory=Filters)
    org_id: str = FEW
    behind: Position | None = None


@dataclass(frozen=True)
class Cost:
    """What a page took, and how many packs it holds."""

    calls: int
    items: int
    packs: int


LISTINGS = {
    "all": Listing(),
    "all, far from the start": Listing(behind=Position(listing_key("pack-0002500", pack_id(0)))),
    "own, few among many": Listing(Filters(owned=True)),
    "own, many": Listing(Filters(owned=True), org_id=MANY),
    "of others": Listing(Filters(owned=False)),
    "by name": Listing(Filters(name_prefix="pack-000009")),
    "a tier of few": Listing(Filters(tier=Tier.VERIFIED)),
    "a category of none": Listing(Filters(category="none")),
}

Costs = Mapping[int, Mapping[str, Cost]]


@pytest.fixture(scope="module")
def costs() -> Iterator[Costs]:
    with aws_in_memory() as aws:
        unwritten, reads = packs(LARGE), Reads(aws)
        store(aws, islice(unwritten, SMALL))
        small = {name: cost(aws, reads, listing) for name, listing in LISTINGS.items()}
        store(aws, unwritten)
        yield {SMALL: small, LARGE: {name: cost(aws, reads, listing) for name, listing in LISTINGS.items()}}


def store(aws: Aws, some: Iterator[Pack]) -> None:
    while batch := list(islice(some, 25)):
        puts: Any = [{"PutRequest": {"Item": to_wire(to_item(pack))}} for pack in batch]
        aws.dynamodb.batch_write_item(RequestItems={TABLE: puts})


def cost(aws: Aws, reads: Reads, listing: Listing) -> Cost:
    reads.reset()
    page = list_packs(
        aws.table, org_id=listing.org_id, filters=listing.filters, limit=LIMIT, position=listing.behind
    )
    return Cost(reads.calls, reads.items, len(page.packs))


@pytest.mark.parametrize("name", ["all", "own, few among many", "by name"])
def test_a_page_costs_the_same_among_thirty_times_as_many(costs: Costs, name: str) -> None:
    assert costs[LARGE][name] == costs[SMALL][name]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Five streams of 19 items; far from the start the organisation has none left of its own.
        ("all", Cost(calls=5, items=95, packs=50)),
        ("all, far from the start", Cost(calls=5, items=76, packs=50)),
        ("own, few among many", Cost(calls=2, items=20, packs=20)),
        # Two streams of 34 items, of which one has them all and is read twice.
        ("own, many", Cost(calls=3, items=68, packs=50)),
        # Four streams, read as far as for any filter.
        ("of others", Cost(calls=4, items=200, packs=50)),
        ("by name", Cost(calls=5, items=10, packs=10)),
    ],
)
def test_a_page_among_many_costs_what_its_size_does(costs: Costs, name: str, expected: Cost) -> None:
    assert costs[LARGE][name] == expected


@pytest.mark.parametrize("name", ["a tier of few", "a category of none"])
def test_a_filter_that_passes_few_or_none_costs_no_more_than_its_budget(costs: Costs, name: str) -> None:
    found = costs[LARGE][name]

    assert found.calls <= MOST_CALLS
    assert found.items <= MOST_ITEMS
