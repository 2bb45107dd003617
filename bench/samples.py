"""Several measurements of one thing: their median and spread."""

import statistics
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def summary(samples: Sequence[float]) -> str:
    """Return the median and the spread of some seconds as text."""
    return f"{statistics.median(samples):8.3f} s  ({min(samples):.3f} … {max(samples):.3f})"


def p95(samples: Sequence[float]) -> float:
    """Return what all but a twentieth of the samples do not exceed, of two or more."""
    return statistics.quantiles(samples, n=20)[-1]


def taken_in_turn(contenders: Mapping[Name, Callable[[], float]], *, rounds: int) -> dict[Name, list[float]]:
    """Measure all contenders in turn, so that a temporary slowdown of the machine affects all of them.

    Args:
        contenders: Each measures itself once, in any unit.
        rounds: How often each is measured.
    """
    taken: dict[Name, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            taken[name].append(contender())
    return taken
