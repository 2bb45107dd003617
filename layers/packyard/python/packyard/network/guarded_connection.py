"""Connections of urllib3 that the guard opens, and whose every receive is bounded by a budget.

A socket's timeout starts again with each received byte. With that alone, a server that sends a byte now and then could
keep a request open without end.
"""

import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from packyard.network.budget import Budget
from packyard.network.guard import Guard, Origin

if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class _Budgeted(_Socket):
    """A socket that waits in each receive no longer than the budget allows."""

    budget: Budget | None = None

    def recv_into(self, *arguments: Any) -> int:
        """See `socket.socket`. All reads of a response use this method."""
        if self.budget is not None:
            self.settimeout(self.budget.next_timeout())
        return super().recv_into(*arguments)


class _BudgetedSocket(_Budgeted, socket.socket):
    pass


class _BudgetedTlsSocket(_Budgeted, ssl.SSLSocket):
    pass


class _GuardedHttp(HTTPConnection):
    """A connection without TLS to one origin, opened by the guard."""

    def __init__(self, *, guard: Guard, origin: Origin, budget: Budget, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._guard = guard
        self._origin = origin
        self._budget = budget

    def _new_conn(self) -> socket.socket:
        """Connect through the guard. For https, urllib3 then starts TLS and verifies the host's name."""
        try:
            opened = self._guard.open(self._origin, self._budget.next_timeout)
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
        """Connect, and apply the budget to everything that is received from then on."""
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
    """Return a pool of one connection to `origin`. It ignores proxies that the environment names.

    Args:
        origin: From `Guard.target_of`.
        guard: Opens the connection.
        budget: Bounds every wait.
        tls: Returns a context made by `tls_context`; called only for https.
    """
    arguments: dict[str, Any] = {"guard": guard, "origin": origin, "budget": budget}
    if origin.scheme == "http":
        return _HttpPool(origin.host, origin.port, maxsize=1, **arguments)
    return _HttpsPool(origin.host, origin.port, maxsize=1, ssl_context=tls(), **arguments)


def tls_context(authorities: str | None = None) -> ssl.SSLContext:
    """Return a TLS context that verifies certificates and host names.

    Args:
        authorities: The certificates of the trusted authorities, in PEM; None for the system's.
    """
    context = ssl.create_default_context(cadata=authorities)
    context.sslsocket_class = _BudgetedTlsSocket
    return context
