"""How much the reliability suite may take: what CI can bear, or everything (`PACKYARD_BUDGET=soak`)."""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

BUDGETS: Final = ("ci", "soak")
BUDGET: Final = os.environ.get("PACKYARD_BUDGET", "ci")
SOAK: Final = BUDGET == "soak"
assert BUDGET in BUDGETS, f"PACKYARD_BUDGET must be one of {BUDGETS}"

T = TypeVar("T")


def of(*, ci: T, soak: T) -> T:
    """Return what goes with the budget."""
    return soak if SOAK else ci


def spread(cases: Sequence[T], *, ci: int) -> list[T]:
    """Return every case when soaking; else `ci` of them at most, evenly spread, the same ones each time."""
    if SOAK or len(cases) <= ci:
        return list(cases)
    return [cases[number * len(cases) // ci] for number in range(ci)]
