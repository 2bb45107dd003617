"""What goes wrong between the functions of the local stack and what they call: refusals, cut connections, delays.

It happens in a proxy, since the functions run in processes of their own; in one process `tests/engine/` does the same.
The SDK's retries hide most single faults, so some faults last: all further attempts of the same call fail too. Botocore
names a call by `amz-sdk-invocation-id`, which is the same in each attempt. For a request to a registry, its method and
path are the name.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from random import Random
from typing import Final

from local.proxy import PassOn, Received, Sent, proxied
from tests.engine.refusals import REGISTRY, SERVICES, Fault, refusal

# The persistent share of all faults. Our clients make at most three further attempts.
STUBBORN: Final = 0.1
_FURTHER_ATTEMPTS: Final = 3
_DELAY_SECONDS: Final = (0.3, 3.0)
_SCOPE: Final = re.compile(r"Credential=[^/,]+/\d{8}/[^/,]+/([a-z0-9-]+)/aws4_request")
# What can go wrong at a connection between a function and what it calls.
FAULTS: Final = (Fault.THROTTLED, Fault.ERROR, Fault.UNAVAILABLE, Fault.RESET, Fault.LOST, Fault.SLOW)


@dataclass
class Faults:
    """Decides which calls fail, and counts them.

    Attributes:
        share: The share of calls that begin to fail; none while it is 0.
        randomness: The random generator.
        url: The URL that functions call instead of AWS.
        calls: How many calls there have been while something could fail.
        injected: How many failed, by service and fault.
    """

    share: float
    randomness: Random
    url: str = ""
    calls: int = 0
    injected: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    _stubborn: dict[str, tuple[Fault, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, service: str, call: str) -> Fault | None:
        """Return how an attempt at a call fails, or None.

        Args:
            service: The service that it is sent to.
            call: The identity that its further attempts share.
        """
        with self._lock:
            if not self.share:
                return None
            self.calls += 1
            fault, left = self._stubborn.pop(call, (None, 0))
            if fault is None:
                if self.randomness.random() >= self.share:
                    return None
                fault = self.randomness.choice(FAULTS)
                left = _FURTHER_ATTEMPTS if self.randomness.random() < STUBBORN else 0
            elif left > 1:
                left -= 1
            else:
                left = 0
            if left:
                self._stubborn[call] = fault, left
            self.injected[service, fault] += 1
            return fault

    def stand_between(self, request: Sent, pass_on: PassOn) -> Received | None:
        """Forward a request, or fail it. None closes the connection."""
        service = service_of(request)
        if service is None:
            return pass_on(request)
        call = request.headers.get("amz-sdk-invocation-id") or f"{request.method} {request.path}"
        match self.draw(service, call):
            case None:
                return pass_on(request)
            case Fault.RESET:
                return None
            case Fault.LOST:
                pass_on(request)
                return None
            case Fault.SLOW:
                time.sleep(self.randomness.uniform(*_DELAY_SECONDS))
                return pass_on(request)
            case fault:
                return refused(service, fault, head=request.method == "HEAD")


@contextmanager
def failing(port: int, faults: Faults) -> Iterator[None]:
    """Inject the faults in front of 127.0.0.1:`port` while the block lasts."""
    with proxied(port, faults.stand_between) as faults.url:
        yield


def service_of(request: Sent) -> str | None:
    """Return which service a function calls; None for other requests, such as a client's presigned form."""
    if request.path.startswith("/v2/"):
        return REGISTRY
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    return scope[1] if scope and scope[1] in SERVICES else None


def refused(service: str, fault: Fault, *, head: bool = False) -> Received:
    """Return the answer by which a service refuses a request.

    Args:
        service: One of those that `service_of` returns.
        fault: `THROTTLED`, `ERROR` or `UNAVAILABLE`.
        head: Whether the request is a HEAD, whose answers have no body.
    """
    status, content_type, body = refusal(service, fault)
    headers = Message()
    headers["Content-Type"] = content_type
    return Received(status, headers, b"" if head else body)
