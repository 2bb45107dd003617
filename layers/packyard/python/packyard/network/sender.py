"""Sends one body to one URL that a client has named: webhooks (decision 115)."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    SSLError,
)

from packyard.network.budget import Budget
from packyard.network.guard import Guard, TargetRefused
from packyard.network.guarded_connection import guarded_pool
from packyard.webhooks.delivery import DeliveryError, Outcome

# For one attempt: the lookup of the name apart, whose limit is that of the system's resolver.
TOTAL_SECONDS: Final = 10.0
_USER_AGENT: Final = "packyard-webhooks"
_SUCCESSES: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_MAX_RETRY_AFTER_DIGITS: Final = 6


class TooLittleTime(Exception):
    """Too little of the invocation's time is left for an attempt, so none was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends bodies. Each is sent over a connection of its own, whose host is checked anew.

    Attributes:
        guard: Checks targets and opens connections.
        tls: Returns the TLS context; called only when it is needed.
        monotonic: Returns seconds of a clock that never goes back.
        time_left: Returns the seconds that may still be spent on sending.
        seconds: For how long an attempt may take.
    """

    guard: Guard
    tls: Callable[[], ssl.SSLContext]
    monotonic: Callable[[], float]
    time_left: Callable[[], float]
    seconds: float = TOTAL_SECONDS

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send a POST request and return what came of it. Redirects are not followed; the answer's body is not read.

        Args:
            url: Where to.
            body: JSON.
            headers: In addition to those that say what the body is.

        Raises:
            TooLittleTime: The invocation ends before the attempt could.
        """
        if self.time_left() < self.seconds:
            raise TooLittleTime
        budget = Budget(monotonic=self.monotonic, seconds=self.seconds, silence_seconds=self.seconds)
        try:
            return self._post(url, body, headers, budget)
        except (TargetRefused, NewConnectionError, ConnectTimeoutError):
            return Outcome(error=DeliveryError.UNREACHABLE)
        except SSLError:
            return Outcome(error=DeliveryError.TLS)
        except (HTTPError, OSError):
            return Outcome(error=DeliveryError.NO_ANSWER)

    def _post(self, url: str, body: bytes, headers: Mapping[str, str], budget: Budget) -> Outcome:
        origin, target = self.guard.target_of(url)
        with guarded_pool(origin, guard=self.guard, budget=budget, tls=self.tls) as pool:
            response = pool.request(
                "POST",
                target,
                body=body,
                headers={"Content-Type": "application/json", "User-Agent": _USER_AGENT, **headers},
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=budget.next_timeout(),
            )
            # This closes the connection: what the receiver says beyond its headers is never read.
            response.close()
        return _outcome(response.status, response.headers.get("Retry-After", ""))


def _outcome(status: int, retry_after: str) -> Outcome:
    if status in _SUCCESSES:
        return Outcome(status=status)
    error = DeliveryError.REDIRECT if status in _REDIRECTS else DeliveryError.STATUS
    # RFC 9110, section 10.2.3, also allows a date. A receiver that writes one gets the wait that others get.
    given = retry_after.strip()
    wished = given.isascii() and given.isdigit() and len(given) <= _MAX_RETRY_AFTER_DIGITS
    return Outcome(status=status, error=error, retry_after=timedelta(seconds=int(given)) if wished else None)
