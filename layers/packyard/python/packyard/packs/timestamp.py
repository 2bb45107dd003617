"""Instants as text: RFC 3339 in UTC with milliseconds and `Z`. All have the same length, so they sort by time."""

from datetime import UTC, datetime


def format_timestamp(instant: datetime) -> str:
    """Return an aware instant as `2026-01-02T03:04:05.678Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Return the instant of a text that `format_timestamp` returned.

    Raises:
        ValueError: `text` is not an ISO 8601 timestamp.
    """
    return datetime.fromisoformat(text)
