"""Retention: how many of a pack's newest revisions are kept although no role pins them (API contract, section 7)."""

from typing import Final

# A sweep reads a history's entries up to here, and further ones within its limits.
MAX_KEPT: Final = 10_000


def retention_tag(keep: int | None) -> str:
    """Return the entity tag of a policy, without quotes.

    Args:
        keep: How many revisions are kept; None for all.
    """
    return f"keep-{'all' if keep is None else keep}"
