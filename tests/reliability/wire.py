"""Everything that leaves the process, request by request: each attempt of an AWS call, each HTTP request to a registry.

A tap stands at the wire and decides of each request whether it is sent, fails, or is done without its answer being
heard. Requests go one at a time, so that a process which dies at one of them does nothing after it, in no thread.
Botocore's own retries are at work above this, and so are the registry client's.

Transactions are written once for their token, as DynamoDB does (API_TransactWriteItems); moto runs them again.
"""

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, RLock, Thread, current_thread
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch
from weakref import WeakKeyDictionary

import botocore.endpoint
import urllib3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import register_retry_handler
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.exceptions import ReadTimeoutError as HttpReadTimeoutError

# As in the composition root.
ATTEMPTS: Final = 4
_TOKEN_KEPT: Final = timedelta(minutes=10)

_SESSION: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_DIGEST: Final = re.compile(r"sha256(:|%3A)([0-9a-f]{8})[0-9a-f]{56}")
_THROTTLED: Final = {
    "dynamodb": (400, "ThrottlingException"),
    "s3": (503, "SlowDown"),
    "sqs": (400, "RequestThrottled"),
    "ecr": (400, "ThrottlingException"),
    "secretsmanager": (400, "ThrottlingException"),
}
_FAILED: Final = {
    "dynamodb": (500, "InternalServerError"),
    "s3": (500, "InternalError"),
    "sqs": (500, "InternalFailure"),
    "ecr": (500, "ServerException"),
    "secretsmanager": (500, "InternalServiceError"),
}


@dataclass(frozen=True)
class Sent:
    """A request that is about to leave.

    Attributes:
        label: What it is: `dynamodb.GetItem`, `PUT packs/org_a/slack/blobs/uploads/?digest=3f2a9c01`.
        service: `dynamodb`, `s3`, `sqs`, `ecr`, or the host of a registry.
        invocation: The same for all attempts of one call.
        deliver: Has it done, and returns the answer.
        throttled, failed: Answers without having it done.
        unreachable, lost: Exceptions for a connection that could not be made, and for an answer that did not come.
        cut: Has it done, and returns half of the answer; None where answers are not read piece by piece.
    """

    label: str
    service: str
    invocation: str
    deliver: Callable[[], Any]
    throttled: Callable[[], Any]
    failed: Callable[[], Any]
    unreachable: Exception
    lost: Exception
    cut: Callable[[], Any] | None = None


Tap = Callable[[Sent], Any]


def straight(sent: Sent) -> Any:
    """Send a request as if nobody stood there."""
    return sent.deliver()


