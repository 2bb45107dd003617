"""What can go wrong with a request, and the words in which each service refuses one.

Used where a request leaves this process (`tests/engine/points.py`) and where one leaves a function of the local stack
(`load/faults.py`).
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

REGISTRY: Final = "registry"


class Fault(StrEnum):
    """What goes wrong with a request.

    Three are refusals, in the words of the service. Of the others, `LOST` and `CUT` come after the request has been
    carried out: its answer does not arrive, or only the first half of it does.
    """

    THROTTLED = "throttled"
    ERROR = "500"
    UNAVAILABLE = "503"
    UNREACHABLE = "unreachable"
    RESET = "connection reset"
    LOST = "answer lost after success"
    CUT = "answer cut"
    SLOW = "delay"


class Refusal(NamedTuple):
    """An answer that refuses a request."""

    status: int
    content_type: str
    body: bytes


# Status and code; those of AWS are from the lists of errors in the services' API references, those of a registry from
# the distribution-spec, section "Error Codes".
_WORDS: Final[Mapping[str, Mapping[Fault, tuple[int, str]]]] = {
    "dynamodb": {
        Fault.THROTTLED: (400, "ProvisionedThroughputExceededException"),
        Fault.ERROR: (500, "InternalServerError"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "s3": {
        Fault.THROTTLED: (503, "SlowDown"),
        Fault.ERROR: (500, "InternalError"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "sqs": {
        Fault.THROTTLED: (400, "RequestThrottled"),
        Fault.ERROR: (500, "InternalFailure"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "ecr": {
        Fault.THROTTLED: (400, "ThrottlingException"),
        Fault.ERROR: (500, "ServerException"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "secretsmanager": {
        Fault.THROTTLED: (400, "ThrottlingException"),
        Fault.ERROR: (500, "InternalServiceError"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "kms": {
        Fault.THROTTLED: (400, "ThrottlingException"),
        Fault.ERROR: (500, "KMSInternalException"),
        Fault.UNAVAILABLE: (503, "DependencyTimeoutException"),
    },
    "lambda": {
        Fault.THROTTLED: (429, "TooManyRequestsException"),
        Fault.ERROR: (500, "ServiceException"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailableException"),
    },
    "events": {
        Fault.THROTTLED: (400, "ThrottlingException"),
        Fault.ERROR: (500, "InternalException"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    "sts": {
        # Of the query protocol. The code is in botocore's own list of what is throttled.
        Fault.THROTTLED: (400, "Throttling"),
        Fault.ERROR: (500, "InternalFailure"),
        Fault.UNAVAILABLE: (503, "ServiceUnavailable"),
    },
    REGISTRY: {
        Fault.THROTTLED: (429, "TOOMANYREQUESTS"),
        Fault.ERROR: (500, "UNKNOWN"),
        Fault.UNAVAILABLE: (503, "UNKNOWN"),
    },
}
SERVICES: Final = frozenset(_WORDS)


def refusal(service: str, fault: Fault) -> Refusal:
    """Return how a service refuses a request.

    Args:
        service: One of `SERVICES`.
        fault: `THROTTLED`, `ERROR` or `UNAVAILABLE`.
    """
    status, code = _WORDS[service][fault]
    if service == "s3":
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
        return Refusal(status, "application/xml", text.encode())
    if service == "sts":
        fault_text = f"<Error><Code>{code}</Code><Message>injected</Message></Error>"
        return Refusal(status, "text/xml", f"<ErrorResponse>{fault_text}</ErrorResponse>".encode())
    if service == REGISTRY:
        text = json.dumps({"errors": [{"code": code, "message": "injected"}]})
        return Refusal(status, "application/json", text.encode())
    text = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": "injected"})
    return Refusal(status, "application/x-amz-json-1.0", text.encode())
