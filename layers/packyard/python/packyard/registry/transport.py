"""One request to one registry: credentials, time limits, and what counts as no answer.

The only module that knows urllib3's errors. Whatever keeps a registry from answering becomes
`RegistryUnavailable`; whatever else it says that the caller did not expect becomes `RegistryRefused`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from packyard.errors import RegistryUnavailable
from packyard.registry.credentials import Credential

# How long to wait before each further attempt; short, because a caller waits at the gateway.
RETRY_DELAYS_SECONDS = (0.2, 1.0)
# What registries are asked to take as a manifest (distribution-spec, "Pushing manifests"); what is longer is left.
_BODY_BYTES = 4 << 20
_NOTED_BYTES = 2 << 10

Body = Callable[[], Iterable[bytes]]
Result = TypeVar("Result")


class RegistryRefused(Exception):
    """A registry answered, but not with what it was asked for. For us to look into, not for a client to read.

    Args:
        status: The HTTP status of the answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"the registry answered {status}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a registry.

    Attributes:
        sleep: Waits for so many seconds.
        monotonic: Seconds on a clock that never goes back.
        connect_seconds: To connect, and for the registry to take each piece of what is sent.
        read_seconds: For the registry to send anything at all.
        total_seconds: For one request as a whole.
    """

    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    connect_seconds: float = 5
    read_seconds: float = 30
    total_seconds: float = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """A registry's answer.

    Attributes:
        headers: Their names are case-insensitive.
        body: Its beginning, at most 4 MiB.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Requests to the registry at `base_url`.

    Args:
        http: The connections; one for each thread that sends at the same time.
        base_url: Scheme, host and port. No request leaves this origin.
        credential: What to show the registry.
        patience: How long to wait for it.
    """

    def __init__(
        self,
        *,
        http: urllib3.PoolManager,
        base_url: str,
        credential: Credential,
        patience: Patience,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = http
        self._credential = credential
        self._patience = patience

    @property
    def stall_seconds(self) -> float:
        """For the registry to take a piece of what is sent."""
        return self._patience.connect_seconds

    def persistently(self, attempt: Callable[[], Result]) -> Result:
        """Return what `attempt` returns, trying again after `RegistryUnavailable` at most twice.

        Raises:
            RegistryUnavailable: The last attempt's.
        """
        for delay in RETRY_DELAYS_SECONDS:
            try:
                return attempt()
            except RegistryUnavailable:
                self._patience.sleep(delay)
        return attempt()

    def send(
        self,
        method: str,
        url: str,
        *,
        expect: Collection[int],
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        """Send one request and return the answer.

        A credential that the registry no longer takes is replaced once. Redirects are not followed.

        Args:
            method: The HTTP method.
            url: A path and query, or a whole URL of this registry.
            expect: The statuses that are an answer to the question.
            headers: To send along. A body without Content-Length among them is sent in chunks (RFC 9112, section 7.1).
            body: Makes the body's pieces, anew for each call.

        Raises:
            RegistryUnavailable: No answer in time, a broken one, 429, 5xx, or a URL of another origin.
            RegistryRefused: Any other status that is not in `expect`.
        """
        target = self._on_this_origin(url)
        authorization = self._credential.authorization()
        answer = self._exchange(method, target, headers, body, authorization)
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            renewed = self._credential.authorization(refused=authorization)
            if renewed != authorization:
                answer = self._exchange(method, target, headers, body, renewed)
        if answer.status in expect:
            return answer
        raise _failure(
            answer.status, f"{method} {urlsplit(target).path} answered {answer.body[:_NOTED_BYTES]!r}"
        )

    def _on_this_origin(self, url: str) -> str:
        """Return `url` as a whole URL. What we send, credentials included, is for this registry alone."""
        if url.startswith("/"):
            return self.base_url + url
        if url.startswith(f"{self.base_url}/"):
            return url
        raise RegistryUnavailable("The registry points elsewhere.")

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: Body | None,
        authorization: str | None,
    ) -> Answer:
        patience = self._patience
        deadline = patience.monotonic() + patience.total_seconds
        sent = dict(headers or {})
        if authorization is not None:
            sent["Authorization"] = authorization
        try:
            response = self._http.request(
                method,
                url,
                body=None if body is None else self._until(deadline, body()),
                headers=sent,
                timeout=urllib3.Timeout(connect=patience.connect_seconds, read=patience.read_seconds),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            with response:
                beginning = b"".join(self._until(deadline, _beginning(response)))
        except HTTPError as error:
            raise RegistryUnavailable("The registry did not answer.") from error
        return Answer(response.status, response.headers, beginning)

    def _until(self, deadline: float, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._patience.monotonic() > deadline:
                raise RegistryUnavailable("The registry took too long.")
            yield piece


def _beginning(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield at most 4 MiB of a body; the connection is kept for more requests if that was all of it."""
    left = _BODY_BYTES
    while left and (piece := response.read1(left)):
        left -= len(piece)
        yield piece
    if left:
        response.release_conn()


def _failure(status: int, note: str) -> RegistryUnavailable | RegistryRefused:
    failure: RegistryUnavailable | RegistryRefused
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        failure = RegistryUnavailable("The registry is not able to answer at the moment.")
    else:
        failure = RegistryRefused(status)
    # A note reaches the log with the traceback, but no client.
    failure.add_note(note[:_NOTED_BYTES])
    return failure
