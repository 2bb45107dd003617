"""The `packyard` command in a test: run in this process, against the real handlers, with a home of its own."""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import IO, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tests import staged_uploads
from tests.aws import BUCKET
from tests.gateway import Request
from tests.publishers import caller_of
from tests.service import ACME, GLOBEX, Service
from urllib3.exceptions import ProtocolError

from packyard.errors import Unauthenticated
from packyard.tenants.caller import Caller
from packyard_cli.ci_tokens import Run
from packyard_cli.context import Context
from packyard_cli.keyrings import Keyring
from packyard_cli.main import run
from packyard_cli.printing import Printer
from packyard_cli.wire import Received, Unreached

URL: Final = "https://acme.packyard.test/v1"
KEY: Final = "sk_acme"
_CALLERS: Final[Mapping[str, Caller]] = {f"Bearer {KEY}": ACME, "Bearer sk_globex": GLOBEX}
_WITHOUT_A_CREDENTIAL: Final = frozenset({"/oidc/exchange", "/.well-known/packyard/keys.json"})
_ROUTES: Final = tuple(
    (method, re.compile(path), function)
    for method, path, function in (
        ("GET", r"/packs", "list_packs"),
        ("POST", r"/packs/upload", "upload_pack"),
        ("POST", r"/packs/uploads", "start_upload"),
        ("GET", r"/packs/uploads/[^/]+", "get_upload"),
        ("GET", r"/packs/[^/]+", "get_pack"),
        ("PUT", r"/packs/[^/]+", "replace_pack"),
        ("PATCH", r"/packs/[^/]+", "update_pack"),
        ("DELETE", r"/packs/[^/]+", "delete_pack"),
        ("POST", r"/packs/[^/]+/clone", "clone_pack"),
        ("POST", r"/packs/[^/]+/changes", "change_pack"),
        ("GET", r"/packs/[^/]+/files", "list_files"),
        ("GET", r"/packs/[^/]+/files/.+", "get_file"),
        ("PUT", r"/packs/[^/]+/files/.+", "put_file"),
        ("GET", r"/packs/[^/]+/revisions", "list_revisions"),
        ("GET", r"/packs/[^/]+/revisions/[^/]+", "list_revisions"),
        ("GET", r"/packs/[^/]+/diff", "get_diff"),
        ("GET", r"/packs/[^/]+/references", "list_revisions"),
        ("POST", r"/packs/[^/]+/revisions/[^/]+/withdrawal", "withdraw_revision"),
        ("DELETE", r"/packs/[^/]+/revisions/[^/]+/withdrawal", "withdraw_revision"),
        ("DELETE", r"/packs/[^/]+/revisions/[^/]+", "delete_revision"),
        ("GET", r"/packs/[^/]+/retention", "retention"),
        ("PUT", r"/packs/[^/]+/retention", "retention"),
        ("GET", r"/keys", "keys"),
        ("GET", r"/events", "list_events"),
        ("GET", r"/version-policy", "policies"),
        ("PUT", r"/version-policy", "policies"),
        ("GET", r"/signature-policy", "policies"),
        ("PUT", r"/signature-policy", "policies"),
        ("GET", r"/packs/[^/]+/scan", "pack_scan"),
        ("POST", r"/packs/[^/]+/scan/overrides", "pack_scan"),
        ("GET", r"/scan-policy", "policies"),
        ("PUT", r"/scan-policy", "policies"),
        ("GET", r"/usage", "get_usage"),
        ("POST", r"/keys", "keys"),
        ("DELETE", r"/keys/[^/]+", "keys"),
        ("GET", r"/feeds", "feeds"),
        ("POST", r"/feeds", "feeds"),
        ("GET", r"/feeds/[^/]+", "feeds"),
        ("DELETE", r"/feeds/[^/]+", "feeds"),
        ("POST", r"/oidc/exchange", "exchange_oidc"),
        ("GET", r"/trusted-publishers", "trusted_publishers"),
        ("POST", r"/trusted-publishers", "trusted_publishers"),
        ("DELETE", r"/trusted-publishers/[^/]+", "trusted_publishers"),
        ("GET", r"/webhooks", "webhooks"),
        ("POST", r"/webhooks", "webhooks"),
        ("GET", r"/webhooks/[^/]+", "webhooks"),
        ("PATCH", r"/webhooks/[^/]+", "webhooks"),
        ("DELETE", r"/webhooks/[^/]+", "webhooks"),
        ("POST", r"/webhooks/[^/]+/rotate", "webhooks"),
        ("GET", r"/webhooks/[^/]+/deliveries", "webhook_deliveries"),
        ("POST", r"/webhooks/[^/]+/(test|deliveries/[^/]+/redelivery)", "webhook_deliveries"),
        ("PUT", r"/agent-roles/[^/]+/packs", "set_role_packs"),
        ("GET", r"/agent-roles/[^/]+/packs", "get_role_packs"),
        ("POST", r"/agent-roles/[^/]+/pull-token", "issue_pull_token"),
    )
)
# Of a deployment that signs.
_SIGNING_ROUTES: Final = tuple(
    ("GET", re.compile(path), function)
    for path, function in (
        (r"/packs/[^/]+/attestations", "list_attestations"),
        (r"/\.well-known/packyard/keys\.json", "signing_keys"),
    )
)
_REFUSED: Final = {
    "error": {"code": "unauthenticated", "message": "A valid credential is required.", "request_id": "r"}
}


