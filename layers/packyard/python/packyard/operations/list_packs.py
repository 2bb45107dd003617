"""Listing the packs that a caller can see: all of them by name, or those that have some words, best first."""

from dataclasses import replace

from packyard.store.cursor import Position
from packyard.store.listing import Filters, Page, list_packs
from packyard.store.pack_items import to_item
from packyard.store.table import Table


def load_search() -> None:
    """Load what searches need, before a snapshot is taken."""
    import packyard.store.search  # noqa: F401, PLC0415


def list_visible(
    table: Table, *, org_id: str, filters: Filters, limit: int, position: Position | None = None
) -> Page:
    """Return a page of the packs that an organisation can see.

    Args:
        table: The table.
        org_id: The organisation that asks.
        filters: Which packs it asks for.
        limit: The most packs to return, 1 to 100.
        position: The previous page's `next_position`; None for the first page.

    Raises:
        ServiceUnavailable: DynamoDB did not answer.
    """
    wanted = filters.search
    if wanted is not None and filters.only is None:
        # Most listings search nothing.
        from packyard.store.search import search_packs  # noqa: PLC0415

        return search_packs(
            table, org_id=org_id, filters=filters, wanted=wanted, limit=limit, position=position
        )
    page = list_packs(table, org_id=org_id, filters=filters, limit=limit, position=position)
    if wanted is None:
        return page
    # A caller of one pack sees that pack at most, which needs no index.
    from packyard.store.search_index import row_places  # noqa: PLC0415

    return replace(
        page, packs=tuple(pack for pack in page.packs if wanted.matches(row_places(to_item(pack))))
    )
