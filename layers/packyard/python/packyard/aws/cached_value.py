"""A value that is loaded when it is first needed, and again when it is too old."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


class CachedValue(Generic[T]):
    """Caches the last value that `load` returned.

    Args:
        load: Loads the value. Its exceptions are passed on to the caller of `get`, and the next call loads again.
        clock: Returns the current time, in UTC.
    """

    def __init__(self, *, load: Callable[[], T], clock: Callable[[], datetime]) -> None:
        self._load = load
        self._clock = clock
        # When the value was loaded, and the value.
        self._loaded: tuple[datetime, T] | None = None

    def get(self, *, max_age: timedelta) -> T:
        """Return the value. Load it first if it was never loaded, or `max_age` ago or earlier."""
        now = self._clock()
        if self._loaded is None or now - self._loaded[0] >= max_age:
            self._loaded = now, self._load()
        return self._loaded[1]
