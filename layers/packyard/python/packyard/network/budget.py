"""The time limit of one read from registries, enforced at each wait on a socket."""

from collections.abc import Callable
from typing import Final

_SILENCE_SECONDS: Final = 8.0


class Budget:
    """The time limit of one read as a whole, independent of the number of requests and the pace of the answers.

    Args:
        monotonic: Returns seconds of a clock that never goes back.
        seconds: The limit for the whole read, from now on.
        silence_seconds: The limit for a single wait, in which the other side sends or accepts nothing.
    """

    def __init__(
        self, *, monotonic: Callable[[], float], seconds: float, silence_seconds: float = _SILENCE_SECONDS
    ) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds
        self._silence_seconds = silence_seconds

    def next_timeout(self) -> float:
        """Return how many seconds the next wait may take.

        Raises:
            TimeoutError: The time is used up.
        """
        left = self._ends - self._monotonic()
        if left <= 0:
            raise TimeoutError("the time for this read has passed")
        return min(left, self._silence_seconds)
