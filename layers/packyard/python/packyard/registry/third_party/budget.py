"""How long one read from registries may take, counted where the waiting happens: at the socket."""

from collections.abc import Callable
from typing import Final

_SILENCE_SECONDS: Final = 8.0


class Budget:
    """The time for one read as a whole, whatever the number of requests and however slowly bytes come.

    Args:
        monotonic: Seconds on a clock that never goes back.
        seconds: For everything.
        silence_seconds: For the other side to send or to take anything at all.
    """

    def __init__(
        self, *, monotonic: Callable[[], float], seconds: float, silence_seconds: float = _SILENCE_SECONDS
    ) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds
        self._silence_seconds = silence_seconds

    def seconds_allowed(self) -> float:
        """Return how many seconds to wait for the next thing to happen.

        Raises:
            TimeoutError: None are left.
        """
        left = self._ends - self._monotonic()
        if left <= 0:
            raise TimeoutError("the time for this read has passed")
        return min(left, self._silence_seconds)
