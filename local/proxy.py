"""A proxy on the loopback interface. It forwards requests unchanged, and lets its caller read or change them."""

import http.client
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from local.emulator import HOST

TIMEOUT_SECONDS: Final = 60
# Headers of one connection, and the length, which is stated again. The host stays, because a signature may cover it.
_NOT_PASSED_ON: Final = frozenset({"connection", "content-length", "transfer-encoding", "expect"})
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Sent:
    """A complete request."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A complete answer. The answer to a HEAD has no body, and its headers state the omitted body's length."""

    status: int
    headers: Message
    body: bytes


PassOn = Callable[[Sent], Received]
# Takes a request and the function that forwards it. None closes the connection without an answer.
Middle = Callable[[Sent, PassOn], Received | None]


@contextmanager
def proxied(
    port: int, middle: Middle, *, listen: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Run a proxy while the block lasts.

    Args:
        port: Where it forwards requests to, on 127.0.0.1.
        middle: Called for every request, several at once.
        listen: The port to listen on; 0 for any free one.
        tls: How it speaks as the https host that a client wants to be connected with by CONNECT; None to refuse that.

    Yields:
        The URL to call instead.
    """

    class Handler(_Handler):
        """Of this proxy."""

        behind = port
        secured = tls

        def answer(self, request: Sent) -> Received | None:
            """Call `middle`."""
            return middle(request, self.pass_on)

    server = _Server((HOST, listen), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that have hung up."""


class _Handler(BaseHTTPRequestHandler):
    behind: int
    secured: ssl.SSLContext | None
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, request: Sent) -> Received | None:
        """Return the answer to a request."""
        raise NotImplementedError

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Log nothing."""

    def pass_on(self, request: Sent) -> Received:
        """Return the answer of the server behind the proxy."""
        headers = {
            key: value for key, value in request.headers.items() if key.lower() not in _NOT_PASSED_ON
        } | {"Content-Length": str(len(request.body))}
        with closing(http.client.HTTPConnection(HOST, self.behind, timeout=TIMEOUT_SECONDS)) as connection:
            connection.request(request.method, request.path, request.body, headers)
            answer = connection.getresponse()
            return Received(answer.status, answer.headers, answer.read())

    def _serve(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        received = self.answer(Sent(self.command, self.path, self.headers, body))
        if received is None:
            self._hang_up()
            return
        self.send_response_only(received.status)
        for key, value in received.headers.items():
            if key.lower() not in _NOT_PASSED_ON:
                self.send_header(key, value)
        # In an answer to HEAD, the length is that of the omitted body.
        length = received.headers.get("Content-Length", "0")
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(received.body)))
        self.end_headers()
        self.wfile.write(received.body)

    # The base class calls a method named after the verb.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def do_CONNECT(self) -> None:
        """Be the host that the client wants, whichever it is, for all that follows on this connection."""
        if self.secured is None:
            self.send_error(501)
            return
        self.send_response_only(200)
        self.end_headers()
        self.connection = self.secured.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        # What came before is not to be taken for a client's wish to close.
        self.close_connection = False

    def finish(self) -> None:
        """Close what `do_CONNECT` has put in the place of the server's own socket."""
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        # Closing the socket object would wait for the file objects made from it.
        os.close(self.connection.detach())
