"""Bearer tokens from a registry's token server: where to request one, and how to read the answer.

Nothing here sends requests, so the client of our own registry and the reader of third-party registries can share it.

Source: the CNCF's distribution project, "Token Authentication Specification".
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from packyard.oci.reference import DOCKER_HUB, parse_registry
from packyard.registry.challenge import Challenge

MAX_TOKEN_BODY: Final = 64 << 10
# Registries whose token server is on another host, which has the same owner.
_KNOWN_REALMS: Final = {DOCKER_HUB: "auth.docker.io", "registry.gitlab.com": "gitlab.com"}
# A token becomes part of a header, so only visible ASCII is accepted. RFC 6750 (section 2.1) allows fewer characters,
# but other clients pass on every token that a server issues.
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_MAX_SERVICE: Final = 256
_MAX_SCOPE: Final = 1024
_MAX_SCOPES: Final = 8
_OPAQUE_SCOPE: Final = re.compile(r"[A-Za-z0-9._/-]+")
_STRUCTURED_SCOPE: Final = re.compile(r"([^:\s]+):(.+):([^:\s]*)")
_PULL: Final = "pull"
# The lifetime of a token whose server states none; servers must not issue shorter ones ("Token Response Fields").
_MIN_SECONDS: Final = 60.0
_MAX_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token from a token server.

    Attributes:
        authorization: The value of the header `Authorization`.
        seconds: The lifetime in seconds, counted from our request: 60 to 3,600. The server's `issued_at` is ignored,
            because its clock may differ from ours.
    """

    authorization: str
    seconds: float


def token_url(challenge: Challenge, *, registry_url: str, scope: str | None) -> str:
    """Return the URL from which a GET request obtains a token.

    A realm that is only a path is resolved against the registry's URL. A realm with the registry's host but `http`
    instead of `https` is changed to `https`: a registry behind a proxy that terminates TLS may not know that clients
    use TLS (distribution #996).

    Args:
        challenge: A Bearer challenge.
        registry_url: Scheme, host and port of the registry.
        scope: The scopes to request, separated by spaces; None to leave the choice to the server.

    Raises:
        ValueError: The challenge names no realm, or one to which we send no requests.
    """
    realm = _realm(challenge.parameters.get("realm", "").strip().partition("#")[0], registry_url)
    query = []
    if service := challenge.parameters.get("service", "")[:_MAX_SERVICE]:
        query.append(("service", service))
    query += [("scope", one) for one in (scope or "").split()]
    return f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}" if query else realm


def host_of(url: str) -> str:
    """Return the host and port of a URL in the form of `Reference.registry`.

    Raises:
        ValueError: As for `parse_registry`.
    """
    return parse_registry(urlsplit(url).netloc)


def may_see_credential(host: str, *, registry: str, named: str | None) -> bool:
    """Tell whether a token server may receive the credential of a registry.

    It may if it is the registry itself, the host that the operator configured, or a host known to have the same owner.
    A malicious registry could name any other host in order to have the credential sent there.

    Args:
        host: The token server's host, as `host_of` returns it.
        registry: The registry, as in `Reference.registry`.
        named: The token server that the operator configured, in the same form; None if there is none.
    """
    return host in {registry, named, _KNOWN_REALMS.get(registry)}


def stated_scope(challenge: Challenge) -> str:
    """Return the scope that a challenge states, at most 1,024 characters of it; empty when it states none."""
    return challenge.parameters.get("scope", "")[:_MAX_SCOPE]


def pull_scope(challenge: Challenge) -> str | None:
    """Return the scopes that a challenge states, reduced to reading; None when none remain.

    A scope of the form `type:name:actions` is reduced to the action `pull`, and dropped if it does not include it. A
    scope of another form has a meaning only to its registry and is kept: Amazon's public registry asks for `aws`
    (oras-dotnet #395). At most 8 scopes are read.

    Args:
        challenge: A Bearer challenge.
    """
    scopes = []
    for stated in stated_scope(challenge).split()[:_MAX_SCOPES]:
        structured = _STRUCTURED_SCOPE.fullmatch(stated)
        if structured is not None and _PULL in structured[3].split(","):
            scopes.append(f"{structured[1]}:{structured[2]}:{_PULL}")
        elif _OPAQUE_SCOPE.fullmatch(stated) is not None:
            scopes.append(stated)
    return " ".join(scopes) or None


def parse_token(body: bytes) -> BearerToken:
    """Return the token in a token server's successful answer.

    Args:
        body: JSON with `token` or `access_token`, and perhaps `expires_in` in seconds.

    Raises:
        ValueError: It holds no token. The message quotes nothing of the body.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the token server's answer is not JSON") from None
    token = (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise ValueError("the token server's answer holds no token")
    return BearerToken(f"Bearer {token}", _seconds(answer.get("expires_in")))


def _realm(realm: str, registry_url: str) -> str:
    registry = urlsplit(registry_url)
    # A realm may be a plain name instead of a URL (RFC 6750, section 3: `realm="example"`).
    if not realm.startswith(("/", "http://", "https://")):
        raise ValueError("the realm is not an address")
    url = urljoin(registry_url, realm) if realm.startswith("/") else realm
    parts = urlsplit(url)
    port = parts.port
    if not parts.hostname or parts.username is not None:
        raise ValueError("the realm is not an address that can be asked")
    if registry.scheme == "https" and parts.scheme == "http":
        if parts.hostname != registry.hostname or port not in (None, 80):
            raise ValueError("the realm is an address without TLS")
        url = parts._replace(scheme=registry.scheme, netloc=registry.netloc).geturl()
    return url


def _seconds(stated: Any) -> float:
    try:
        seconds = float(stated)
    except (TypeError, ValueError, OverflowError):
        return _MIN_SECONDS
    # The order of the arguments turns NaN into the minimum.
    return min(max(_MIN_SECONDS, seconds), _MAX_SECONDS)
