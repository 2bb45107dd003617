"""Instants that clients state: RFC 3339, with an offset."""

import re
from datetime import UTC, datetime
from typing import Final

PATTERN: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
EXAMPLE: Final = "2027-01-31T00:00:00Z"
FAULT: Final = f'must be an instant with its offset (RFC 3339), as in "{EXAMPLE}"'
_FORM: Final = re.compile(PATTERN)


def parse_instant(value: object) -> datetime | None:
    """Return the instant that a value states, in UTC; None if it is no text of this form, or there is no such instant.

    Args:
        value: From a query or a body. Python takes other forms of ISO 8601 too, which clients might read differently.
    """
    if not isinstance(value, str) or _FORM.fullmatch(value) is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
