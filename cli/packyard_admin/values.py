"""Values of options."""

from datetime import datetime

from packyard_cli.failure import Exit, Failure


def instant(option: str, text: str | None) -> datetime | None:
    """Return an option's instant; None for none.

    Args:
        option: The option, for the message.
        text: What it says, as ISO 8601 with a zone.

    Raises:
        Failure: It is no instant, or has no zone.
    """
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise Failure(
            Exit.USAGE,
            f"{option} {text!r} is not a date with a time and a zone.",
            "Write it as in 2026-12-31T00:00:00Z.",
        )
    return value
