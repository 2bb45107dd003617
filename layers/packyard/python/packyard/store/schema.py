"""The schema version of stored items, so that a release never misreads what a later one has written (decision 72)."""

from collections.abc import Mapping
from typing import Any, Final

from packyard.errors import ServiceUnavailable

# The attribute that states an item's schema version. Items without it have version 1.
ATTRIBUTE: Final = "schema"
FIRST: Final = 1
# Of uploads of a kind that the first version does not have (decision 78).
WITH_UPLOAD_KINDS: Final = 2
# Of keys made through the API, and of uploads that a key for one pack has started (decision 92).
WITH_NARROWED_KEYS: Final = 3
# Of uploads that are dry runs (decision 93).
WITH_DRY_RUNS: Final = 4
NEWEST_READABLE: Final = 4


def require_readable(item: Mapping[str, Any]) -> None:
    """Check that this release can read an item.

    Args:
        item: The item as it was read. A projection without the attribute counts as version 1.

    Raises:
        ServiceUnavailable: A later release has written the item. During a deployment, a repeated request may reach a
            function of that release.
    """
    version = item.get(ATTRIBUTE, FIRST)
    if version > NEWEST_READABLE:
        unreadable = ServiceUnavailable()
        unreadable.add_note(
            f"An item has schema {version}, but this release reads only up to {NEWEST_READABLE}. "
            "Deploy the later release again."
        )
        raise unreadable
