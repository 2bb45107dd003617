"""Tokens of a registry's token server: where to ask for one, and what the answer holds.

Nothing here sends anything, so that our own registry's client and the reader of other registries share it.

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
# Registries whose token server is on another host of the same owner.
_KNOWN_REALMS: Final = {DOCKER_HUB: "auth.docker.io", "registry.gitlab.com": "gitlab.com"}
# It becomes part of a header. RFC 6750 (section 2.1) allows less, but clients hand on whatever a server gives.
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_MAX_SERVICE: Final = 256
_MAX_SCOPE: Final = 1024
_MAX_SCOPES: Final = 8
_OPAQUE_SCOPE: Final = re.compile(r"[A-Za-z0-9._/-]+")
_STRUCTURED_SCOPE: Final = re.compile(r"([^:\s]+):(.+):([^:\s]*)")
_PULL: Final = "pull"
# What a token lives for when its server does not say so; less than that is not given ("Token Response Fields").
_MIN_SECONDS: Final = 60.0
_MAX_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token.

    Attributes:
        authorization: The value of the header `Authorization`.
        seconds: How long it is good for, from the moment in which it was asked for: 60 to 3,600. What the server says
            of the moment in which it was issued plays no part, since its clock is not ours.
    """

    authorization: str
    seconds: float


def token_url(challenge: Challenge, *, registry_url: str, scope: str | None) -> str:
    """Return the URL of which to ask for a token, by GET.

    A realm that is a path is one of the registry's own. One that differs from the registry in nothing but `http` for
    `https` is asked by https: registries behind a proxy that speaks TLS for them do not know of it (distribution #996).

    Args:
        challenge: A Bearer challenge.
        registry_url: Scheme, host and port of the registry.
        scope: What to ask for; several are separated by spaces. None for whatever the server gives.

    Raises:
        ValueError: The challenge names no place where we would ask.
    """
    realm = _realm(challenge.parameters.get("realm", "").strip().partition("#")[0], registry_url)
    query = []
    if service := challenge.parameters.get("service", "")[:_MAX_SERVICE]:
        query.append(("service", service))
    query += [("scope", one) for one in (scope or "").split()]
    return f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}" if query else realm


def host_of(url: str) -> str:
    """Return the host of a URL, and its port, in the form of `Reference.registry`.

    Raises:
        ValueError: As for `parse_registry`.
    """
    return parse_registry(urlsplit(url).netloc)


def may_see_credential(host: str, *, registry: str, named: str | None) -> bool:
    """Tell whether a token server may be shown the credential for a registry.

    It may be the registry itself, the one that the operator names, or one known to be of the same owner. Whoever
    answers as the registry could name any other, to have the credential sent there.

    Args:
        host: The token server's, as `host_of` returns it.
        registry: As in `Reference.registry`.
        named: The token server that the operator names, in the same form; None for none.
    """
    return host in {registry, named, _KNOWN_REALMS.get(registry)}


def stated_scope(challenge: Challenge) -> str:
    """Return the scope that a challenge states, at most 1,024 characters of it; empty when it states none."""
    return challenge.parameters.get("scope", "")[:_MAX_SCOPE]


def pull_scope(challenge: Challenge) -> str | None:
    """Return the scope that a challenge states, as far as it is for reading; None when it states none.

    A scope of the form `type:name:actions` is cut down to `pull`, and dropped when it has no such action. A scope of
    another form is the registry's own business, and kept: Amazon's public registry asks for `aws` (oras-dotnet #395).

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
    """Return the token that a token server has answered with status 200.

    Args:
        body: At most `MAX_TOKEN_BODY` bytes of JSON, with `token` or `access_token`, and perhaps `expires_in` seconds.

    Raises:
        ValueError: There is no token in it. The message quotes nothing of it.
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
    # Some realms are names and no addresses (RFC 6750, section 3: `realm="example"`).
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
    # In this order, what is not a number becomes the least.
    return min(max(_MIN_SECONDS, seconds), _MAX_SECONDS)
