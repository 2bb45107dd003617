"""Listings: one page of the packs that an organisation can see, by name and then by id.

The packs lie in several index partitions: two of the organisation's own, one for each visibility, and the shards of
the community packs. Each partition is read in order, and the streams are merged. How much a page reads depends on the
page's size, not on the table's. The indexes are eventually consistent, usually within a second.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from packyard.packs.pack import Pack, Tier, Visibility
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursor import Binding, Position
from packyard.store.keys import COMMUNITY_SHARDS, community_partition, listing_range, owned_partition
from packyard.store.pack_items import from_item
from packyard.store.table import Query, QueryPage, Table

if TYPE_CHECKING:
    from packyard.packs.search_words import Wanted

# After reading this many items, a page ends, however few of them have passed the filters.
_READ_BUDGET: Final = 500
# After this many queries, a page ends. A query reads at most 1 MB (API_Query), so this also bounds the bytes read.
# With packs of usual size, the read budget is used up first.
_QUERY_BUDGET: Final = 12
# How many items a query reads at least if there is a filter, because only some of them will pass.
_FILTERED_READS: Final = 50
# How many items a query reads beyond an even share of the page. With this, one stream is seldom exhausted before the
# page is full: it is about two standard deviations of one shard's part of the largest page.
_SLACK: Final = 8
# A page ends once the `capabilities` texts of its packs are this long together. A function's response is limited to
# 6 MB ("Lambda quotas"), and a character may take six bytes in JSON.
PAGE_CHARACTERS: Final = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing.

    Attributes:
        packs: By name, then by id. With filters there may be few or none, although more pages follow.
        next_position: Where the next page begins; None on the last page.
    """

    packs: tuple[Pack, ...]
    next_position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which packs to list, of those that an organisation can see.

    Attributes:
        owned: True for the organisation's own packs only, False for those of others only, None for both.
        tier: Only packs of this tier; None for all.
        category: Only packs of this category; None for all.
        name_prefix: Only packs whose name begins with this text; empty for all.
        name: Only packs of this name; None for all.
        search: Only packs that have these words; None for all. `store/search.py` lists them.
        updated_after: Only packs that have changed after this instant; None for all.
        only: The name of the only own pack to list, for a caller that is narrowed to it; None for all packs.
    """

    owned: bool | None = None
    tier: Tier | None = None
    category: str | None = None
    name_prefix: str = ""
    name: str | None = None
    search: "Wanted | None" = None
    updated_after: datetime | None = None
    only: str | None = None

    @property
    def updated_after_text(self) -> str | None:
        """The instant in the form of `updated_at` in the table; None without one."""
        return None if self.updated_after is None else format_timestamp(self.updated_after)

    @property
    def names(self) -> str | None:
        """The beginning of the listing keys of the names that pass; None if no name passes."""
        exact = {name for name in (self.name, self.only) if name is not None}
        if len(exact) > 1 or any(not name.startswith(self.name_prefix) for name in exact):
            return None
        # A sort key is the name, `#` and the id.
        return f"{exact.pop()}#" if exact else self.name_prefix

    @property
    def excludes_all(self) -> bool:
        """Whether the filters leave out every pack that the caller may see."""
        return self.names is None or (self.only is not None and self.owned is False)

    def binding(self, org_id: str) -> Binding:
        """Return what a cursor of this listing is valid for.

        A filter that came later is left out while it is not used, so that cursors of an earlier release stay valid.
        """
        always = {name: getattr(self, name) for name in ("owned", "tier", "category", "name_prefix")}
        words = None if self.search is None else " ".join(self.search.words)
        later = {
            "only": self.only,
            "name": self.name,
            "search": words,
            "updated_after": self.updated_after_text,
        }
        return {
            "org_id": org_id,
            **always,
            **{name: value for name, value in later.items() if value is not None},
        }


@dataclass(frozen=True, slots=True)
class _Partition:
    """One partition of an index."""

    index: str
    name: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A pack in a stream; or, if `pack` is None, a mark: the stream has been read up to this key."""

    sort_key: str
    pack: Pack | None


@dataclass(slots=True)
class _Meter:
    """How many items and queries a page has used so far."""

    read: int = 0
    queries: int = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the page must end now."""
        return self.read >= _READ_BUDGET or self.queries >= _QUERY_BUDGET


def list_packs(
    table: Table, *, org_id: str, filters: Filters, limit: int, position: Position | None = None
) -> Page:
    """Return a page of the packs that an organisation can see, those being deleted included.

    Args:
        table: The table.
        org_id: The organisation that asks.
        filters: Which packs it asks for.
        limit: The most packs to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    names = filters.names
    if filters.excludes_all or names is None:
        return Page(packs=(), next_position=None)
    partitions = _partitions(org_id, owned=filters.owned if filters.only is None else True)
    condition, values = _filter(org_id, filters)
    low, high = listing_range(names, position)
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
    # The merge needs the first items of every stream, so the first queries run in parallel.
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
    """Return the filter expression, or None without filters, and the values of its placeholders."""
    clauses: dict[str, tuple[str, str]] = {}
    if filters.owned is False:
        clauses["org_id <> :org_id"] = (":org_id", org_id)
    if filters.tier is not None:
        clauses["tier = :tier"] = (":tier", filters.tier.value)
    if filters.category is not None:
        clauses["category = :category"] = (":category", filters.category)
    if filters.updated_after_text is not None:
        clauses["updated_at > :updated_after"] = (":updated_after", filters.updated_after_text)
    return " AND ".join(clauses) or None, dict(clauses.values())


def _stream(table: Table, query: Query, page: QueryPage, meter: _Meter) -> Iterator[_Entry]:
    """Yield a partition's packs. Before each further query, yield a mark where the page may end instead."""
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
    """Return the first packs of the merged streams, and the next position if there may be more."""
    packs: list[Pack] = []
    characters = 0
    last = ""
    for entry in entries:
        full = len(packs) == limit or characters >= PAGE_CHARACTERS
        if entry.pack is None:
            if full or meter.is_exhausted:
                return Page(packs=tuple(packs), next_position=Position(entry.sort_key))
        # A pack whose visibility has just changed can be in two streams, because each index is updated on its own.
        elif entry.sort_key != last:
            if full:
                return Page(packs=tuple(packs), next_position=Position(last))
            packs.append(entry.pack)
            characters += len(entry.pack.capabilities or "")
        last = entry.sort_key
    return Page(packs=tuple(packs), next_position=None)
