"""When requests are sent: at fixed times, regardless of the requests before them.

A client that waits for each answer sends fewer requests when the service gets slow, and so hides the slowness. Here the
times are a Poisson process, drawn before anything is sent, and latency counts from when a request was due.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random


def poisson(*, rate: float, seconds: float, randomness: Random) -> Iterator[float]:
    """Yield the seconds, from the start, at which requests are due.

    Args:
        rate: Requests per second, on average.
        seconds: When the last request is due, at the latest.
        randomness: The same state gives the same times.
    """
    due = randomness.expovariate(rate)
    while due < seconds:
        yield due
        due += randomness.expovariate(rate)


def send(due_times: Iterable[float], act: Callable[[float], None], *, at_once: int) -> None:
    """Call `act` at each time, and return when all calls have ended.

    Args:
        due_times: Seconds from now, in order.
        act: Takes the instant at which it was due (`time.monotonic`).
        at_once: How many may run at once. Further ones wait, and are late by that time.

    Raises:
        Exception: What a call has raised, once all have ended.
    """
    started = time.monotonic()
    acts: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=at_once) as threads:
        for due in due_times:
            time.sleep(max(0.0, started + due - time.monotonic()))
            acts.append(threads.submit(act, started + due))
    for ended in acts:
        ended.result()
