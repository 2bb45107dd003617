"""Searches: one page of the packs that have some words, of those that an organisation can see, best first.

The rarest word of the query leads: the index names the packs that have it, in the order of `store/search_index.py`, and
each pack's row says whether the pack has the other words, passes the filters, and may be seen. So what a page reads
depends on how many packs have the leading word, and not on the size of the table. The last word counts by its start.

A pack may have several words with one start. It is shown at the first of its places, and passed over at the others.
Rows and index are read eventually consistently, usually within a second.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, islice
from typing import Final

from packyard.packs.pack import Pack
from packyard.packs.search_words import Wanted
from packyard.store.cursor import Position
from packyard.store.keys import pack_key, search_partition
from packyard.store.listing import PAGE_CHARACTERS, Filters, Page
from packyard.store.pack_items import from_item
from packyard.store.search_index import COMMUNITY, RANKS, best_key, row_places
from packyard.store.table import Item, Query, QueryPage, Table

# How many items of the index one query reads. 100 take about 12 KB, which is two read units.
_ITEMS_EACH: Final = 100
# After comparing this many rows, a page ends, however few of them have matched.
_ROW_BUDGET: Final = 300
# How many rows are read at once, at least and at most (API_BatchGetItem).
_LEAST_ROWS: Final = 25
_MOST_ROWS: Final = 100
# No more than the SDK's pool has connections.
_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class _Lead:
    """A word of the query that leads, and the queries that find its items.

    Attributes:
        number: Its place in the query, from 0.
        word: The word.
        whole: Whether it is a whole word; otherwise the start of one.
    """

    number: int
    word: str
    whole: bool

    def queries(self, parts: Sequence[str], after: str | None) -> list[Query]:
        """Return the queries of this word: for each part of the index and each rank."""
        low_end, high_end = ("#", "#~") if self.whole else ("", "\U0010ffff")
        queries = []
        for part in parts:
            for rank in RANKS:
                low, high = f"{rank}{self.word}{low_end}", f"{rank}{self.word}{high_end}"
                # All ids have the same length, so no key is the beginning of another one.
                start = low if after is None else max(low, f"{after}!")
                if start <= high:
                    queries.append(_query(search_partition(part, self.word), start, high))
        return queries


def search_packs(  # noqa: PLR0913 - by name: who asks, and for what
    table: Table, *, org_id: str, filters: Filters, wanted: Wanted, limit: int, position: Position | None
) -> Page:
    """Return a page of the packs that have the wanted words, best first, those being deleted included.

    Args:
        table: The table.
        org_id: The organisation that asks.
        filters: Which packs it asks for, apart from the words. They are not for a caller of one pack.
        wanted: The words.
        limit: The most packs to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.

    Returns:
        The page. There may be few packs on it, or none, although more pages follow.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    parts = {True: [org_id], False: [COMMUNITY], None: [org_id, COMMUNITY]}[filters.owned]
    leads = [
        _Lead(number, word, whole=number < len(wanted.whole)) for number, word in enumerate(wanted.words)
    ]
    after = None
    if position is not None:
        leads, after = [leads[int(position[0])]], position[1:]
    queries = {lead: lead.queries(parts, after) for lead in leads}
    asked = [query for of_lead in queries.values() for query in of_lead]
    if not asked:
        return Page(packs=(), next_position=None)
    # The merge needs the first items of every stream, so the first queries run in parallel.
    with ThreadPoolExecutor(min(len(asked), _AT_ONCE)) as pool:
        first = dict(zip(map(id, asked), pool.map(table.query, asked), strict=True))

    def is_common(lead: _Lead) -> tuple[bool, int]:
        pages = [first[id(query)] for query in queries[lead]]
        return any(page.last_key is not None for page in pages), sum(page.read for page in pages)

    lead = min(leads, key=is_common)
    streams = [_keys(table, query, first[id(query)]) for query in queries[lead]]
    # The same pack stands at the same key in both parts of the index.
    keys = (key for key, _ in groupby(merge(*streams)))
    return _page(table, keys, limit, _Match(org_id=org_id, filters=filters, wanted=wanted, lead=lead))


def _query(partition: str, low: str, high: str) -> Query:
    return Query(
        condition="PK = :partition AND SK BETWEEN :low AND :high",
        projection="SK",
        values={":partition": partition, ":low": low, ":high": high},
        limit=_ITEMS_EACH,
        eventually=True,
    )


def _keys(table: Table, query: Query, page: QueryPage) -> Iterator[str]:
    while True:
        yield from (item["SK"] for item in page.items)
        if page.last_key is None:
            return
        page = table.query(query, start=page.last_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """What is asked for."""

    org_id: str
    filters: Filters
    wanted: Wanted
    lead: _Lead

    def shows(self, key: str, row: Item | None) -> bool:
        """Return whether the search shows a pack at a key of the index.

        Args:
            key: The key.
            row: The pack's row; None if there is none any more.
        """
        if row is None or not self._passes(row):
            return False
        places = row_places(row)
        at = best_key(places, self.lead.word, row, whole=self.lead.whole)
        return at == key and self.wanted.matches(places)

    def _passes(self, row: Item) -> bool:
        filters, own = self.filters, row["org_id"] == self.org_id
        # A pack is found where it is listed.
        return (
            ("GSI1PK" in row if own else "GSI2PK" in row)
            and filters.owned in (None, own)
            and filters.tier in (None, row["tier"])
            and filters.category in (None, row.get("category"))
            and filters.name in (None, row["name"])
            and row["updated_at"] > (filters.updated_after_text or "")
            and row["name"].startswith(filters.name_prefix)
        )


def _page(table: Table, keys: Iterator[str], limit: int, match: _Match) -> Page:
    """Return the first packs whose rows match, and the next position if there may be more."""
    packs: list[Pack] = []
    looked, characters, last = 0, 0, ""
    while batch := list(islice(keys, min(_MOST_ROWS, max(_LEAST_ROWS, limit - len(packs) + 1)))):
        rows = _rows(table, batch)
        for key in batch:
            row = rows.get(_pack_id(key))
            if match.shows(key, row):
                if len(packs) == limit or characters >= PAGE_CHARACTERS:
                    return _cut(packs, match, last)
                pack = from_item(row or {})
                packs.append(pack)
                characters += len(pack.capabilities or "")
            last = key
        looked += len(batch)
        if looked >= _ROW_BUDGET:
            return _cut(packs, match, last)
    return Page(packs=tuple(packs), next_position=None)


def _cut(packs: Sequence[Pack], match: _Match, last: str) -> Page:
    return Page(packs=tuple(packs), next_position=Position(f"{match.lead.number}{last}"))


def _rows(table: Table, keys: Sequence[str]) -> dict[str, Item]:
    pack_ids = dict.fromkeys(_pack_id(key) for key in keys)
    items = table.get_many([pack_key(pack_id) for pack_id in pack_ids], eventually=True)
    return {item["id"]: item for item in items}


def _pack_id(key: str) -> str:
    return key.rpartition("#")[2]
