"""The service's API: requests with a credential, repeats where they are safe, refusals as failures.

What is repeated: every request that was refused for now (429, 503), which has changed nothing (API contract, section
5), and requests that may be sent twice (GET, DELETE, POST with an Idempotency-Key) also when no answer came, or one
that was cut off.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final, Protocol, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit
from uuid import uuid4

from packyard_cli.failure import Exit, Failure
from packyard_cli.refusals import refusal_of
from packyard_cli.settings import Login
from packyard_cli.wire import Received, Unreached

_Taken = TypeVar("_Taken")
MAX_DOCUMENT: Final = 64 << 20
_ATTEMPTS: Final = 5
_LONGEST_WAIT: Final = 30.0
_FOR_NOW: Final = frozenset({429, 503})
_PASSING: Final = frozenset({429, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# What addresses are made of; all else is encoded.
_IN_SOURCES: Final = ":/@#?&=+%,._-~"
_MAX_SOURCE: Final = 512
_MAX_REDIRECTS: Final = 5


class Transport(Protocol):
    """What sends requests: `Wire`, or a test's own."""

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | IO[bytes] | None = None
    ) -> Received:
        """Send one request, as `Wire.send` does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API.

    Attributes:
        status: The HTTP status.
        body: The JSON document; None for none.
        etag: The entity tag; None for none.
    """

    status: int
    body: Any
    etag: str | None


