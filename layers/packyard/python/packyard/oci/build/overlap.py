"""Running calls on other threads. Results come in order, and few calls are pending at a time, to limit memory.

This is faster only for calls that release the global interpreter lock, as isal and hashlib do except for small inputs.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Enough for two threads.
_AHEAD = 4


class Overlap(Generic[Result]):
    """Pending calls on an executor, at most a few at a time.

    Args:
        threads: Runs the calls.
        ahead: The most calls that are waiting, running, or done without their result having been fetched.
    """

    def __init__(self, threads: Executor, *, ahead: int = _AHEAD) -> None:
        self._threads = threads
        self._ahead = ahead
        self._calls: deque[Future[Result]] = deque()

    def start(self, work: Callable[[Item], Result], item: Item) -> list[Result]:
        """Submit `work(item)`. If too many calls are pending, wait for the oldest one and return its result in a list.

        Raises:
            Exception: The exception of that call.
        """
        self._calls.append(self._threads.submit(work, item))
        return [self._calls.popleft().result()] if len(self._calls) > self._ahead else []

    def finish(self) -> Iterator[Result]:
        """Yield the results of all pending calls, in order.

        Raises:
            Exception: The exception of one of them.
        """
        while self._calls:
            yield self._calls.popleft().result()


def mapped_ahead(
    threads: Executor, work: Callable[[Item], Result], items: Iterable[Item], *, ahead: int = _AHEAD
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in order, while the next calls run on other threads.

    The last call runs on this thread, so a single item needs no other thread.

    Args:
        threads: Runs the calls.
        work: What to call.
        items: Taken on this thread, a few ahead of what is asked for.
        ahead: As for `Overlap`.
    """
    overlap: Overlap[Result] = Overlap(threads, ahead=ahead)
    last: list[Item] = []
    for item in items:
        for earlier in last:
            yield from overlap.start(work, earlier)
        last = [item]
    yield from overlap.finish()
    yield from map(work, last)


def taken_ahead(items: Iterator[Item], *, ahead: int = _AHEAD) -> Generator[Item]:
    """Yield items while another thread takes the next ones. That thread has ended when this is closed.

    Args:
        items: What it raises is raised here, after the items before it.
        ahead: As for `Overlap`.
    """

    def take(_: None) -> list[Item]:
        return list(islice(items, 1))

    thread = ThreadPoolExecutor(max_workers=1)
    try:
        overlap: Overlap[list[Item]] = Overlap(thread, ahead=ahead)
        while True:
            for taken in overlap.start(take, None):
                if not taken:
                    return
                yield from taken
    finally:
        thread.shutdown(cancel_futures=True)
