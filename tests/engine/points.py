"""A point: one request that is about to leave the process, to AWS or to a registry, and what can become of it."""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from tests.engine.refusals import REGISTRY, Fault, refusal
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.exceptions import ReadTimeoutError as RegistryReadTimeoutError

# The faults that can befall a point. `load/` adds those of a real connection.
FAULTS: Final = (Fault.THROTTLED, Fault.ERROR, Fault.UNREACHABLE, Fault.LOST, Fault.CUT)

# How the names of calls to AWS begin that change nothing there. Keys and credentials are only asked for.
_READS: Final = ("BatchCheck", "BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan", "TransactGet")
_ASKED: Final = ("kms", "secretsmanager", "sts")
_SESSION: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_DIGEST: Final = re.compile(r"sha256(:|%3A)([0-9a-f]{8})[0-9a-f]{56}")


def changes_nothing(label: str) -> bool:
    """Return whether a request, by its label, only reads: lost or answered, it leaves everything as it was."""
    if " " in label:
        return label.startswith(("GET ", "HEAD "))
    service, _, operation = label.partition(".")
    return service in _ASKED or operation.startswith(_READS)


@dataclass(frozen=True)
class Point:
    """A request that is about to leave.

    Attributes:
        label: What it is: `dynamodb.GetItem`, `PUT packs/org_a/slack/blobs/uploads/?digest=3f2a9c01`.
        service: `dynamodb`, `s3`, `sqs`, `ecr`, `sts`, `secretsmanager`, or the host of a registry.
        is_aws: Whether it is a call to AWS; otherwise it is a request to a registry.
        invocation: The same text for all attempts of one call.
        deliver: Has the request carried out, and returns the answer.
        refuse: Returns an answer that refuses it, in the words of the service.
        unreachable: Raised when the connection could not be made.
        lost: Raised when the answer did not come.
        cut: Returns half of an answer; None where answers are not read piece by piece.
    """

    label: str
    service: str
    is_aws: bool
    invocation: str
    deliver: Callable[[], Any]
    refuse: Callable[[Fault], Any]
    unreachable: Exception
    lost: Exception
    cut: Callable[[Any], Any] | None = None

    def befall(self, fault: Fault) -> Any:
        """Let a fault befall the request: return the answer that comes, or raise what its client sees."""
        match fault:
            case Fault.UNREACHABLE:
                raise self.unreachable
            case Fault.LOST:
                self.deliver()
                raise self.lost
            case Fault.CUT:
                answer = self.deliver()
                return answer if self.cut is None else self.cut(answer)
            case _:
                return self.refuse(fault)


def aws_point(
    service: str, operation: str, request: AWSPreparedRequest, deliver: Callable[[], AWSResponse]
) -> Point:
    """Return the point of one attempt of a call to AWS."""

    def refuse(fault: Fault) -> AWSResponse:
        refused = refusal(service, fault)
        return aws_response(request, refused.status, refused.body)

    def cut(whole: AWSResponse) -> AWSResponse:
        if whole.status_code != 200:
            return whole
        body = whole.raw.read()
        return aws_response(request, 200, body[: len(body) // 2], whole.headers)

    invocation = request.headers["amz-sdk-invocation-id"]
    return Point(
        label=f"{service}.{operation}",
        service=service,
        is_aws=True,
        invocation=invocation.decode() if isinstance(invocation, bytes) else str(invocation),
        deliver=deliver,
        refuse=refuse,
        unreachable=EndpointConnectionError(endpoint_url=request.url),
        lost=ReadTimeoutError(endpoint_url=request.url),
        cut=cut if operation == "GetObject" else None,
    )


def aws_response(request: AWSPreparedRequest, status: int, body: bytes, headers: Any = None) -> AWSResponse:
    return AWSResponse(request.url, status, headers or HTTPHeaders(), MockRawResponse(body))


def registry_point(pool: HTTPConnectionPool, method: str, url: str, deliver: Callable[[], Any]) -> Point:
    """Return the point of one request to a registry. Its label leaves out what differs from one run to the next."""
    path, _, query = url.removeprefix("/v2/").partition("?")
    path = _SESSION.sub("", path)
    query = query.removeprefix("state=kept&")
    label = _DIGEST.sub(r"\2", f"{method} {path}" + (f"?{query}" if query else ""))

    def refuse(fault: Fault) -> Any:
        # The SDKs answer 5xx of a registry alike, whichever it is; 503 is the one that comes with an outage.
        refused = refusal(REGISTRY, Fault.UNAVAILABLE if fault is Fault.ERROR else fault)
        return _response(refused.status, refused.body if method != "HEAD" else b"", {})

    def cut(whole: Any) -> Any:
        body = whole.read()
        return _response(whole.status, body[: len(body) // 2], whole.headers)

    return Point(
        label=label,
        service=f"{pool.host}:{pool.port}",
        is_aws=False,
        invocation=label,
        deliver=deliver,
        refuse=refuse,
        unreachable=NewConnectionError(pool, "nobody there"),  # type: ignore[arg-type]
        lost=RegistryReadTimeoutError(pool, url, "nothing came"),
        cut=cut if method == "GET" else None,
    )


def _response(status: int, body: bytes, headers: Mapping[str, str]) -> urllib3.HTTPResponse:
    return urllib3.HTTPResponse(
        body=io.BytesIO(body),
        status=status,
        headers=headers,
        preload_content=False,
        decode_content=False,
        enforce_content_length=True,
        request_method="GET",
    )
