"""When requests are sent: at their own times, whatever has become of those before them.

A client that waits for each answer sends less as soon as a service gets slow, and hides how slow it is. Here the times
are a Poisson process, drawn before anything is sent, and latency counts from when a request was due.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random


def poisson(*, rate: float, seconds: float, randomness: Random) -> Iterator[float]:
    """Yield the seconds, from the start, at which requests are due.

    Args:
        rate: How many a second, on average.
        seconds: When the last one is due, at the latest.
        randomness: The same one gives the same times.
    """
    due = randomness.expovariate(rate)
    while due < seconds:
        yield due
        due += randomness.expovariate(rate)


def send(due_times: Iterable[float], act: Callable[[float], None], *, at_once: int) -> None:
    """Act at each time, and return when all acts have ended.

    Args:
        due_times: Seconds from now, in order.
        act: Takes the instant at which it was due (`time.monotonic`).
        at_once: How many may run at once; those beyond wait, and are late by that much.

    Raises:
        Exception: What an act has raised, once all have ended.
    """
    started = time.monotonic()
    acts: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=at_once) as threads:
        for due in due_times:
            time.sleep(max(0.0, started + due - time.monotonic()))
            acts.append(threads.submit(act, started + due))
    for ended in acts:
        ended.result()