class Sent(Protocol):
    """A body that can be sent again."""

    @property
    def content_type(self) -> str:
        """The media type."""

    def __len__(self) -> int:
        """Return its bytes."""

    def open(self) -> IO[bytes] | bytes:
        """Return what to send, from the start."""


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A JSON document to send."""

    content: bytes
    content_type: str = "application/json"

    @classmethod
    def of(cls, document: Any) -> "JsonBody":
        """Return a body that holds a document."""
        return cls(json.dumps(document).encode())

    def __len__(self) -> int:
        """Return its bytes."""
        return len(self.content)

    def open(self) -> bytes:
        """Return what to send."""
        return self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The API of one service, for one caller.

    Attributes:
        login: Where it is, and the credential.
        transport: Sends requests.
        user_agent: How the command calls itself.
        sleep: Waits for a number of seconds.
        new_key: Makes an idempotency key.
        source: Where what is published comes from, for its provenance; empty for nothing to say.
    """

    login: Login
    transport: Transport
    user_agent: str
    sleep: Callable[[float], None] = time.sleep
    new_key: Callable[[], str] = field(default=lambda: str(uuid4()))
    source: str = ""

    def get(self, path: str, *, query: Mapping[str, str] | None = None, etag: str | None = None) -> Answer:
        """Read a thing; a list that is elsewhere is fetched from there."""
        headers = {"If-None-Match": etag} if etag else {}
        return self.call("GET", path, query=query, headers=headers)

    def call(  # noqa: PLR0913 - by name: what a request has
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Sent | None = None,
        if_match: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request, and return the answer.

        Args:
            method: The HTTP method. A POST gets an Idempotency-Key.
            path: Below the base URL, segments encoded.
            query: Parameters.
            body: What to send.
            if_match: The entity tag that the thing must have.
            headers: More headers.

        Raises:
            Failure: The service refused, or could not be reached.
        """
        sent = {"Accept": "application/json", **(headers or {})}
        if if_match:
            sent["If-Match"] = if_match
        if method == "POST":
            sent["Idempotency-Key"] = self.new_key()
            if self.source:
                sent["Packyard-Source"] = quote(self.source, safe=_IN_SOURCES)[:_MAX_SOURCE]
        twice = method in {"GET", "DELETE", "POST"}
        received, content = self._repeated(
            method, self.url(path, query), sent, body, twice=twice, take=_whole(MAX_DOCUMENT)
        )
        refusal = refusal_of(received.status, received.headers, content)
        if refusal is not None:
            raise refusal
        document = _document(content) if content else None
        return Answer(received.status, document, received.headers.get("ETag"))

    def download(self, path: str, *, limit: int) -> tuple[Mapping[str, str], bytes]:
        """Return what a path of the API leads to: the headers, and the content of at most `limit` bytes.

        Raises:
            Failure: The service refused, could not be reached, or sends more.
        """
        received, content = self._repeated(
            "GET", self.url(path), {}, None, twice=True, take=_whole(max(limit, MAX_DOCUMENT))
        )
        refusal = refusal_of(received.status, received.headers, content)
        if refusal is not None:
            raise refusal
        return received.headers, content

    def fetch(self, url: str) -> Received:
        """Return what any URL leads to; the credential goes to the service's own origin only.

        Raises:
            Failure: It was refused, or could not be reached.
        """
        received = self._repeated("GET", url, {}, None, twice=True, take=_as_it_is)
        refusal = None
        if received.status not in {200, 206}:
            refusal = refusal_of(received.status, received.headers, received.read(MAX_DOCUMENT))
        if refusal is not None:
            raise refusal
        return received

    def pages(
        self, path: str, member: str, *, query: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield everything of a list, page by page."""
        asked = dict(query or {})
        while True:
            body = self.get(path, query=asked).body
            yield from body[member]
            if "next_cursor" not in body:
                return
            asked["cursor"] = body["next_cursor"]

    def url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the URL of a path of the API."""
        return f"{self.login.url}{path}" + (f"?{urlencode(query)}" if query else "")

    def post_elsewhere(self, url: str, body: Sent) -> Received:
        """Post a body to a place that needs no credential, such as a presigned form; it may be sent twice."""
        return self._repeated("POST", url, {}, body, twice=True, take=_as_it_is)

    def pause(self, attempt: int) -> None:
        """Wait before a request is repeated, the longer the more attempts have failed."""
        self.sleep(_wait(attempt, None))

    def _repeated(  # noqa: PLR0913 - by name: what a request has
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Sent | None,
        *,
        twice: bool,
        take: Callable[[Received], _Taken],
    ) -> _Taken:
        """Send a request until there is an answer, and return what `take` makes of it."""
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                received = self._followed(method, url, headers, body)
                seconds = _wait(attempt, received.headers.get("Retry-After"))
                passes = received.status in (_PASSING if twice else _FOR_NOW)
                # A quota may be used up until midnight. Then the user decides.
                if last or not passes or seconds > _LONGEST_WAIT:
                    return take(received)
                received.read(MAX_DOCUMENT)
            except Unreached:
                if last or not twice:
                    raise
                self.pause(attempt)
                continue
            self.sleep(seconds)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _followed(self, method: str, url: str, headers: Mapping[str, str], body: Sent | None) -> Received:
        for _ in range(_MAX_REDIRECTS):
            received = self.transport.send(
                method, url, headers=self._headers(url, headers, body), body=body.open() if body else None
            )
            place = received.headers.get("Location")
            if method != "GET" or received.status not in _REDIRECTS or not place:
                return received
            received.read(MAX_DOCUMENT)
            further = urljoin(url, place)
            if urlsplit(url).scheme == "https" and urlsplit(further).scheme != "https":
                raise Failure(
                    Exit.UNAVAILABLE, "The service led from https to plain http, which is not followed."
                )
            url = further
        raise Failure(Exit.UNAVAILABLE, "The service led from one address to another without an end.")

    def _headers(self, url: str, headers: Mapping[str, str], body: Sent | None) -> dict[str, str]:
        # The gateway sends bytes as they are only to clients that say what they accept.
        sent = {"User-Agent": self.user_agent, "Accept": "*/*", **headers}
        if body is not None:
            sent |= {"Content-Type": body.content_type, "Content-Length": str(len(body))}
        if self.login.token and _below(url, self.login.url):
            sent["Authorization"] = f"Bearer {self.login.token}"
        return sent


def _as_it_is(received: Received) -> Received:
    return received


def _whole(limit: int) -> Callable[[Received], tuple[Received, bytes]]:
    return lambda received: (received, received.read(limit))


def segment(text: str) -> str:
    """Return one segment of a path, encoded.

    Raises:
        Failure: It is empty or dots, which would lead to another path (RFC 3986, section 5.2.4).
    """
    if text in {"", ".", ".."}:
        raise Failure(
            Exit.USAGE,
            f"{text!r} names nothing at the service.",
            "Give the id, name or path as the command's lists show it.",
        )
    return quote(text, safe="")


def role_path(role: str, below: str = "") -> str:
    """Return the path of a role in the API.

    Args:
        role: Its id.
        below: What follows.

    Raises:
        Failure: No role has such an id. In a path, it could lead to another operation.
    """
    from packyard.packs.role import is_role_id  # noqa: PLC0415 - not for packs

    if not is_role_id(role):
        raise Failure(
            Exit.USAGE,
            f"{role!r} is no id of a role: 1 to 128 of A-Z, a-z, 0-9, _, . and -, the first a letter or a digit.",
            "packyard roles list shows the roles.",
        )
    return f"/agent-roles/{segment(role)}{below}"


def file_path(path: str) -> str:
    """Return a file's path as the API takes it: segments encoded one by one."""
    return "/".join(map(segment, path.split("/")))


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise Failure(
            Exit.UNAVAILABLE,
            "The answer is not one of Packyard's.",
            "Check the address (packyard whoami shows it), and any proxy on the way.",
        ) from None


def _below(url: str, base: str) -> bool:
    mine, theirs = urlsplit(base), urlsplit(url)
    same = (mine.scheme, mine.netloc) == (theirs.scheme, theirs.netloc)
    return same and (theirs.path == mine.path or theirs.path.startswith(mine.path.rstrip("/") + "/"))


def _wait(attempt: int, retry_after: str | None) -> float:
    if retry_after and retry_after.isdigit():
        return float(retry_after)
    return min(0.25 * float(2**attempt), _LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311 - no secret
