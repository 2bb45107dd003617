"""A registry for tests: the OCI distribution API over HTTP on a loopback port, with moods.

It passes the same contract tests as a real registry does (`tests/integration/registry`), so what a test
learns from it holds. Endpoint numbers (`end-2`) are those of the OCI distribution-spec.
"""

import json
import re
import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tests.fake_registry.flavours import PLAIN, Flavour, dressed
from tests.fake_registry.handler import Handler, Server
from tests.fake_registry.messages import Reply, Request
from tests.fake_registry.moods import Mood
from tests.fake_registry.shelves import Manifest, Refusal, Repository, Shelves

from packyard.oci.media_types import INDEX

if TYPE_CHECKING:
    from tests.fake_registry.tokens import Tokens

_NAME = r"/v2/(?P<name>[a-z0-9._/-]+?)"


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
        tokens: What `/token` hands out instead, for certain scopes; then every request must show one of these.

    Args:
        url: Its base URL, when it is not known by its loopback address.
        flavour: What it answers as.
        tls: Speaks TLS with it, when given.
    """

    def __init__(
        self, *, url: str | None = None, flavour: Flavour = PLAIN, tls: ssl.SSLContext | None = None
    ) -> None:
        self.flavour = flavour
        self.tokens: Tokens | None = None
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
        self._server = Server(("127.0.0.1", 0), type("OurHandler", (Handler,), {"registry": self}))
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
        """Record the request, and return the first mood that matches it."""
        with self._lock:
            self.requests.append(request)
            return next((mood for mood in self.moods if mood.claims(request.method, request.path)), None)

    def respond(self, request: Request) -> Reply:
        """Answer a request as the specification requires."""
        request = replace(request, query=self.flavour.query(request.query))
        try:
            with self._lock:
                self._authenticate(request)
                for method, pattern, respond in _ROUTES:
                    matched = re.fullmatch(pattern, request.path)
                    if matched and request.method in method.split():
                        reply = respond(self, request, matched.groupdict())
                        return self._dressed(request, reply)
            return Reply(HTTPStatus.NOT_FOUND)
        except Refusal as refusal:
            reply = Reply(refusal.status, body=b'{"errors":[{"code":"%s"}]}' % refusal.code.encode())
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                reply.headers["WWW-Authenticate"] = self._challenge(request)
            return reply

    def _dressed(self, request: Request, reply: Reply) -> Reply:
        found: Reply = dressed(
            reply, self.flavour, method=request.method, path=request.path, base_url=self.url
        )
        return found

    def _authenticate(self, request: Request) -> None:
        if request.path == "/token":
            self._authenticate_for_token(request)
            return
        if self.tokens is not None:
            shown = request.headers.get("Authorization", "")
            if not self.tokens.allow(shown, request.method, request.path, request.query):
                raise Refusal(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")
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

    def _challenge(self, request: Request) -> str:
        if self.tokens is not None:
            scope = self.tokens.scope(request.method, request.path)
            return f'Bearer realm="{self.realm or f"{self.url}/token"}",service="fake",scope="{scope}"'
        if self.bearer is not None:
            scope = "" if self.scope is None else f',scope="{self.scope}"'
            return f'Bearer realm="{self.realm or f"{self.url}/token"}",service="fake"{scope}'
        return 'Basic realm="fake"'


def _ping(_registry: FakeRegistry, _request: Request, _groups: dict[str, str]) -> Reply:
    return Reply(HTTPStatus.OK, body=b"{}")


def _token(registry: FakeRegistry, request: Request, _groups: dict[str, str]) -> Reply:
    if registry.tokens is not None:
        return Reply(
            HTTPStatus.OK,
            body=registry.tokens.token(request.headers.get("Authorization", ""), request.raw_query),
        )
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
    reply = _created(f"/v2/{groups['name']}/manifests/{manifest.digest}", manifest.digest)
    subject = manifest.subject
    if subject is not None and registry.flavour.lists_referrers:
        reply.headers["OCI-Subject"] = subject
    return reply


def _list_referrers(registry: FakeRegistry, _request: Request, groups: dict[str, str]) -> Reply:
    """end-12a; a registry without it answers 404."""
    if not registry.flavour.lists_referrers:
        return Reply(HTTPStatus.NOT_FOUND)
    kept = registry.shelves.repository(groups["name"]).manifests.values()
    found = [manifest.listed() for manifest in kept if manifest.subject == groups["digest"]]
    body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": found}
    return Reply(HTTPStatus.OK, {"Content-Type": INDEX}, json.dumps(body).encode())


def _delete_manifest(registry: FakeRegistry, _request: Request, groups: dict[str, str]) -> Reply:
    """end-9."""
    registry.shelves.repository(groups["name"]).delete_manifest(groups["reference"])
    return Reply(HTTPStatus.ACCEPTED)


def _list_tags(registry: FakeRegistry, request: Request, groups: dict[str, str]) -> Reply:
    """end-8a, and end-8b: at most `n` tags after `last`, with a link to the next page."""
    flavour = registry.flavour
    after, most = request.query.get("last", ""), int(request.query.get("n", flavour.longest_page))
    if most > flavour.longest_page:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAGINATION_NUMBER_INVALID")
    found = sorted(tag for tag in registry.shelves.repository(groups["name"]).tags if tag > after)
    headers = {"Content-Type": "application/json"}
    if len(found) > most:
        headers["Link"] = f'</v2/{groups["name"]}/tags/list?n={most}&last={found[most - 1]}>; rel="next"'
    tags = b"[%s]" % ",".join(f'"{tag}"' for tag in found[:most]).encode() if found else flavour.empty
    return Reply(HTTPStatus.OK, headers, b'{"name":"%s","tags":%s}' % (groups["name"].encode(), tags))


def _created(location: str, digest: str) -> Reply:
    return Reply(HTTPStatus.CREATED, {"Location": location, "Docker-Content-Digest": digest})


def _accepted(name: str, session: str, size: int = 0) -> Reply:
    # The client must keep the query: real registries carry the upload's state in it.
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
    ("GET", _NAME + r"/referrers/(?P<digest>[a-z0-9]+:[a-f0-9]+)", _list_referrers),
)
