"""The present invocation: how long it may still take, and which request and which run of CI it is for.

Every wait gets its limit from here (decision 70), and every event its request's id and its run of CI.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

# The longest time of a function (Lambda quotas, "Function timeout"). For code that runs outside of an invocation.
LONGEST_SECONDS: Final = 900.0
# Seconds for the answer and its log line.
ANSWER_SECONDS: Final = 0.5
# Seconds of one attempt at an AWS call: to connect, and then to wait for bytes to be sent or taken.
CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 4.0
# Seconds that a scan's answer is waited for: the function's start with its rules, and one request's scan.
SCAN_SECONDS: Final = 8.0
# Seconds that a wait for a registry leaves over: one attempt at the call that commits, and the answer.
COMMIT_SECONDS: Final = CONNECT_SECONDS + READ_SECONDS + ANSWER_SECONDS


@dataclass(slots=True, kw_only=True)
class Deadline:
    """When the present invocation ends, and for which request it is. A container has one invocation at a time.

    Attributes:
        monotonic: Returns seconds, from a clock that never goes back.
        request_id: The request that the invocation is for; empty before the first one.
        ci: What is known of the run of CI that it is for; empty if it is for none.
        source: Where its sender says that the content comes from; empty if it does not say.
    """

    monotonic: Callable[[], float] = time.monotonic
    request_id: str = ""
    ci: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    _ends: float | None = None

    def begin(
        self, seconds: float, request_id: str = "", ci: Mapping[str, str] | None = None, source: str = ""
    ) -> None:
        """Let an invocation, or a message's share of one, end in so many seconds.

        Args:
            seconds: How long it may take.
            request_id: The request, or the background invocation, that it is for.
            ci: The run of CI that it is for; None for none.
            source: Where its sender says that the content comes from; empty for nothing.
        """
        self._ends = self.monotonic() + seconds
        self.request_id = request_id
        self.ci = ci or {}
        self.source = source

    def goes_on_with(self, request_id: str, ci: Mapping[str, str], source: str) -> None:
        """Say that the invocation goes on with what an earlier request has asked for, until the next one begins.

        Args:
            request_id: That request; empty if it is not known, which changes nothing.
            ci: The run of CI that made it; empty for none.
            source: Where its sender said that the content comes from; empty for nothing.
        """
        self.request_id = request_id or self.request_id
        self.ci = ci
        self.source = source

    def left(self, *, keep: float = 0.0) -> float:
        """Return the seconds that are left, at least 0.

        Args:
            keep: Seconds to leave over for what has to happen afterwards.
        """
        if self._ends is None:
            return LONGEST_SECONDS
        return max(0.0, self._ends - self.monotonic() - keep)
