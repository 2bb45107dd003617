"""Requests to our own registry: credentials, timeouts, retries and errors.

In this package only this module handles urllib3's errors. A missing or broken answer becomes `RegistryUnavailable`;
`registry.own.refusal` chooses the error for an answer with an unexpected status.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from packyard.errors import RegistryThrottled, RegistryUnavailable
from packyard.registry.credentials import Credential
from packyard.registry.own.origin import on_origin
from packyard.registry.own.refusal import RegistryRefused, failure
from packyard.registry.own.scopes import Scopes
from packyard.registry.statuses import SUCCESSES

# The pause before each retry. Short, because a client waits for our answer.
RETRY_DELAYS_SECONDS: Final = (0.2, 1.0)
# The largest manifest that registries are asked to accept (distribution-spec, "Pushing manifests"). Of a longer body
# only this much is read.
_BODY_BYTES: Final = 4 << 20
_LOGIN_WANTED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

Body = Callable[[], Iterable[bytes]]
Result = TypeVar("Result")


def unlimited() -> float:
    """Return 900 seconds, the longest that a Lambda function runs: no shorter deadline applies."""
    return 900


def no_jitter() -> float:
    """Return 0: pauses are not extended."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for a registry, with the clock and the functions that waiting needs.

    Attributes:
        sleep: Waits for a number of seconds.
        monotonic: Returns seconds of a clock that never goes back.
        random: Returns a new number from 0 (inclusive) to 1 (exclusive). A pause is extended by up to half by it, so
            that clients which were throttled together do not retry together.
        connect_seconds: The limit to connect, and for the registry to accept each piece of a body.
        read_seconds: The limit for the registry to send the next bytes.
        total_seconds: The limit for one request as a whole.
        pause_seconds: The limit for all pauses between the attempts of one operation. If the registry asks for a longer
            pause, there is no retry.
        time_left: Returns the seconds that may still be spent on the registry. It caps all of the above: the next bytes
            may take at most a third of it, which leaves time for three attempts, and all pauses at most a fifth.
    """

    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    random: Callable[[], float] = no_jitter
    connect_seconds: float = 5
    read_seconds: float = 30
    total_seconds: float = 300
    pause_seconds: float = 5
    time_left: Callable[[], float] = unlimited


@dataclass(frozen=True, slots=True)
class Answer:
    """A registry's answer.

    Attributes:
        status: The HTTP status.
        headers: The headers, with case-insensitive names.
        body: The body, cut to 4 MiB.
        challenges: The values of the `WWW-Authenticate` headers.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    challenges: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx (RFC 9110, section 15.3)."""
        return self.status in SUCCESSES


class Exchange:
    """Sends one request and reads its answer, within the timeouts, without credentials of its own and without retries.

    Args:
        http: The connection pool, with a connection for each thread that sends at the same time.
        timeouts: How long to wait.
    """

    def __init__(self, *, http: urllib3.PoolManager, timeouts: Timeouts) -> None:
        self._http = http
        self._timeouts = timeouts

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        authorization: str | None = None,
    ) -> Answer:
        """Send one request and return its answer, whatever its status. Redirects are not followed.

        Args:
            method: The HTTP method.
            url: An absolute URL.
            headers: The headers to send. Without Content-Length a body is sent chunked (RFC 9112, section 7.1).
            body: Returns the body's pieces.
            authorization: The value of the header `Authorization`, or None to send none.

        Raises:
            RegistryUnavailable: There was no complete answer in time.
        """
        timeouts, left = self._timeouts, self._seconds_left()
        total = min(timeouts.total_seconds, left)
        deadline = timeouts.monotonic() + total
        sent = dict(headers or {})
        if authorization is not None:
            sent["Authorization"] = authorization
        try:
            response = self._http.request(
                method,
                url,
                body=None if body is None else self._until(deadline, body()),
                headers=sent,
                timeout=urllib3.Timeout(
                    total=total,
                    connect=timeouts.connect_seconds,
                    read=min(timeouts.read_seconds, left / 3),
                ),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            with response:
                beginning = b"".join(self._until(deadline, _beginning(response)))
        except HTTPError as error:
            raise RegistryUnavailable("The registry did not answer.") from error
        challenges = tuple(response.headers.getlist("WWW-Authenticate"))
        return Answer(response.status, response.headers, beginning, challenges)

    def _seconds_left(self) -> float:
        left = self._timeouts.time_left()
        if left <= 0:
            raise RegistryUnavailable("The time for the registry is over.")
        return left

    def _until(self, deadline: float, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces, and fail at the first one after the deadline."""
        for piece in pieces:
            if self._timeouts.monotonic() > deadline:
                raise RegistryUnavailable("The registry took too long.")
            yield piece


