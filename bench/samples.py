"""Several measurements of one thing: their median, and how far they lie apart."""

import statistics
from collections.abc import Callable, Mapping, Sequence


def summary(samples: Sequence[float]) -> str:
    """Return the median of some seconds and their spread, for people."""
    return f"{statistics.median(samples):8.3f} s  ({min(samples):.3f} … {max(samples):.3f})"


def taken_in_turn(contenders: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, list[float]]:
    """Measure everybody once, then everybody again: what slows the machine for a while slows them all.

    Args:
        contenders: Each measures itself once, in any unit.
        rounds: How often everybody comes up.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            taken[name].append(contender())
    return taken
