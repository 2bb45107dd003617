"""The parameters of a list: how much a page holds, and where the page begins."""

from typing import Final

from packyard.http.fields import Field

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
LIMIT: Final = Field(
    name="limit",
    kind="integer",
    description="The most to answer with.",
    minimum=1,
    maximum=MAX_LIMIT,
    default=DEFAULT_LIMIT,
)
CURSOR: Final = Field(name="cursor", description="The previous page's `next_cursor`.")


def parse_limit(text: str | None, faults: dict[str, str]) -> int:
    """Return the `limit` of a query string, 50 unless given, adding to `faults` when it is not from 1 to 100."""
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT)) else 0
    if not 1 <= limit <= MAX_LIMIT:
        faults[LIMIT.name] = (
            f"must be a whole number from 1 to {MAX_LIMIT}; for more, send the answer's next_cursor as cursor"
        )
    return limit
