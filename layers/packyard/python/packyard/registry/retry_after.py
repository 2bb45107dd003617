"""How long a registry asks us to wait before the next request: `Retry-After` (RFC 9110, section 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

# Longer waits are cut to this.
_LONGEST_SECONDS: Final = 3600
_MAX_TEXT: Final = 64


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Return how many seconds an answer asks us to wait: 0 to 3,600, or None where it states no readable time.

    A date in `Retry-After` is compared with the answer's own `Date`, so the result does not depend on our clock.

    Args:
        headers: The answer's headers, with case-insensitive names.
    """
    stated = headers.get("Retry-After", "").strip()[:_MAX_TEXT]
    if stated.isascii() and stated.isdecimal():
        return min(int(stated), _LONGEST_SECONDS)
    then, now = _date(stated), _date(headers.get("Date", "")[:_MAX_TEXT])
    if then is None or now is None:
        return None
    return min(max(0, int((then - now).total_seconds())), _LONGEST_SECONDS)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # The zone "-0000" gives a date without a time zone.
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
