"""Running calls on other threads. Results come in order, and few calls are pending at a time, to limit memory.

This is faster only for calls that release the global interpreter lock, as isal and hashlib do except for small inputs.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# The most calls that are waiting, running, or done without their result having been fetched.
_AHEAD = 4


class Overlap(Generic[Result]):
    """Pending calls on an executor, at most a few at a time.

    Args:
        threads: Runs the calls.
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._calls: deque[Future[Result]] = deque()

    def start(self, work: Callable[[Item], Result], item: Item) -> list[Result]:
        """Submit `work(item)`. If too many calls are pending, wait for the oldest one and return its result in a list.

        Raises:
            Exception: The exception of that call.
        """
        self._calls.append(self._threads.submit(work, item))
        return [self._calls.popleft().result()] if len(self._calls) > _AHEAD else []

    def finish(self) -> Iterator[Result]:
        """Yield the results of all pending calls, in order.

        Raises:
            Exception: The exception of one of them.
        """
        while self._calls:
            yield self._calls.popleft().result()


def mapped_ahead(
    threads: Executor, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in order, while the next calls run on other threads.

    The last call runs on this thread, so a single item needs no other thread.
    """
    overlap: Overlap[Result] = Overlap(threads)
    last: list[Item] = []
    for item in items:
        for earlier in last:
            yield from overlap.start(work, earlier)
        last = [item]
    yield from overlap.finish()
    yield from map(work, last)
