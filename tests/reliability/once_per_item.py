"""What is made of an item of the table, once: invariants look at the same items again and again.

`tests.table_rows` gives the same dictionary for the same item each time, and nobody changes it. Another item is another
dictionary.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from packyard.store.wire import Item

Made = TypeVar("Made")
_MOST = 20_000


def once_per_item(make: Callable[[Item], Made]) -> Callable[[Item], Made]:
    """Return what `make` returns, remembered for each item."""
    # With the item, so that no other one gets its identity meanwhile.
    made: dict[int, tuple[Item, Any]] = {}

    @wraps(make)
    def remembered(item: Item) -> Made:
        known = made.get(id(item))
        if known is None:
            if len(made) >= _MOST:
                made.clear()
            known = made[id(item)] = item, make(item)
        result: Made = known[1]
        return result

    return remembered
