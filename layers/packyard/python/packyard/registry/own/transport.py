"""Requests to our own registry: credentials, time limits, further attempts, and what counts as no answer.

The only module that knows urllib3's errors. Whatever keeps a registry from answering becomes `RegistryUnavailable`;
what it answers besides what the caller asked for becomes what `registry.own.refusal` makes of it.
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

# How long to wait before each further attempt; short, because a caller waits at the gateway.
RETRY_DELAYS_SECONDS: Final = (0.2, 1.0)
# What registries are asked to take as a manifest (distribution-spec, "Pushing manifests"); what is longer is left.
_BODY_BYTES: Final = 4 << 20
_LOGIN_WANTED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

Body = Callable[[], Iterable[bytes]]
Result = TypeVar("Result")


def unlimited() -> float:
    """Return more seconds than anybody waits."""
    return 900


def no_jitter() -> float:
    """Return 0: whoever waits does so for exactly as long as was said."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait for a registry.

    Attributes:
        sleep: Waits for so many seconds.
        monotonic: Seconds on a clock that never goes back.
        random: A number from 0 up to 1, another each time: by how much of half of itself a pause is longer, so that
            those who were refused together do not come back together.
        connect_seconds: To connect, and for the registry to take each piece of what is sent.
        read_seconds: For the registry to send anything at all.
        total_seconds: For one request as a whole.
        pause_seconds: For all pauses between the attempts of one request. A registry that asks for longer ones is not
            asked again.
        time_left: For how many seconds the registry may be waited for from now on. All of the above end with it: one
            silence takes at most a third of it, so that a request can be tried three times, and the pauses a fifth.
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
        headers: Their names are case-insensitive.
        body: Its beginning, at most 4 MiB.
        challenges: Its `WWW-Authenticate` headers, one by one.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    challenges: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the registry says that it did what it was asked, by whichever status (RFC 9110, section 15.3)."""
        return self.status in SUCCESSES


class Exchange:
    """One request, one answer, within time.

    Args:
        http: The connections; one for each thread that sends at the same time.
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
        """Return the answer, whatever it is. Redirects are not followed.

        Args:
            method: The HTTP method.
            url: A whole URL.
            headers: To send along. A body without Content-Length among them is sent in chunks (RFC 9112, section 7.1).
            body: Makes the body's pieces.
            authorization: The value of the header `Authorization`, or None to send none.

        Raises:
            RegistryUnavailable: No answer in time, or a broken one.
        """
        timeouts = self._timeouts
        left = timeouts.time_left()
        if left <= 0:
            raise RegistryUnavailable("The time for the registry is over.")
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

    def _until(self, deadline: float, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._timeouts.monotonic() > deadline:
                raise RegistryUnavailable("The registry took too long.")
            yield piece


class Transport:
    """Requests to the registry at `base_url`.

    Args:
        exchange: Sends them.
        base_url: Scheme, host and port. No request leaves this origin.
        credential: What to show the registry.
        timeouts: How long to wait for it.
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
        """For the registry to take a piece of what is sent."""
        return self._timeouts.connect_seconds

    def persistently(self, attempt: Callable[[], Result]) -> Result:
        """Return what `attempt` returns, trying again after `RegistryUnavailable` at most twice.

        A registry that says when to come back is not asked earlier, and not again if that would take too long.

        Raises:
            RegistryRefused: At once: asking again would change nothing.
            RegistryUnavailable: The last attempt's.
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

        Any 2xx is an answer: registries differ in which one they say (containers/image #381). A credential that the
        registry no longer takes is replaced once; where it says how it wants to be shown one, that is done.

        Args:
            method: The HTTP method.
            url: A path and query, or a whole URL of this registry.
            scopes: What it takes to be let in.
            also: The statuses besides 2xx that are an answer to the question.
            headers: As for `Exchange.ask`.
            body: Makes the body's pieces, anew for each call.

        Raises:
            RegistryUnavailable: No answer in time, a broken one, or 5xx.
            RegistryThrottled: 429, or another way of saying the same.
            RegistryRefused: Any other status that is not in `also`, or a URL of another origin.
            RegistryRefused, RegistryUnavailable, ServiceUnavailable: There is no credential; as for `Credential`.
        """
        target = on_origin(self._base_url, url)
        answer = self._admitted(method, target, scopes, headers, body)
        if answer.succeeded or answer.status in also:
            return answer
        raise failure(method, urlsplit(target).path, answer.status, answer.headers, answer.body)

    def resolve(self, location: str, *, relative_to: str) -> str:
        """Return a URL that the registry named, on its origin.

        Args:
            location: As the registry wrote it.
            relative_to: A path, or a URL of this registry: of the request that it answered.

        Raises:
            RegistryRefused: It is on another origin.
        """
        return on_origin(
            self._base_url,
            location,
            relative_to=on_origin(self._base_url, relative_to)[len(self._base_url) :],
        )

    def location(self, answer: Answer, *, relative_to: str) -> str:
        """Return the URL in an answer's `Location`, on the registry's origin.

        Args:
            answer: The answer.
            relative_to: As for `resolve`.

        Raises:
            RegistryUnavailable: It has none.
            RegistryRefused: It is on another origin.
        """
        named = answer.headers.get("Location", "").strip()
        if not named:
            raise RegistryUnavailable("The registry did not say where to go on.")
        return self.resolve(named, relative_to=relative_to)

    def _admitted(
        self, method: str, target: str, scopes: Scopes, headers: Mapping[str, str] | None, body: Body | None
    ) -> Answer:
        shown = self._credential.authorization(scopes=scopes)
        # A login is first tried as the registry likes it best, and then as it takes it.
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
    """Yield at most 4 MiB of a body; the connection is kept for more requests if that was all of it."""
    left = _BODY_BYTES
    while left and (piece := response.read1(left)):
        left -= len(piece)
        yield piece
    if left:
        response.release_conn()
