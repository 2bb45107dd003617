"""urllib3's connections, opened by the guard and held to a budget at every single receive.

A time-out of the usual kind starts anew with each byte, so that a server which sends one now and then, be it
in its headers, could keep us for ever.
"""

import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from packyard.registry.third_party.budget import Budget
from packyard.registry.third_party.guard import Guard, Origin

if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class _Budgeted(_Socket):
    """Waits, each time it receives, for no longer than the budget has left."""

    budget: Budget | None = None

    def recv_into(self, *arguments: Any) -> int:
        """See `socket.socket`; every read of a response comes down to this."""
        if self.budget is not None:
            self.settimeout(self.budget.seconds_allowed())
        return super().recv_into(*arguments)


class _BudgetedSocket(_Budgeted, socket.socket):
    pass


class _BudgetedTlsSocket(_Budgeted, ssl.SSLSocket):
    pass


class _GuardedHttp(HTTPConnection):
    """A connection without TLS, to the one origin that the guard is asked about."""

    def __init__(self, *, guard: Guard, origin: Origin, budget: Budget, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._guard = guard
        self._origin = origin
        self._budget = budget

    def _new_conn(self) -> socket.socket:
        """Connect as the guard allows; urllib3 then adds TLS, which it verifies against the host's name."""
        try:
            opened = self._guard.open(self._origin, self._budget.seconds_allowed)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        timeout = opened.gettimeout()
        budgeted = _BudgetedSocket(fileno=opened.detach())
        budgeted.settimeout(timeout)
        return budgeted

    def connect(self) -> None:
        """Connect, and hold what is received from then on to the budget."""
        super().connect()
        if isinstance(self.sock, _Budgeted):
            self.sock.budget = self._budget


class _GuardedHttps(_GuardedHttp, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHttp


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHttps


def guarded_pool(
    origin: Origin, *, guard: Guard, budget: Budget, tls: Callable[[], ssl.SSLContext]
) -> HTTPConnectionPool:
    """Return a pool of one connection to `origin`; proxies that the environment names play no part.

    Args:
        origin: From `Guard.target_of`.
        guard: Opens the connection.
        budget: Bounds every wait.
        tls: Returns what `tls_context` made.
    """
    arguments: dict[str, Any] = {"guard": guard, "origin": origin, "budget": budget}
    if origin.scheme == "http":
        return _HttpPool(origin.host, origin.port, maxsize=1, **arguments)
    return _HttpsPool(origin.host, origin.port, maxsize=1, ssl_context=tls(), **arguments)


def tls_context(authorities: str | None = None) -> ssl.SSLContext:
    """Return how TLS is spoken: certificates and host names are verified.

    Args:
        authorities: Certificates in PEM of those who are believed; the system's when None.
    """
    context = ssl.create_default_context(cadata=authorities)
    context.sslsocket_class = _BudgetedTlsSocket
    return context
