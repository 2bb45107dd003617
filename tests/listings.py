"""Fills the table with packs and walks through listings of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from botocore.model import OperationModel
from tests.aws import Aws
from tests.packs import ORG

from packyard.packs.pack import Pack
from packyard.packs.search_words import parse_search
from packyard.store.cursor import Position
from packyard.store.listing import Filters, Page, list_packs
from packyard.store.pack_items import to_item
from packyard.store.search import search_packs
from packyard.store.search_index import index_row
from packyard.store.table import Put


class Reads:
    """Counts what a table's queries read.

    Attributes:
        calls: How many there were.
        items: How many items they evaluated.
    """

    def __init__(self, aws: Aws) -> None:
        self.calls = 0
        self.items = 0
        aws.dynamodb.meta.events.register("after-call.dynamodb.Query", self._count)

    def reset(self) -> None:
        """Count from nothing."""
        self.calls = self.items = 0

    def _count(self, parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
        assert model.name == "Query"
        self.calls += 1
        self.items += parsed["ScannedCount"]


def store(aws: Aws, packs: Iterable[Pack]) -> None:
    """Write rows as they are, past the names and histories that go with them."""
    for pack in packs:
        aws.table.put(Put(item=to_item(pack), condition="attribute_not_exists(PK)"))


def pages(aws: Aws, *, limit: int, filters: Filters | None = None) -> list[Page]:
    """Return all pages of a listing for `ORG`."""
    wanted = filters or Filters()
    found = [list_packs(aws.table, org_id=ORG, filters=wanted, limit=limit)]
    while (position := found[-1].next_position) is not None:
        found.append(list_packs(aws.table, org_id=ORG, filters=wanted, limit=limit, position=position))
        assert len(found) < 200, "a listing must come to an end"
    return found


def listed(aws: Aws, *, limit: int = 50, **filters: Any) -> list[str]:
    """Return the ids of a whole listing for `ORG`, in its order."""
    found = pages(aws, limit=limit, filters=Filters(**filters))
    return [pack.id for page in found for pack in page.packs]


def in_order(packs: Iterable[Pack]) -> list[str]:
    """Return the ids of packs in the order of listings."""
    return [pack.id for pack in sorted(packs, key=lambda pack: (pack.name, pack.id))]


def store_indexed(aws: Aws, packs: Sequence[Pack]) -> None:
    """Write rows as `store` does, and let the index of words say what they say."""
    store(aws, packs)
    for pack in packs:
        index_row(aws.table, {}, to_item(pack))


def searches(aws: Aws, query: str, *, limit: int = 100, org_id: str = ORG, **filters: Any) -> list[Page]:
    """Return all pages of a search."""
    wanted, asked = parse_search(query), Filters(**filters)

    def page(position: Position | None = None) -> Page:
        return search_packs(
            aws.table, org_id=org_id, filters=asked, wanted=wanted, limit=limit, position=position
        )

    found = [page()]
    while found[-1].next_position is not None:
        found.append(page(found[-1].next_position))
        assert len(found) < 200, "a search must come to an end"
    return found


def found_ids(aws: Aws, query: str, **more: Any) -> list[str]:
    """Return the ids of what a whole search finds, in its order."""
    return [pack.id for page in searches(aws, query, **more) for pack in page.packs]
