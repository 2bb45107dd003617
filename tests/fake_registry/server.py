"""A registry for tests: the OCI distribution API over HTTP on a loopback port, with moods.

It passes the same contract tests as a real registry does (`tests/integration/registry`), so what a test
learns from it holds. Endpoint numbers (`end-2`) are those of the OCI distribution-spec.
"""

import re
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

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
from tests.fake_registry.shelves import Manifest, Refusal, Repository, Shelves

from packyard.oci.digest import digest_of

_NAME = r"/v2/(?P<name>[a-z0-9._/-]+?)"
_STRANGER = digest_of(b"something else")


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = b""


@dataclass
class Reply:
    """What is answered; Content-Length is added on the way out."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Respond = Callable[["FakeRegistry", Request, dict[str, str]], Reply]


class FakeRegistry:
    """A context manager: serves while it is open.

    Attributes:
        url: Its base URL.
        shelves: What it keeps.
        moods: How it misbehaves; append to it.
        requests: Everything that was asked of it, bodies left out.
        basic: `user:password` that every request must show, when set.
        bearer: A token that every request must show, when set; `/token` hands it out.
        realm: Where the token is to be had, when not at `/token` here.
        scope: What the challenge states that the token must be for, when set.
        token_user: `user:password` that `/token` must be shown, when set.

    Args:
        url: Its base URL, when it is not known by its loopback address.
        tls: Speaks TLS with it, when given.
    """

    def __init__(self, *, url: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.shelves = Shelves()
        self.moods: list[Mood] = []
        self.requests: list[Request] = []
        self.basic: str | None = None
        self.bearer: str | None = None
        self.realm: str | None = None
        self.scope: str | None = None
        self.token_user: str | None = None
        self.closing = Event()
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"registry": self}))
        self.port = self._server.server_port
        self.url = url or f"http://127.0.0.1:{self.port}"
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def mood(self, request: Request) -> Mood | None:
        """Return the first mood that claims a request; remembers the request."""
        with self._lock:
            self.requests.append(request)
            return next((mood for mood in self.moods if mood.claims(request.method, request.path)), None)

    def respond(self, request: Request) -> Reply:
        """Answer a request as the specification has it."""
        try:
            with self._lock:
                self._authenticate(request)
                for method, pattern, respond in _ROUTES:
                    matched = re.fullmatch(pattern, request.path)
                    if matched and request.method in method.split():
                        return respond(self, request, matched.groupdict())
            return Reply(HTTPStatus.NOT_FOUND)
        except Refusal as refusal:
            reply = Reply(refusal.status, body=b'{"errors":[{"code":"%s"}]}' % refusal.code.encode())
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                reply.headers["WWW-Authenticate"] = self._challenge()
            return reply

    def _authenticate(self, request: Request) -> None:
        if request.path == "/token":
            self._authenticate_for_token(request)
            return
        wanted = set()
        if self.basic is not None:
            wanted.add(f"Basic {b64encode(self.basic.encode()).decode()}")
        if self.bearer is not None:
            wanted.add(f"Bearer {self.bearer}")
        if wanted and request.headers.get("Authorization") not in wanted:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")

    def _authenticate_for_token(self, request: Request) -> None:
        shown = request.headers.get("Authorization")
        if self.token_user is not None and shown != f"Basic {b64encode(self.token_user.encode()).decode()}":
            raise Refusal(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")

    def _challenge(self) -> str:
        if self.bearer is not None:
            scope = "" if self.scope is None else f',scope="{self.scope}"'
            return f'Bearer realm="{self.realm or f"{self.url}/token"}",service="fake"{scope}'
        return 'Basic realm="fake"'


def _ping(_registry: FakeRegistry, _request: Request, _groups: dict[str, str]) -> Reply:
    return Reply(HTTPStatus.OK, body=b"{}")


def _token(registry: FakeRegistry, _request: Request, _groups: dict[str, str]) -> Reply:
    return Reply(HTTPStatus.OK, body=b'{"token":"%s"}' % (registry.bearer or "").encode())


def _get_blob(registry: FakeRegistry, request: Request, groups: dict[str, str]) -> Reply:
    """end-2, with one range (RFC 9110, section 14)."""
    blob = registry.shelves.repository(groups["name"]).blob(groups["digest"])
    headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": groups["digest"]}
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    if wanted is None:
        return Reply(HTTPStatus.OK, headers | {"Accept-Ranges": "bytes"}, blob)
    start, end = int(wanted[1]), min(int(wanted[2] or len(blob)), len(blob) - 1)
    if start > end:
        raise Refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "SIZE_INVALID")
    headers["Content-Range"] = f"bytes {start}-{end}/{len(blob)}"
    return Reply(HTTPStatus.PARTIAL_CONTENT, headers, blob[start : end + 1])


def _begin_upload(registry: FakeRegistry, request: Request, groups: dict[str, str]) -> Reply:
    """end-4a, end-4b (`digest`: all in one request) and end-11 (`mount`: from another repository)."""
    repository = registry.shelves.repository(groups["name"], create=True)
    if "mount" in request.query:
        source = registry.shelves.repositories.get(request.query.get("from", ""), Repository())
        for digest, blob in source.blobs.items():
            if digest == request.query["mount"]:
                repository.blobs[digest] = blob
                return _created(f"/v2/{groups['name']}/blobs/{digest}", digest)
    session = repository.begin_upload()
    if "digest" in request.query:
        digest = repository.finish_upload(session, request.body, request.query["digest"])
        return _created(f"/v2/{groups['name']}/blobs/{digest}", digest)
    return _accepted(groups["name"], session)


def _append_to_upload(registry: FakeRegistry, request: Request, groups: dict[str, str]) -> Reply:
    """end-5."""
    repository = registry.shelves.repository(groups["name"])
    ranged = re.fullmatch(r"(\d+)-\d+", request.headers.get("Content-Range", ""))
    size = repository.append(groups["session"], request.body, start=int(ranged[1]) if ranged else None)
    return _accepted(groups["name"], groups["session"], size)


def _finish_upload(registry: FakeRegistry, request: Request, groups: dict[str, str]) -> Reply:
    """end-6."""
    repository = registry.shelves.repository(groups["name"])
    if request.query.get("state") != "kept":
        raise Refusal(HTTPStatus.BAD_REQUEST, "BLOB_UPLOAD_INVALID")
    digest = repository.finish_upload(groups["session"], request.body, request.query.get("digest", ""))
    return _created(f"/v2/{groups['name']}/blobs/{digest}", digest)


def _get_upload(registry: FakeRegistry, _request: Request, groups: dict[str, str]) -> Reply:
    """end-13."""
    size = len(registry.shelves.repository(groups["name"]).upload(groups["session"]))
    reply = _accepted(groups["name"], groups["session"], size)
    reply.status = HTTPStatus.NO_CONTENT
    return reply


def _cancel_upload(registry: FakeRegistry, _request: Request, groups: dict[str, str]) -> Reply:
    """end-14."""
    registry.shelves.repository(groups["name"]).cancel_upload(groups["session"])
    return Reply(HTTPStatus.NO_CONTENT)


def _get_manifest(registry: FakeRegistry, _request: Request, groups: dict[str, str]) -> Reply:
    """end-3."""
    manifest = registry.shelves.repository(groups["name"]).manifest(groups["reference"])
    headers = {"Content-Type": manifest.media_type, "Docker-Content-Digest": manifest.digest}
    return Reply(HTTPStatus.OK, headers, manifest.raw)


def _put_manifest(registry: FakeRegistry, request: Request, groups: dict[str, str]) -> Reply:
    """end-7."""
    manifest = Manifest(request.headers.get("Content-Type", ""), request.body)
    registry.shelves.repository(groups["name"], create=True).put_manifest(groups["reference"], manifest)
    return _created(f"/v2/{groups['name']}/manifests/{manifest.digest}", manifest.digest)


def _delete_manifest(registry: FakeRegistry, _request: Request, groups: dict[str, str]) -> Reply:
    """end-9."""
    registry.shelves.repository(groups["name"]).delete_manifest(groups["reference"])
    return Reply(HTTPStatus.ACCEPTED)


def _list_tags(registry: FakeRegistry, request: Request, groups: dict[str, str]) -> Reply:
    """end-8a, and end-8b: at most `n`, behind `last`."""
    after, most = request.query.get("last", ""), int(request.query.get("n", "1000"))
    found = sorted(tag for tag in registry.shelves.repository(groups["name"]).tags if tag > after)
    tags = ",".join(f'"{tag}"' for tag in found[:most])
    body = f'{{"name":"{groups["name"]}","tags":[{tags}]}}'
    return Reply(HTTPStatus.OK, {"Content-Type": "application/json"}, body.encode())


def _created(location: str, digest: str) -> Reply:
    return Reply(HTTPStatus.CREATED, {"Location": location, "Docker-Content-Digest": digest})


def _accepted(name: str, session: str, size: int = 0) -> Reply:
    # The query is for the client to keep: real registries carry the upload's state in one.
    location = f"/v2/{name}/blobs/uploads/{session}?state=kept"
    return Reply(HTTPStatus.ACCEPTED, {"Location": location, "Range": f"0-{max(0, size - 1)}"})


_UPLOAD = _NAME + r"/blobs/uploads/(?P<session>[a-f0-9-]+)"
_MANIFEST = _NAME + r"/manifests/(?P<reference>[A-Za-z0-9_.:-]+)"
_ROUTES: tuple[tuple[str, str, Respond], ...] = (
    ("GET", r"/v2/", _ping),
    ("GET", r"/token", _token),
    ("GET HEAD", _NAME + r"/blobs/(?P<digest>[a-z0-9]+:[a-f0-9]+)", _get_blob),
    ("POST", _NAME + r"/blobs/uploads/", _begin_upload),
    ("PATCH", _UPLOAD, _append_to_upload),
    ("PUT", _UPLOAD, _finish_upload),
    ("GET", _UPLOAD, _get_upload),
    ("DELETE", _UPLOAD, _cancel_upload),
    ("GET HEAD", _MANIFEST, _get_manifest),
    ("PUT", _MANIFEST, _put_manifest),
    ("DELETE", _MANIFEST, _delete_manifest),
    ("GET", _NAME + r"/tags/list", _list_tags),
)


class _Server(ThreadingHTTPServer):
    """Whoever hangs up on it, in the middle of a handshake too, does so without a word on the screen."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent."""


class _Handler(BaseHTTPRequestHandler):
    """The wire: reads a request, asks the registry, and acts out its mood."""

    registry: FakeRegistry
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        target = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(target.query).items()}
        request = Request(self.command, target.path, query, self.headers)
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
        reply = self.registry.respond(Request(self.command, target.path, query, self.headers, body))
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
        # A connection that is closed without a word may be met by the next request while that happens.
        self.close_connection = not isinstance(mood, Says) or self.command != "GET"
        self.send_response(mood.status if isinstance(mood, Says) else HTTPStatus.OK)
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
        """Stay silent: a test prints nothing."""
