"""How long a registry asks to be left alone: `Retry-After` (RFC 9110, section 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

# What is longer is said to be this long: nobody waits here for a day.
_LONGEST_SECONDS: Final = 3600
_MAX_TEXT: Final = 64


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Return the seconds that an answer asks to wait, at most 3,600; None where it says nothing that can be read.

    A date is compared with the answer's own `Date`, so that nobody's clock has to be right.

    Args:
        headers: Of the answer; their names are case-insensitive.
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
    # "-0000" makes a date that knows no zone.
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
