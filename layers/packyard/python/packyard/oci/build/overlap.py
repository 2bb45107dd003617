"""Work on other threads while this one goes on: in order, and never further ahead than memory allows.

It pays where work is done outside the interpreter's lock: isal and hashlib let go of it for all but small pieces.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Calls that wait, are under way, or are done and not yet asked for.
_AHEAD = 4


class Overlap(Generic[Result]):
    """Calls that an executor makes, a few at most at a time.

    Args:
        threads: Makes the calls.
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._calls: deque[Future[Result]] = deque()

    def start(self, work: Callable[[Item], Result], item: Item) -> list[Result]:
        """Have `work(item)` done some time; return what has come of the oldest call, once there are too many.

        Raises:
            Exception: Whatever that call raised.
        """
        self._calls.append(self._threads.submit(work, item))
        return [self._calls.popleft().result()] if len(self._calls) > _AHEAD else []

    def finish(self) -> Iterator[Result]:
        """Yield what comes of the calls that are left, in order.

        Raises:
            Exception: Whatever one of them raised.
        """
        while self._calls:
            yield self._calls.popleft().result()


def mapped_ahead(
    threads: Executor, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in order, while the next ones are worked on; a single one needs no thread."""
    overlap: Overlap[Result] = Overlap(threads)
    last: list[Item] = []
    for item in items:
        for earlier in last:
            yield from overlap.start(work, earlier)
        last = [item]
    yield from overlap.finish()
    yield from map(work, last)
