"""The result of a load: its figures, and every broken promise."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from load.faults import Faults
from load.journal import NO_ANSWER, SERVER_ERROR, Entry, Journal
from load.memory import Memory

_SLICE_SECONDS = 10
_MEMORY_WINDOW_SECONDS = 60.0
# This many of one kind are enough to see what is wrong.
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A load's outcome.

    Attributes:
        results: The figures.
        over_time: The chart's data: latency and errors for each 10 s, memory.
        broken: What is wrong, in words; empty if nothing is.
    """

    results: dict[str, Any]
    over_time: dict[str, Any]
    broken: list[str]


def outcome(  # noqa: PLR0913 - everything that was recorded
    *,
    seconds: float,
    rate: float,
    journal: Journal,
    faults: Faults,
    memory: Memory,
    breaches: Sequence[str],
    delivered: int,
    unconfirmed: int,
) -> Outcome:
    """Return the result of a load.

    Args:
        seconds: How long requests were sent.
        rate: Requests per second.
        journal: The requests.
        faults: The injected faults.
        memory: The memory over time.
        breaches: Broken invariants.
        delivered: How many events arrived at webhooks.
        unconfirmed: How many writes were carried out although their client was answered 5xx.
    """
    held = memory.first_and_last(window=min(_MEMORY_WINDOW_SECONDS, seconds / 4))
    latencies = sorted(entry.seconds for entry in journal.entries)
    kinds: Counter[str] = Counter()
    for (_, kind), times in faults.injected.items():
        kinds[kind.value] += times
    grown = [f"{process} has grown from {a} to {b} MB" for process, (a, b) in held["grown"].items()]
    results = {
        "duration_s": seconds,
        "rate_per_s": rate,
        "requests": len(journal.entries),
        "by_status": journal.by_status(),
        "by_operation": dict(sorted(Counter(entry.operation for entry in journal.entries).items())),
        "aws_calls": faults.calls,
        "faults_injected": faults.injected.total(),
        "faults_by_kind": dict(sorted(kinds.items())),
        "p50_ms": _percentile(latencies, 50),
        "p95_ms": _percentile(latencies, 95),
        "p99_ms": _percentile(latencies, 99),
        "memory_mb": held,
        "writes_made_but_answered_5xx": unconfirmed,
        "events_delivered": delivered,
        "invariants": "broken" if breaches else "hold",
        "undocumented_answers": len(journal.undocumented),
    }
    return Outcome(
        results=results,
        over_time={"requests": _slices(journal.entries), "memory": memory.over_time()},
        broken=[*breaches[:_SHOWN], *journal.undocumented[:_SHOWN], *grown],
    )


def _slices(entries: Sequence[Entry]) -> list[dict[str, float]]:
    slices: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        slices[int(entry.at // _SLICE_SECONDS)].append(entry)
    return [
        {
            "at": number * _SLICE_SECONDS,
            "p50_ms": _percentile(sorted(entry.seconds for entry in part), 50),
            "p95_ms": _percentile(sorted(entry.seconds for entry in part), 95),
            "errors": sum(entry.status >= SERVER_ERROR or entry.status == NO_ANSWER for entry in part),
        }
        for number, part in sorted(slices.items())
    ]


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the percentile by nearest rank, in milliseconds."""
    if not ordered:
        return 0.0
    return round(ordered[math.ceil(len(ordered) * percent / 100) - 1] * 1000, 1)
