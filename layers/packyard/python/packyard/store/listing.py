"""Listings: one page of the packs that an organisation can see, by name and then by id.

The packs lie in several index partitions: an organisation's own, one for each visibility, and the community's
shards. Each is read in order and the streams are merged. What a page reads depends on its size and never on
the table's. Indexes lag behind writes, by less than a second as a rule.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from heapq import merge
from operator import attrgetter
from typing import Any, Final

from packyard.packs.pack import Pack, Tier, Visibility
from packyard.store.cursor import Binding, Position
from packyard.store.keys import COMMUNITY_SHARDS, community_partition, listing_range, owned_partition
from packyard.store.pack_items import from_item
from packyard.store.table import Query, QueryPage, Table

# Items that a page may read before it is answered as it is, however few have passed the filters.
_READ_BUDGET: Final = 500
# Queries that a page may take before it is; each reads 1 MB at most (API_Query), so that it is a bound on bytes too.
# More than the other budget takes of packs of any usual size.
_QUERY_BUDGET: Final = 12
# Items read at a time where a filter lets only some of them pass.
_FILTERED_READS: Final = 50
# Items read above an even share, so that one stream seldom runs dry before the page is full: some two
# standard deviations of what falls to one shard at the largest pages.
_SLACK: Final = 8
# A page ends once its fragments are this long: a function's answer is limited to 6 MB (Lambda quotas), and a
# character may take six bytes in JSON.
_PAGE_CHARACTERS: Final = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a listing.

    Attributes:
        packs: In order; may be few or none though there are more, when filters pass few.
        next_position: Where the next page goes on; None after the last.
    """

    packs: tuple[Pack, ...]
    next_position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which of the packs that an organisation can see to list.

    Attributes:
        owned: Only the organisation's own packs (True), only those of others (False), or both.
        tier: Only packs of this tier.
        category: Only packs of this category.
        name_prefix: Only packs whose name begins with this part of a slug.
    """

    owned: bool | None = None
    tier: Tier | None = None
    category: str | None = None
    name_prefix: str = ""

    def binding(self, org_id: str) -> Binding:
        """Return what a cursor of this listing is good for."""
        return {"org_id": org_id, **asdict(self)}


@dataclass(frozen=True, slots=True)
class _Partition:
    """One partition of an index."""

    index: str
    name: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A pack in a stream, or, without one, the mark up to which the stream has been read."""

    sort_key: str
    pack: Pack | None


@dataclass(slots=True)
class _Meter:
    """How many items a page has read so far, and by how many queries."""

    read: int = 0
    queries: int = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the page is to end wherever it stands."""
        return self.read >= _READ_BUDGET or self.queries >= _QUERY_BUDGET


def list_packs(
    table: Table, *, org_id: str, filters: Filters, limit: int, position: Position | None = None
) -> Page:
    """Return a page of the packs that an organisation can see, those being deleted included.

    Args:
        table: Where they are kept.
        org_id: The organisation that asks.
        filters: Which of the packs it asks for.
        limit: The most packs to answer with, 1 to 100.
        position: The previous page's `next_position`.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    partitions = _partitions(org_id, owned=filters.owned)
    condition, values = _filter(org_id, filters)
    low, high = listing_range(filters.name_prefix, position)
    share = math.ceil((limit + 1) / len(partitions)) + _SLACK
    queries = [
        Query(
            index=partition.index,
            condition=f"{partition.index}PK = :partition AND {partition.index}SK BETWEEN :low AND :high",
            filter=condition,
            values={":partition": partition.name, ":low": low, ":high": high, **values},
            limit=share if condition is None else max(share, _FILTERED_READS),
        )
        for partition in partitions
    ]
    # Every stream's first items are needed to know which comes first, so they are asked for side by side.
    with ThreadPoolExecutor(len(queries)) as pool:
        first_pages = list(pool.map(table.query, queries))
    meter = _Meter()
    streams = [_stream(table, query, first, meter) for query, first in zip(queries, first_pages, strict=True)]
    return _page(merge(*streams, key=attrgetter("sort_key")), limit, meter)


def _partitions(org_id: str, *, owned: bool | None) -> Sequence[_Partition]:
    own = {kind: _Partition("GSI1", owned_partition(org_id, kind.value)) for kind in Visibility}
    if owned:
        return list(own.values())
    community = [_Partition("GSI2", community_partition(shard)) for shard in range(COMMUNITY_SHARDS)]
    return community if owned is False else [own[Visibility.ORG], *community]


def _filter(org_id: str, filters: Filters) -> tuple[str | None, dict[str, Any]]:
    """Return the filter expression, None when everything passes, and what its placeholders stand for."""
    clauses: dict[str, tuple[str, str]] = {}
    if filters.owned is False:
        clauses["org_id <> :org_id"] = (":org_id", org_id)
    if filters.tier is not None:
        clauses["tier = :tier"] = (":tier", filters.tier.value)
    if filters.category is not None:
        clauses["category = :category"] = (":category", filters.category)
    return " AND ".join(clauses) or None, dict(clauses.values())


def _stream(table: Table, query: Query, page: QueryPage, meter: _Meter) -> Iterator[_Entry]:
    """Yield a partition's packs, and before each further read a mark at which the page may end instead."""
    sort_key = f"{query.index}SK"
    while True:
        meter.read += page.read
        meter.queries += 1
        for item in page.items:
            yield _Entry(item[sort_key], from_item(item))
        if page.last_key is None:
            return
        yield _Entry(page.last_key[sort_key], None)
        page = table.query(query, start=page.last_key)


def _page(entries: Iterator[_Entry], limit: int, meter: _Meter) -> Page:
    """Return the first packs of the merged streams, and where they end if there may be more."""
    packs: list[Pack] = []
    characters = 0
    last = ""
    for entry in entries:
        full = len(packs) == limit or characters >= _PAGE_CHARACTERS
        if entry.pack is None:
            if full or meter.is_exhausted:
                return Page(packs=tuple(packs), next_position=Position(entry.sort_key))
        # A pack whose visibility has just changed can be in two streams, since indexes follow one by one.
        elif entry.sort_key != last:
            if full:
                return Page(packs=tuple(packs), next_position=Position(last))
            packs.append(entry.pack)
            characters += len(entry.pack.capabilities or "")
        last = entry.sort_key
    return Page(packs=tuple(packs), next_position=None)