def _caller(service: Service, authorization: str) -> Caller | None:
    """Return whom a credential stands for: a test's own, or a key that the service has made."""
    known = _CALLERS.get(authorization)
    if known is None and authorization:
        with suppress(Unauthenticated):
            return caller_of(service, authorization.removeprefix("Bearer "))
    return known


class Body:
    """An answer's bytes, as urllib3 gives them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, size: int, *, decode_content: bool) -> Iterator[bytes]:
        """Yield the content."""
        assert decode_content
        for start in range(0, len(self._content), size):
            yield self._content[start : start + size]

    def release_conn(self) -> None:
        """Do nothing: there is no connection."""


class CutOff(Body):
    """The first bytes of an answer whose connection breaks off."""

    def stream(self, size: int, *, decode_content: bool) -> Iterator[bytes]:
        """Yield some content, and fail."""
        yield from super().stream(size, decode_content=decode_content)
        raise ProtocolError("Connection broken")


def received(status: int, body: Any = None, **headers: str) -> Received:
    """Return an answer: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Received(status, {name.replace("_", "-"): text for name, text in headers.items()}, Body(content))


@dataclass
class Gateway:
    """Stands for the network: API Gateway before the real handlers, and the staging bucket.

    Attributes:
        service: What answers; None where nothing does.
        sent: Method and URL of each request, in order.
        headers: The headers of each request.
        answers: What answers instead, by method and a pattern of the URL. Each is called with the request's number
            among those that match.
        signs: Whether the service signs what it builds; without that, it is one from before that was possible.
    """

    service: Service | None
    signs: bool = False
    sent: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    answers: list[tuple[str, re.Pattern[str], Callable[[int], Received | None]]] = field(default_factory=list)
    one_by_one: RLock = field(default_factory=RLock)

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | IO[bytes] | None = None
    ) -> Received:
        """Send a request, one after the other."""
        with self.one_by_one:
            return self._send(method, url, headers=headers, body=body)

    def _send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | IO[bytes] | None
    ) -> Received:
        self.sent.append((method, url))
        self.headers.append(dict(headers))
        content = body if isinstance(body, bytes) or body is None else body.read()
        for wanted, pattern, answer in self.answers:
            if wanted == method and pattern.search(url):
                before = sum(wanted == verb and bool(pattern.search(place)) for verb, place in self.sent[:-1])
                instead = answer(before)
                if instead is not None:
                    return instead
        if self.service is None:
            raise Unreached("Nothing is there.", "Try again later.")
        if url.startswith(URL):
            return self._api(self.service, method, url, headers, content)
        return self._bucket(self.service, method, url, content or b"")

    def instead(self, method: str, pattern: str, answer: Callable[[int], Received | None]) -> None:
        """Let something else answer some requests."""
        self.answers.append((method, re.compile(pattern), answer))

    def paths(self, method: str) -> list[str]:
        """Return the paths of the requests of a method, below the API's base URL."""
        return [url.removeprefix(URL).partition("?")[0] for verb, url in self.sent if verb == method]

    def _api(
        self, service: Service, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Received:
        parts = urlsplit(url.removeprefix(URL))
        caller = _caller(service, headers.get("Authorization", ""))
        if caller is None and parts.path not in _WITHOUT_A_CREDENTIAL:
            return received(401, _REFUSED)
        if caller is not None:
            # As the authorizer passes it on.
            policy = service.services.version_policies.get(caller.org_id).policy
            caller = replace(caller, version_policy=policy)
        for verb, pattern, function in (*_ROUTES, *(_SIGNING_ROUTES if self.signs else ())):
            if verb == method and pattern.fullmatch(parts.path):
                request = Request(
                    method=method,
                    resource=parts.path,
                    path=unquote(parts.path),
                    query=dict(parse_qsl(parts.query)),
                    headers=dict(headers),
                    body=body,
                    caller=caller,
                )
                raw = service.invoke(function, request.event())
                text = raw["body"] or ""
                content = base64.b64decode(text) if raw.get("isBase64Encoded") else text.encode()
                return received(
                    raw["statusCode"],
                    content,
                    **{name: texts[0] for name, texts in raw["multiValueHeaders"].items()},
                )
        return received(
            404, {"error": {"code": "route_not_found", "message": "No such route.", "request_id": "r"}}
        )

    def _bucket(self, service: Service, method: str, url: str, body: bytes) -> Received:
        if method == "GET":
            key = unquote(urlsplit(url).path.removeprefix("/"))
            return received(200, service.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        field = re.search(rb'name="key"\r\n\r\n([^\r]+)', body)
        archive = re.search(
            rb'name="file"[^\r]*\r\n(?:[^\r]+\r\n)*\r\n(.*)\r\n--[^\r]+--\r\n\Z', body, re.DOTALL
        )
        assert field is not None
        assert archive is not None
        upload_id = field[1].decode().removeprefix("uploads/").removesuffix(".tar.gz")
        staged_uploads.deliver(service, staged_uploads.arrive(service, upload_id, archive[1]))
        return received(204)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit_code: int
    out: str
    err: str
    raw: bytes

    @property
    def document(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, text: str = "", *, tty: bool = False) -> None:
        super().__init__(text)
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@dataclass
class Command:
    """The command, with files and an environment of its own."""

    home: Path
    gateway: Gateway
    environment: dict[str, str] = field(default_factory=dict)
    keyring: Keyring | None = None
    windows: bool = False
    slept: list[float] = field(default_factory=list)
    sleep: Callable[[float], None] | None = None
    run_program: Run | None = None

    def __post_init__(self) -> None:
        self.environment = {
            "PACKYARD_URL": URL,
            "PACKYARD_TOKEN": KEY,
            "PACKYARD_CONFIG_DIR": str(self.home / "config"),
            "PACKYARD_CACHE_DIR": str(self.home / "cache"),
            **self.environment,
        }

    def __call__(self, *arguments: str | Path, stdin: str = "", tty: bool = False) -> Ran:
        """Run it."""
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        err = Terminal(tty=tty)
        context = Context(
            environment=self.environment,
            printer=Printer(out=out, err=err, json="--json" in arguments),
            stdin=Terminal(stdin, tty=tty),
            make_transport=lambda _: self.gateway,
            find_keyring=lambda: self.keyring,
            sleep=self.sleep or self.slept.append,
            run_program=self.run_program,
            windows=self.windows,
        )
        exit_code = run([str(argument) for argument in arguments], context)
        content = raw.getvalue()
        return Ran(exit_code, content.decode(errors="replace"), err.getvalue(), content)


def pack_folder(folder: Path, *, name: str = "slack", version: str = "1.4.0", **files: str) -> Path:
    """Write a pack's folder. Names of files have `__` for a slash and `_` for a dot."""
    texts = {"pack.yaml": f"name: {name}\nversion: {version}\n", "guides/post.md": "# Post\n"}
    texts |= {key.replace("__", "/").replace("_", "."): text for key, text in files.items()}
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    return folder
