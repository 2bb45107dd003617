"""An issuer of JWTs: real keys, a key set over HTTP on a loopback port, and moods in which it does not answer well.

It has a discovery document too (OpenID Connect Discovery 1.0), which names the key set.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self

from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

ISSUER: Final = "https://issuer.example/"
AUDIENCE: Final = "https://api.packyard.example"


@cache
def rsa_key(name: str, bits: int = 2048) -> RSAKey:
    """Return the RSA key of this name, the same one each time."""
    return RSAKey.generate_key(bits, {"kid": name})


@cache
def ec_key(name: str, curve: str = "P-256") -> ECKey:
    """Return the elliptic curve key of this name, the same one each time."""
    return ECKey.generate_key(curve, {"kid": name})


def public(key: Key, **members: Any) -> dict[str, Any]:
    """Return the public half of a key as a JWK."""
    return {**key.as_dict(private=False), **members}


def signed(
    key: Key, algorithm: str, claims: Mapping[str, Any] | str, headers: Mapping[str, Any] | None = None
) -> str:
    """Return a token.

    Args:
        key: What signs it, and what `kid` names unless `headers` say otherwise; a header that is None is left out.
        algorithm: Of the signature and of the `alg` header.
        claims: The payload, or its very text.
        headers: Put over the usual ones.
    """
    merged = {"alg": algorithm, "typ": "JWT", "kid": key.kid, **(headers or {})}
    header = {name: value for name, value in merged.items() if value is not None}
    payload = claims if isinstance(claims, str) else json.dumps(claims)
    head = f"{segment(json.dumps(header))}.{segment(payload)}"
    signature = jws.JWSRegistry.algorithms[algorithm].sign(head.encode(), key)
    return f"{head}.{segment(signature)}"


def signed_with_secret(secret: bytes, claims: Mapping[str, Any], headers: Mapping[str, Any]) -> str:
    """Return an HS256 token: what one gets who takes a public key for a shared secret."""
    head = f"{segment(json.dumps({'alg': 'HS256', 'typ': 'JWT', **headers}))}.{segment(json.dumps(claims))}"
    return f"{head}.{segment(hmac.digest(secret, head.encode(), hashlib.sha256))}"


def segment(content: str | bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    raw = content.encode() if isinstance(content, str) else content
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Issuer:
    """A context manager: publishes its keys while it is open.

    Attributes:
        keys: The JWKs that it publishes.
        asked: How often it was asked.
        discovery: What its discovery document says instead of what is right.
        down: Whether it answers 503.
        body: What it answers instead of its keys.
        elsewhere: Where it redirects to instead of answering.
        dripping: Whether its body comes a byte at a time and never ends.
    """

    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    down: bool = False
    body: bytes | None = None
    elsewhere: str | None = None
    dripping: bool = False
    discovery: dict[str, Any] = field(default_factory=dict)
    _closing: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its URL, which tokens have as `iss`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def keys_url(self) -> str:
        """Where the key set is."""
        return f"{self.url}/jwks.json"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request as the mood is."""
        self.asked += 1
        said: dict[str, Any] = {"keys": self.keys}
        if handler.path == "/.well-known/openid-configuration":
            said = {"issuer": self.url, "jwks_uri": self.keys_url, **self.discovery}
        body = json.dumps(said).encode() if self.body is None else self.body
        handler.send_response(503 if self.down else 302 if self.elsewhere else 200)
        if self.elsewhere:
            handler.send_header("Location", self.elsewhere)
        handler.send_header("Content-Length", str(1 << 20 if self.dripping else len(body)))
        handler.end_headers()
        while self.dripping and not self._closing.wait(0.1):
            handler.wfile.write(b" ")
        handler.wfile.write(body)


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                issuer.answer(self)
            except ConnectionError:  # who asked did not wait for the end
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
