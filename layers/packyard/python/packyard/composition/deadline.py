"""How long this invocation may still take: the one source of every wait's time limit (decision 70)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# The longest that Lambda lets a function run (Lambda quotas, "Function timeout"). For code that no invocation runs.
LONGEST_SECONDS: Final = 900.0
# For the answer itself, and its line in the log.
ANSWER_SECONDS: Final = 0.5
# One attempt at an AWS call: to connect, and then for AWS to send or to take anything at all.
CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 4.0
# What a wait for a registry leaves: one attempt at the call that commits, and the answer.
COMMIT_SECONDS: Final = CONNECT_SECONDS + READ_SECONDS + ANSWER_SECONDS


@dataclass(slots=True, kw_only=True)
class Deadline:
    """When the present invocation ends. A container has one invocation at a time.

    Attributes:
        monotonic: Seconds on a clock that never goes back.
    """

    monotonic: Callable[[], float] = time.monotonic
    _ends: float | None = None

    def begin(self, seconds: float) -> None:
        """Note that an invocation, or the share of it that one message has, ends in so many seconds."""
        self._ends = self.monotonic() + seconds

    def left(self, *, keep: float = 0.0) -> float:
        """Return the seconds that are left, never less than 0.

        Args:
            keep: Seconds for what has to happen afterwards; they do not count as left.
        """
        if self._ends is None:
            return LONGEST_SECONDS
        return max(0.0, self._ends - self.monotonic() - keep)