class Transport:
    """Sends authorized requests to the registry at `base_url`, and retries them.

    Args:
        exchange: Sends the requests.
        base_url: Scheme, host and port. No request goes to another origin.
        credential: Our credential for the registry.
        timeouts: How long to wait for answers and between retries.
    """

    def __init__(
        self, *, exchange: Exchange, base_url: str, credential: Credential, timeouts: Timeouts
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._exchange = exchange
        self._credential = credential
        self._timeouts = timeouts

    @property
    def stall_seconds(self) -> float:
        """The seconds to wait until the registry accepts a piece of a body."""
        return self._timeouts.connect_seconds

    def retrying(self, attempt: Callable[[], Result]) -> Result:
        """Call `attempt` and return its result; after `RegistryUnavailable`, call it again, at most twice.

        If the registry states how long to wait (`Retry-After`), the pause is at least that long. If that would exceed
        the limit for pauses, there is no retry.

        Args:
            attempt: Performs the operation once; must be safe to repeat.

        Raises:
            RegistryRefused: From `attempt`; never retried.
            RegistryUnavailable: From the last attempt.
        """
        left = min(self._timeouts.pause_seconds, self._timeouts.time_left() / 5)
        for delay in RETRY_DELAYS_SECONDS:
            try:
                return attempt()
            except RegistryRefused:
                raise
            except RegistryUnavailable as failed:
                asked = failed.stated_seconds or 0 if isinstance(failed, RegistryThrottled) else 0
                pause = max(delay, asked)
                if pause > left:
                    raise
                pause = min(pause * (1 + self._timeouts.random() / 2), left)
                left -= pause
                self._timeouts.sleep(pause)
        return attempt()

    def send(  # noqa: PLR0913 - by name; one request
        self,
        method: str,
        url: str,
        *,
        scopes: Scopes,
        also: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Answer:
        """Send one request and return the answer. Redirects are not followed.

        Every 2xx status is accepted, because registries differ in which one they use (containers/image #381). After a
        401 or 403 the request is repeated with another credential, if there is one, in the form that the registry asks
        for.

        Args:
            method: The HTTP method.
            url: A path and query, or an absolute URL of this registry.
            scopes: The token scopes that the request needs.
            also: The statuses besides 2xx that are returned instead of raised.
            headers: As for `Exchange.ask`.
            body: Returns the body's pieces; called again if the request is repeated.

        Raises:
            RegistryUnavailable: There was no complete answer in time, or the status is 5xx.
            RegistryThrottled: The status is 429, or the answer asks in another way to slow down.
            RegistryRefused: The status is another one that is not in `also`, or `url` is on another origin.
            RegistryRefused, RegistryUnavailable, ServiceUnavailable: There is no credential; as for `Credential`.
        """
        target = on_origin(self._base_url, url)
        answer = self._ask_authorized(method, target, scopes, headers, body)
        if answer.succeeded or answer.status in also:
            return answer
        raise failure(method, urlsplit(target).path, answer.status, answer.headers, answer.body)

    def resolve(self, location: str, *, relative_to: str) -> str:
        """Return a URL that the registry named as an absolute URL.

        Args:
            location: The URL as the registry wrote it.
            relative_to: The path or URL of the request that the registry answered.

        Raises:
            RegistryRefused: `location` is on another origin.
        """
        return on_origin(
            self._base_url,
            location,
            relative_to=on_origin(self._base_url, relative_to)[len(self._base_url) :],
        )

    def location(self, answer: Answer, *, relative_to: str) -> str:
        """Return the URL in an answer's `Location` as an absolute URL.

        Args:
            answer: The answer.
            relative_to: As for `resolve`.

        Raises:
            RegistryUnavailable: The answer has no `Location`.
            RegistryRefused: The URL is on another origin.
        """
        named = answer.headers.get("Location", "").strip()
        if not named:
            raise RegistryUnavailable("The registry did not say where to go on.")
        return self.resolve(named, relative_to=relative_to)

    def foreign_location(self, answer: Answer) -> str | None:
        """Return the URL in an answer's `Location` if it is absolute and of another origin; else None."""
        named = urlsplit(answer.headers.get("Location", "").strip())
        own = urlsplit(self._base_url)
        if named.scheme not in ("http", "https") or (named.scheme, named.netloc) == (own.scheme, own.netloc):
            return None
        return named.geturl()

    def _ask_authorized(
        self, method: str, target: str, scopes: Scopes, headers: Mapping[str, str] | None, body: Body | None
    ) -> Answer:
        shown = self._credential.authorization(scopes=scopes)
        # Without a first value, the registry's challenge is still unknown. Then the scheme that it prefers is tried,
        # and after that the one that it accepts.
        renewals = 1 if shown is not None else 2
        while True:
            answer = self._exchange.ask(method, target, headers=headers, body=body, authorization=shown)
            if answer.status not in _LOGIN_WANTED or not renewals:
                return answer
            renewals -= 1
            other = self._credential.authorization(refused=shown, scopes=scopes, challenges=answer.challenges)
            if other == shown:
                return answer
            shown = other


def _beginning(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield at most 4 MiB of a body. If the body ends within them, the connection is kept for further requests."""
    left = _BODY_BYTES
    while left and (piece := response.read1(left)):
        left -= len(piece)
        yield piece
    if left:
        response.release_conn()
