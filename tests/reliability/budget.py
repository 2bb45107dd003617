"""How many cases the reliability suite tries: as many as CI has time for, or all (`PACKYARD_BUDGET=soak`)."""

import os
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


def spread(cases: Sequence[T], *, ci: int, soak: int | None = None) -> list[T]:
    """Return at most so many cases, evenly spread, and the same ones each time. None stands for all of them."""
    most = soak if SOAK else ci
    if most is None or len(cases) <= most:
        return list(cases)
    return [cases[number * len(cases) // most] for number in range(most)]
