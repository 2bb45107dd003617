"""Injected faults between the functions and AWS: each service's own error answers, cut connections, delays.

A client's retries hide most single faults. So some faults are persistent: all further attempts of the same call fail
too. botocore identifies a call by `amz-sdk-invocation-id`, the same in each attempt. For a registry, verb and path
identify it.
"""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from random import Random
from typing import Final

from local.proxy import PassOn, Received, Sent, proxied

# The persistent share of all faults. Our clients make at most three further attempts.
STUBBORN: Final = 0.1
_FURTHER_ATTEMPTS: Final = 3
_DELAY_SECONDS: Final = (0.3, 3.0)
_SCOPE: Final = re.compile(r"Credential=[^/,]+/\d{8}/[^/,]+/([a-z0-9-]+)/aws4_request")
REGISTRY: Final = "registry"


class Kind(StrEnum):
    """How a call fails."""

    THROTTLED = "throttled"
    ERROR = "500"
    UNAVAILABLE = "503"
    RESET = "connection reset"
    LOST = "answer lost after success"
    SLOW = "delay"


# Status and code. AWS's are from the lists of errors in the services' API references, a registry's from the
# distribution-spec, section "Error Codes".
_WORDS: Final[dict[str, dict[Kind, tuple[int, str]]]] = {
    "dynamodb": {
        Kind.THROTTLED: (400, "ProvisionedThroughputExceededException"),
        Kind.ERROR: (500, "InternalServerError"),
        Kind.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "s3": {
        Kind.THROTTLED: (503, "SlowDown"),
        Kind.ERROR: (500, "InternalError"),
        Kind.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "sqs": {
        Kind.THROTTLED: (400, "RequestThrottled"),
        Kind.ERROR: (500, "InternalFailure"),
        Kind.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "ecr": {
        Kind.THROTTLED: (400, "ThrottlingException"),
        Kind.ERROR: (500, "ServerException"),
        Kind.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "secretsmanager": {
        Kind.THROTTLED: (400, "ThrottlingException"),
        Kind.ERROR: (500, "InternalServiceError"),
        Kind.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    REGISTRY: {
        Kind.THROTTLED: (429, "TOOMANYREQUESTS"),
        Kind.ERROR: (500, "UNKNOWN"),
        Kind.UNAVAILABLE: (503, "UNKNOWN"),
    },
}


@dataclass
class Faults:
    """Decides which calls fail, and counts them.

    Attributes:
        share: The share of calls that begin to fail; none while it is 0.
        randomness: The random generator.
        url: The URL that functions call instead of AWS.
        calls: How many calls there have been while something could fail.
        injected: How many failed, by service and kind.
    """

    share: float
    randomness: Random
    url: str = ""
    calls: int = 0
    injected: Counter[tuple[str, Kind]] = field(default_factory=Counter)
    _stubborn: dict[str, tuple[Kind, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, service: str, call: str) -> Kind | None:
        """Return how an attempt at a call fails, or None.

        Args:
            service: The service that it is sent to.
            call: The identity that its further attempts share.
        """
        with self._lock:
            if not self.share:
                return None
            self.calls += 1
            kind, left = self._stubborn.pop(call, (None, 0))
            if kind is None:
                if self.randomness.random() >= self.share:
                    return None
                kind = self.randomness.choice(list(Kind))
                left = _FURTHER_ATTEMPTS if self.randomness.random() < STUBBORN else 0
            elif left > 1:
                left -= 1
            else:
                left = 0
            if left:
                self._stubborn[call] = kind, left
            self.injected[service, kind] += 1
            return kind

    def stand_between(self, request: Sent, pass_on: PassOn) -> Received | None:
        """Forward a request, or fail it. None closes the connection."""
        service = service_of(request)
        if service is None:
            return pass_on(request)
        call = request.headers.get("amz-sdk-invocation-id") or f"{request.method} {request.path}"
        match self.draw(service, call):
            case None:
                return pass_on(request)
            case Kind.RESET:
                return None
            case Kind.LOST:
                pass_on(request)
                return None
            case Kind.SLOW:
                time.sleep(self.randomness.uniform(*_DELAY_SECONDS))
                return pass_on(request)
            case kind:
                return refusal(service, kind, head=request.method == "HEAD")


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
    return scope[1] if scope and scope[1] in _WORDS else None


def refusal(service: str, kind: Kind, *, head: bool = False) -> Received:
    """Return a service's error answer.

    Args:
        service: One of those that `service_of` knows.
        kind: `THROTTLED`, `ERROR` or `UNAVAILABLE`.
        head: Whether the request is a HEAD, whose answers have no body.
    """
    status, code = _WORDS[service][kind]
    headers = Message()
    if service == "s3":
        headers["Content-Type"] = "application/xml"
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
    elif service == REGISTRY:
        headers["Content-Type"] = "application/json"
        body = json.dumps({"errors": [{"code": code, "message": "injected"}]})
    else:
        headers["Content-Type"] = "application/x-amz-json-1.0"
        body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": "injected"})
    return Received(status, headers, b"" if head else body.encode())