class Wire:
    """All that leaves the process, by way of the tap.

    Attributes:
        tap: Who decides.
        meets: Asked of each request what is to happen before it; all threads of whoever sends it stand still for as
            long as that takes.

    Args:
        clients: AWS clients; moto stands at their other end, or `servers`.
        servers: Who answers for a service instead of moto.
        clock: The present instant, UTC.
    """

    def __init__(
        self,
        clients: Sequence[Any],
        *,
        servers: dict[str, Callable[[AWSPreparedRequest], AWSResponse]],
        clock: Callable[[], datetime],
    ) -> None:
        self.tap: Tap = straight
        self.meets: Callable[[Sent], Callable[[], object] | None] = lambda _sent: None
        self._actors: WeakKeyDictionary[Thread, object] = WeakKeyDictionary()
        self._stopped: dict[object, Event] = {}
        self._clients = clients
        self._servers = servers
        self._clock = clock
        self._lock = RLock()
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._open: list[Any] = []

    @contextmanager
    def laid(self) -> Iterator["Wire"]:
        """Lay the wire for as long as the context lasts."""
        urlopen = HTTPConnectionPool.urlopen

        def tapped(pool: HTTPConnectionPool, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            def deliver() -> Any:
                answer = urlopen(pool, method, url, *args, **kwargs)
                self._open += [answer, pool]
                return answer

            return self._pass(_http(pool, method, url, deliver))

        start = Thread.start

        def started(thread: Thread) -> None:
            self._actors[thread] = self._actors.get(current_thread())
            start(thread)

        with ExitStack() as hooks:
            hooks.enter_context(patch.object(Thread, "start", started))
            hooks.enter_context(patch.object(HTTPConnectionPool, "urlopen", tapped))
            # How long the SDK waits before it tries again is nobody's concern here.
            hooks.enter_context(
                patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))
            )
            for client in self._clients:
                client.meta.events.unregister("before-send", botocore_stubber)
                client.meta.events.register("before-send", self._aws, unique_id="wire")
            yield self

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let requests pass unseen while the context lasts: those by which a test looks at what has become."""
        tap, meets = self.tap, self.meets
        self.tap, self.meets = straight, lambda _sent: None
        try:
            yield
        finally:
            self.tap, self.meets = tap, meets

    def hang_up(self) -> None:
        """Close every connection to a registry, as the end of a process does."""
        while self._open:
            self._open.pop().close()

    def renew(self) -> None:
        """Forget what clients and DynamoDB remember of requests: budgets of retries, tokens."""
        self._tokens.clear()
        for client in self._clients:
            service = client.meta.service_model.service_id.hyphenize()
            client.meta.events.unregister(f"needs-retry.{service}", unique_id=f"retry-config-{service}")
            register_retry_handler(client, max_attempts=ATTEMPTS)

    @contextmanager
    def played_by(self, actor: object) -> Iterator[None]:
        """Let what is sent while the context lasts, by this thread and those that it starts, be somebody's."""
        me = current_thread()
        before = self._actors.get(me)
        self._actors[me] = actor
        try:
            yield
        finally:
            self._actors[me] = before

    def _pass(self, sent: Sent) -> Any:
        actor = self._actors.get(current_thread())
        if (going := self._stopped.get(actor)) is not None:
            going.wait()
        with self._lock:
            meeting = self.meets(sent)
        if meeting is not None:
            self._stopped[actor] = Event()
            try:
                meeting()
            finally:
                self._stopped.pop(actor).set()
        with self._lock:
            return self.tap(sent)

    def _aws(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> Any:
        service, operation = event_name.split(".")[1:]
        server = self._servers.get(service, self._moto)
        if operation == "TransactWriteItems":
            return self._pass(_aws(service, operation, request, lambda: self._once(request)))
        return self._pass(_aws(service, operation, request, lambda: server(request)))

    def _moto(self, request: AWSPreparedRequest) -> AWSResponse:
        answer = botocore_stubber("before-send", request)
        assert answer is not None
        return answer

    def _once(self, request: AWSPreparedRequest) -> AWSResponse:
        """Write a transaction, unless one of the same token was written within the last ten minutes."""
        body = _text(request.body)
        token, content = json.loads(body)["ClientRequestToken"], hashlib.sha256(body.encode()).hexdigest()
        known = self._tokens.get(token)
        if known is not None and self._clock() <= known[1] + _TOKEN_KEPT:
            if known[0] != content:
                return _answer(request, "dynamodb", 400, "IdempotentParameterMismatchException")
            return _aws_response(request, 200, b"{}")
        answer = self._moto(request)
        if answer.status_code == 200:
            self._tokens[token] = content, self._clock()
        return answer


def _aws(
    service: str, operation: str, request: AWSPreparedRequest, deliver: Callable[[], AWSResponse]
) -> Sent:
    def cut() -> AWSResponse:
        whole = deliver()
        if whole.status_code != 200:
            return whole
        body = whole.raw.read()
        return _aws_response(request, 200, body[: len(body) // 2], whole.headers)

    return Sent(
        label=f"{service}.{operation}",
        service=service,
        invocation=_text(request.headers["amz-sdk-invocation-id"]),
        deliver=deliver,
        throttled=lambda: _answer(request, service, *_THROTTLED[service]),
        failed=lambda: _answer(request, service, *_FAILED[service]),
        unreachable=EndpointConnectionError(endpoint_url=request.url),
        lost=ReadTimeoutError(endpoint_url=request.url),
        cut=cut if operation == "GetObject" else None,
    )


def _answer(request: AWSPreparedRequest, service: str, status: int, code: str) -> AWSResponse:
    said = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": "no"})
    if service == "s3":
        said = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    return _aws_response(request, status, said.encode())


def _aws_response(request: AWSPreparedRequest, status: int, body: bytes, headers: Any = None) -> AWSResponse:
    return AWSResponse(request.url, status, headers or HTTPHeaders(), MockRawResponse(body))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _http(pool: HTTPConnectionPool, method: str, url: str, deliver: Callable[[], Any]) -> Sent:
    path, _, query = url.removeprefix("/v2/").partition("?")
    path = _SESSION.sub("", path)
    query = query.removeprefix("state=kept&")
    label = _DIGEST.sub(r"\2", f"{method} {path}" + (f"?{query}" if query else ""))

    def cut() -> Any:
        whole = deliver()
        body = whole.read()
        return _reply(whole.status, body[: len(body) // 2], whole.headers)

    def answered(status: int) -> Any:
        return _reply(status, b"", {})

    return Sent(
        label=label,
        service=f"{pool.host}:{pool.port}",
        invocation=label,
        deliver=deliver,
        throttled=lambda: answered(429),
        failed=lambda: answered(503),
        unreachable=NewConnectionError(pool, "nobody there"),  # type: ignore[arg-type]
        lost=HttpReadTimeoutError(pool, url, "nothing came"),
        cut=cut if method == "GET" else None,
    )


def _reply(status: int, body: bytes, headers: Any) -> urllib3.HTTPResponse:
    return urllib3.HTTPResponse(
        body=io.BytesIO(body),
        status=status,
        headers=headers,
        preload_content=False,
        decode_content=False,
        enforce_content_length=True,
        request_method="GET",
    )
