"""A value that is read from elsewhere when it is first needed, and again when it is too old."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class CachedValue(Generic[T]):
    """Keeps what `load` returned last.

    Args:
        load: Reads the value. What it raises reaches the caller, and the next caller reads again.
        clock: The time, UTC.
    """

    def __init__(self, *, load: Callable[[], T], clock: Callable[[], datetime]) -> None:
        self._load = load
        self._clock = clock
        # The time of the last reading, and what it gave.
        self._read: tuple[datetime, T] | None = None

    def get(self, *, max_age: timedelta) -> T:
        """Return the value, read anew if it was read `max_age` ago or earlier."""
        now = self._clock()
        if self._read is None or now - self._read[0] >= max_age:
            self._read = now, self._load()
        return self._read[1]
