"""GET requests to hosts that a client or a third party names.

The guard checks each target, one budget bounds all requests of a read, and each redirect is checked before it is
followed.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urljoin

import urllib3
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from packyard.errors import RegistryUnavailable
from packyard.network.budget import Budget
from packyard.network.guard import Guard, Origin
from packyard.network.guarded_connection import guarded_pool
from packyard.registry.statuses import REDIRECTS

_MAX_REDIRECTS: Final = 5
_CHUNK_BYTES: Final = 64 << 10
_USER_AGENT: Final = "packyard"


class BodyTooLarge(Exception):
    """A body is larger than the given limit."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body has not been read yet.

    Attributes:
        status: The HTTP status, after redirects.
        redirected: Whether a redirect led to another origin than that of the request, even if a later one led back.
        url: The URL that answered, after redirects.
    """

    status: int
    redirected: bool
    url: str
    _response: urllib3.BaseHTTPResponse

    def header(self, name: str) -> str:
        """Return a header's value, or an empty text if it is absent."""
        return self._response.headers.get(name, "")

    def headers(self, name: str) -> list[str]:
        """Return the values of a header that may occur several times."""
        return self._response.headers.getlist(name)

    def read(self, max_bytes: int) -> bytes:
        """Return the body.

        Raises:
            BodyTooLarge: It has more than `max_bytes` bytes.
            RegistryUnavailable: It ended early, or did not arrive in time.
        """
        body = bytearray()
        for chunk in self.chunks():
            body += chunk
            if len(body) > max_bytes:
                raise BodyTooLarge
        return bytes(body)

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces of at most 64 KiB. Once it is read to its end, the connection can be reused.

        Raises:
            RegistryUnavailable: It ended early, or did not arrive in time.
        """
        with _outages_translated():
            while piece := self._response.read1(_CHUNK_BYTES):
                yield piece
            self._response.release_conn()


class GuardedHttp:
    """Sends the requests of one read. A context manager that closes its connections when it ends.

    Args:
        guard: Checks targets and opens connections.
        budget: The time limit for all requests together.
        tls: Returns the TLS context; called only when it is needed.
    """

    def __init__(self, *, guard: Guard, budget: Budget, tls: Callable[[], ssl.SSLContext]) -> None:
        self._guard = guard
        self._budget = budget
        self._tls = tls
        self._pools: dict[Origin, HTTPConnectionPool] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @contextmanager
    def get(
        self, url: str, *, accept: str, authorization: str | None, byte_range: str | None = None
    ) -> Iterator[Reply]:
        """Send a GET request, follow at most five redirects, and keep the answer open while the context lasts.

        Args:
            url: An absolute URL.
            accept: The value of `Accept`.
            authorization: The value of `Authorization`, sent to the origin of `url` only; None to send none.
            byte_range: The value of `Range`, sent after redirects too; None to request everything.

        Raises:
            TargetRefused: `url`, or a redirect, leads to a host that may not be reached.
            RegistryUnavailable: There was no complete answer in time, or there were too many redirects.
        """
        headers = {"Accept": accept, "User-Agent": _USER_AGENT}
        if byte_range is not None:
            headers["Range"] = byte_range
        asked, _ = self._guard.target_of(url)
        redirected = False
        for _ in range(_MAX_REDIRECTS + 1):
            origin, target = self._guard.target_of(url)
            redirected = redirected or origin != asked
            if redirected:
                authorization = None
            credentials = {} if authorization is None else {"Authorization": authorization}
            with self._exchange(origin, target, headers | credentials) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or not location:
                    yield Reply(response.status, redirected, url, response)
                    return
            url = _joined(url, location)
        raise RegistryUnavailable("The registry redirects too often.")

    @contextmanager
    def _exchange(
        self, origin: Origin, target: str, headers: Mapping[str, str]
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        with _outages_translated(origin.host):
            response = self._pool(origin).request(
                "GET",
                target,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=self._budget.next_timeout(),
            )
        # This also closes the connection, unless the body has been read to its end.
        with response:
            yield response

    def _pool(self, origin: Origin) -> HTTPConnectionPool:
        if origin not in self._pools:
            pool = guarded_pool(origin, guard=self._guard, budget=self._budget, tls=self._tls)
            self._pools[origin] = self._open.enter_context(pool)
        return self._pools[origin]


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise RegistryUnavailable("The registry redirects to nowhere.") from None


@contextmanager
def _outages_translated(host: str = "") -> Iterator[None]:
    """Raise urllib3's errors and the end of the budget as RegistryUnavailable."""
    try:
        yield
    except (HTTPError, TimeoutError) as error:
        whose = f"The registry at {host}" if host else "The registry"
        raise RegistryUnavailable(
            f"{whose} did not answer, or not in time; check its address, or try again."
        ) from error
