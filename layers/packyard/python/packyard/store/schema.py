"""Which form stored items have, so that code never misreads what a later release has written (decision 72)."""

from collections.abc import Mapping
from typing import Any, Final

from packyard.errors import ServiceUnavailable

# The attribute that states an item's form. Items without it have form 1, which is all that there is so far.
ATTRIBUTE: Final = "schema"
FIRST: Final = 1
NEWEST_READABLE: Final = 1


def require_readable(item: Mapping[str, Any]) -> None:
    """Check that this code knows an item's form.

    Args:
        item: As it was read. A projection without the attribute counts as form 1.

    Raises:
        ServiceUnavailable: A later release has written it: while releases change, a repeat may reach one that reads it.
    """
    form = item.get(ATTRIBUTE, FIRST)
    if form > NEWEST_READABLE:
        unreadable = ServiceUnavailable()
        unreadable.add_note(
            f"An item has schema {form}, and this release reads up to {NEWEST_READABLE}: go back to the later release."
        )
        raise unreadable
