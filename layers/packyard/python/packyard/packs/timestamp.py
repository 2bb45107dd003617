"""Instants as text: RFC 3339, UTC, milliseconds, `Z`. Equal lengths, so that they sort as they stand."""

from datetime import UTC, datetime


def format_timestamp(instant: datetime) -> str:
    """Return an aware instant as `2026-01-02T03:04:05.678Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Return the instant that `format_timestamp` wrote.

    Raises:
        ValueError: `text` is not a timestamp.
    """
    return datetime.fromisoformat(text)
