"""The HTTP handler of a registry for tests: reads a request, asks the registry, and applies the chosen mood."""

from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from tests.fake_registry.messages import Reply, Request
from tests.fake_registry.moods import (
    Calls,
    CutsOff,
    Drips,
    DripsHeaders,
    Garbles,
    HangsUp,
    KnowsNoRanges,
    Lies,
    Mood,
    NeverEnds,
    Redirects,
    Refuses,
    Restates,
    Says,
    SendsElsewhere,
    Stalls,
    TakesNothing,
)

from packyard.oci.digest import digest_of

_STRANGER = digest_of(b"something else")


class Registry(Protocol):
    """The registry that a handler serves."""

    closing: Event

    def mood(self, request: Request) -> Mood | None:
        """Return the first mood that claims a request."""
        ...

    def respond(self, request: Request) -> Reply:
        """Answer a request."""
        ...


class Server(ThreadingHTTPServer):
    """A server that prints nothing when a client closes a connection, even during a TLS handshake."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent."""


class Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the registry, and applies the chosen mood."""

    registry: Registry
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        target = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(target.query).items()}
        request = Request(self.command, target.path, query, self.headers, raw_query=target.query)
        mood = self.registry.mood(request)
        if isinstance(mood, HangsUp | TakesNothing):
            self.registry.closing.wait(mood.seconds if isinstance(mood, TakesNothing) else 0)
            self.close_connection = True
            return
        body = self._body()
        if isinstance(mood, Refuses):
            self._send(Reply(HTTPStatus(mood.status), body=b"not today"), mood)
            return
        if isinstance(mood, Says | NeverEnds | DripsHeaders):
            self._misbehave(mood)
            return
        if isinstance(mood, KnowsNoRanges):
            del self.headers["Range"]
        reply = self.registry.respond(replace(request, body=body))
        self._send(self._acted_out(reply, mood), mood)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _acted_out(self, reply: Reply, mood: Mood | None) -> Reply:
        match mood:
            case Stalls():
                self.registry.closing.wait(mood.seconds)
            case Lies():
                reply.headers["Docker-Content-Digest"] = _STRANGER
            case Garbles():
                reply.body = bytes(len(reply.body))
            case Calls():
                reply.headers.pop("Content-Type", None)
                reply.headers |= {} if mood.content_type is None else {"Content-Type": mood.content_type}
            case SendsElsewhere():
                reply.headers["Location"] = mood.base_url + reply.headers["Location"]
            case Redirects():
                return Reply(HTTPStatus.TEMPORARY_REDIRECT, {"Location": mood.base_url + self.path})
            case Restates():
                return replace(reply, status=HTTPStatus(mood.status))
        return reply

    def _send(self, reply: Reply, mood: Mood | None) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        match mood:
            case CutsOff():
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self.close_connection = True
            case Drips():
                self._drip(reply.body, mood.seconds)
            case _:
                self.wfile.write(reply.body)

    def _misbehave(self, mood: Says | NeverEnds | DripsHeaders) -> None:
        # A connection that closes without notice may receive the next request meanwhile, so GETs keep theirs open.
        self.close_connection = not isinstance(mood, Says) or self.command != "GET"
        status = mood.status if isinstance(mood, Says) else HTTPStatus.OK
        if isinstance(mood, Says) and not mood.dated:
            self.send_response_only(status)
        else:
            self.send_response(status)
        if isinstance(mood, DripsHeaders):
            while not self.registry.closing.wait(mood.seconds):
                self.send_header("X-Drip", "drop")
                self.flush_headers()
        elif isinstance(mood, Says):
            for name, value in (*mood.headers, ("Content-Length", str(len(mood.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(mood.body)
        else:
            self.end_headers()
            while not self.registry.closing.is_set():
                self.wfile.write(bytes(1 << 16))

    def _body(self) -> bytes:
        """Read a body as long as its header says, or in chunks (RFC 9112, section 7.1)."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _drip(self, body: bytes, seconds: float) -> None:
        for byte in body:
            if self.registry.closing.wait(seconds):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
        """Print nothing."""
