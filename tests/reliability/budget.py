"""How many cases the reliability suite tries: as many as CI has time for, or all (`PACKYARD_BUDGET=soak`)."""

import os
import zlib
from collections.abc import Sequence
from typing import Final, TypeVar

BUDGETS: Final = ("ci", "soak")
BUDGET: Final = os.environ.get("PACKYARD_BUDGET", "ci")
SOAK: Final = BUDGET == "soak"
assert BUDGET in BUDGETS, f"PACKYARD_BUDGET must be one of {BUDGETS}"

T = TypeVar("T")


def of(*, ci: T, soak: T) -> T:
    """Return the value for the budget."""
    return soak if SOAK else ci


def spread(cases: Sequence[T], *, ci: int, soak: int | None = None, of_whom: str = "") -> list[T]:
    """Return at most so many cases, evenly spread, and the same ones each time.

    Args:
        cases: All that there are.
        ci: How many at most in CI.
        soak: How many at most in a soak; None stands for all of them.
        of_whom: Whose cases they are. Others begin elsewhere, so that together they try every kind.
    """
    most = soak if SOAK else ci
    if most is None or len(cases) <= most:
        return list(cases)
    begin = zlib.crc32(of_whom.encode()) if of_whom else 0
    return [cases[(begin + number * len(cases) // most) % len(cases)] for number in range(most)]
