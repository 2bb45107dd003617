"""What lies between us and a registry: passes every byte on, and counts what goes over the wire."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Final

_PIECE_BYTES: Final = 64 << 10
_END_OF_HEADERS: Final = b"\r\n\r\n"


@dataclass
class Wire:
    """Counts since the last `reset`.

    Attributes:
        host: What to call instead of the registry: host and port.
        requests: Requests without a body: what has one is counted wrongly.
        ranges: Of these, those for a part.
        fetched: Bytes that came back, headers included, and what nobody read of them too.
    """

    host: str = ""
    requests: int = 0
    ranges: int = 0
    fetched: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Count from nothing."""
        with self._lock:
            self.requests, self.ranges, self.fetched = 0, 0, 0

    def sent(self, headers: bytes) -> None:
        """Count one request."""
        with self._lock:
            self.requests += 1
            self.ranges += b"\r\nrange:" in headers.lower()

    def received(self, count: int) -> None:
        """Count bytes of an answer."""
        with self._lock:
            self.fetched += count


@contextmanager
def wired(host: str) -> Iterator[Wire]:
    """Run a wire to `host`, which names its port, while the block lasts."""
    wire = Wire()
    name, _, port = host.rpartition(":")

    class Handler(_Handler):
        """Of this wire."""

        counter = wire
        behind = (name, int(port))

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        wire.host = f"127.0.0.1:{server.server_address[1]}"
        try:
            yield wire
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseRequestHandler):
    counter: Wire
    behind: tuple[str, int]
    request: socket.socket

    def handle(self) -> None:
        """Pass one connection on, both ways."""
        with socket.create_connection(self.behind) as registry:
            for end in (self.request, registry):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=self._pass_back, args=(registry,), daemon=True)
            back.start()
            pending = b""
            with suppress(OSError):
                while piece := self.request.recv(_PIECE_BYTES):
                    *heads, pending = (pending + piece).split(_END_OF_HEADERS)
                    pending = pending[-_PIECE_BYTES:]
                    for head in heads:
                        self.counter.sent(head)
                    registry.sendall(piece)
            # Whoever hangs up wants nothing more of what is still on its way.
            with suppress(OSError):
                registry.shutdown(socket.SHUT_RDWR)
            back.join()

    def _pass_back(self, registry: socket.socket) -> None:
        with suppress(OSError):
            while piece := registry.recv(_PIECE_BYTES):
                self.counter.received(len(piece))
                self.request.sendall(piece)
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)
