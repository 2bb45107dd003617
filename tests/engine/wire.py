"""Everything that leaves the process, request by request: each attempt of an AWS call, each request to a registry.

A tap decides of each request whether it is sent, fails, or is carried out without its answer arriving. Requests go one
at a time, so that a process that dies at one of them sends nothing after it, from no thread. Botocore's own retries
work above this, and so do those of our registry client.

DynamoDB carries a transaction out once for each token (API_TransactWriteItems). moto runs it again, so the wire
remembers the tokens.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, RLock, Thread, current_thread
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch
from weakref import WeakKeyDictionary

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.retries.quota import RetryQuota
from botocore.retries.standard import register_retry_handler
from moto.core.models import botocore_stubber
from tests.engine.points import Point, aws_point, aws_response, registry_point
from urllib3.connectionpool import HTTPConnectionPool

# As in the composition root.
ATTEMPTS: Final = 4
_TOKEN_KEPT: Final = timedelta(minutes=10)

Tap = Callable[[Point], Any]
# Returns what has to happen before a request, if anything.
Interrupt = Callable[[Point], Callable[[], object] | None]
Server = Callable[[AWSPreparedRequest], AWSResponse]


def deliver(point: Point) -> Any:
    """Send a request on: the tap of a wire at which nothing goes wrong."""
    return point.deliver()


def nothing(_point: Point) -> None:
    """Let nothing happen before a request."""


@dataclass
class Wire:
    """All that leaves the process.

    Attributes:
        clients: The AWS clients, by service. moto answers them, or one of `servers`.
        clock: The present instant, UTC.
        servers: Who answers for a service instead of moto.
        tap: Decides of each request.
        interrupt: Asked before each request what has to happen first. The threads of the actor that sends the request
            wait for as long as that takes; those of other actors go on.
    """

    clients: dict[str, Any]
    clock: Callable[[], datetime]
    servers: dict[str, Server] = field(default_factory=dict)
    tap: Tap = deliver
    interrupt: Interrupt = nothing
    _laid: bool = False
    _actors: WeakKeyDictionary[Thread, object] = field(default_factory=WeakKeyDictionary)
    _interrupted: dict[object, Event] = field(default_factory=dict)
    _lock: Any = field(default_factory=RLock)
    _tapping: bool = False
    _tapper: Thread | None = None
    _tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _open: list[Any] = field(default_factory=list)
    _budgets: dict[str, RetryQuota] = field(default_factory=dict)

    @property
    def is_laid(self) -> bool:
        """Whether requests pass by here."""
        return self._laid

    @contextmanager
    def laid(self) -> Iterator["Wire"]:
        """Let every request pass by here for as long as the context lasts."""
        urlopen, start = HTTPConnectionPool.urlopen, Thread.start

        def tapped(pool: HTTPConnectionPool, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            def send() -> Any:
                with self._unlocked():
                    answer = urlopen(pool, method, url, *args, **kwargs)
                self._open += [answer, pool]
                return answer

            return self._pass(registry_point(pool, method, url, send))

        def started(thread: Thread) -> None:
            self._actors[thread] = self._actors.get(current_thread())
            start(thread)

        with ExitStack() as hooks:
            hooks.enter_context(patch.object(Thread, "start", started))
            hooks.enter_context(patch.object(HTTPConnectionPool, "urlopen", tapped))
            # The SDK waits before it tries again. Tests do not.
            no_sleep = SimpleNamespace(sleep=lambda _seconds: None)
            hooks.enter_context(patch.object(botocore.endpoint, "time", no_sleep))
            for client in self.clients.values():
                client.meta.events.unregister("before-send", botocore_stubber)
                client.meta.events.register("before-send", self._aws, unique_id="wire")
                hooks.callback(client.meta.events.register, "before-send", botocore_stubber)
                hooks.callback(client.meta.events.unregister, "before-send", unique_id="wire")
            self._laid = True
            hooks.callback(setattr, self, "_laid", False)
            yield self

    @contextmanager
    def tapped(self, tap: Tap = deliver, *, interrupt: Interrupt = nothing) -> Iterator[None]:
        """Let `tap` decide, and `interrupt` come first, while the context lasts. The wire is laid if it is not."""
        with ExitStack() as stack:
            if not self._laid:
                stack.enter_context(self.laid())
            before = self.tap, self.interrupt
            self.tap, self.interrupt = tap, interrupt
            try:
                yield
            finally:
                self.tap, self.interrupt = before

    def hang_up(self) -> None:
        """Close every connection to a registry, as the end of a process does."""
        while self._open:
            self._open.pop().close()

    def renew(self) -> None:
        """Forget what clients and DynamoDB remember of requests: retry budgets and tokens."""
        self._tokens.clear()
        for service, client in self.clients.items():
            if service not in self._budgets:
                self._budgets[service] = _new_budget(client)
            self._budgets[service].release(RetryQuota.INITIAL_CAPACITY)

    @contextmanager
    def sent_by(self, actor: object) -> Iterator[None]:
        """Let what this thread sends while the context lasts be one actor's, and what its new threads send."""
        me = current_thread()
        before = self._actors.get(me)
        self._actors[me] = actor
        try:
            yield
        finally:
            self._actors[me] = before

    def _pass(self, point: Point) -> Any:
        actor = self._actors.get(current_thread())
        if (interrupted := self._interrupted.get(actor)) is not None:
            interrupted.wait()
        with self._lock:
            first = self.interrupt(point)
        if first is not None:
            self._interrupted[actor] = Event()
            try:
                first()
            finally:
                self._interrupted.pop(actor).set()
        with self._lock:
            self._tapping, self._tapper = True, current_thread()
            try:
                return self.tap(point)
            finally:
                self._tapping = False

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        """Let other threads' requests pass: the body of one request may be made of the answer to another.

        A tap may also keep a request and send it later, when this thread does not hold the lock.
        """
        if not self._tapping or self._tapper is not current_thread():
            yield
            return
        self._tapping = False
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
            self._tapping, self._tapper = True, current_thread()

    def _aws(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> Any:
        service, operation = event_name.replace("-", "").split(".")[1:]
        server = self.servers.get(service, _moto)
        if operation == "TransactWriteItems":
            server = self._once
        return self._pass(aws_point(service, operation, request, lambda: server(request)))

    def _once(self, request: AWSPreparedRequest) -> AWSResponse:
        """Write a transaction, unless one of the same token was written within the last ten minutes."""
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        token, content = json.loads(body)["ClientRequestToken"], hashlib.sha256(body).hexdigest()
        known = self._tokens.get(token)
        if known is not None and self.clock() <= known[1] + _TOKEN_KEPT:
            if known[0] == content:
                return aws_response(request, 200, b"{}")
            mismatch = json.dumps({"__type": "IdempotentParameterMismatchException", "message": ""})
            return aws_response(request, 400, mismatch.encode())
        answer = _moto(request)
        if answer.status_code == 200:
            self._tokens[token] = content, self.clock()
        return answer


def _new_budget(client: Any) -> RetryQuota:
    """Let a client try as often as in the composition root, and return its budget for doing so."""
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.unregister(f"needs-retry.{service}", unique_id=f"retry-config-{service}")
    # A handler cannot be taken away again completely, so there is one for as long as the client lasts.
    handler: Any = register_retry_handler(client, max_attempts=ATTEMPTS)
    budget: RetryQuota = handler._retry_quota._quota  # noqa: SLF001
    return budget


def _moto(request: AWSPreparedRequest) -> AWSResponse:
    answer = botocore_stubber("before-send", request)
    assert answer is not None
    return answer
