"""JSON Web Tokens: what a signed one says, or why it is refused (RFC 7519, with the advice of RFC 8725).

The order is that of trust: the header only chooses a key from the issuer's own set; nothing in the payload is looked at
before the signature holds. What else a header holds is passed over, keys and addresses of keys included (RFC 7515,
section 4; RFC 8725, section 3.10): Cloud Foundry's UAA, SAP's XSUAA and Entra ID send `jku`, `x5t` or parameters of
their own with every token.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.jwt import JWTClaimsRegistry
from joserfc.registry import HeaderRegistryDict

from packyard.tenants.caller import WRITE
from packyard.tenants.org import parse_org_id
from packyard.tenants.signing_keys import ALGORITHMS, MAX_KEY_ID_CHARACTERS, KeyName, VerificationKey
from packyard.tenants.strict_json import parse_object

LEEWAY_SECONDS: Final = 60

_KNOWN_SCOPES: Final = frozenset({WRITE})
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
# An access token or a plain JWT, not one that was signed for another purpose (RFC 8725, section 3.11; RFC 9068).
_TYPES: Final = frozenset({"jwt", "at+jwt"})
# Each says that the payload, or the header, means something else than it seems to: some readers act on it, others do
# not (decision 36).
_REFUSED_HEADERS: Final = frozenset({"crit", "b64", "zip", "enc"})
# OpenID Connect Core, section 2: at most 255 ASCII characters. Without quotes and backslashes, because subjects
# stand in access logs, whose lines API Gateway makes by plain substitution.
_SUBJECT: Final = re.compile(r"[!#-\[\]-~]{1,255}")


class _AlgorithmAlone(JWSRegistry):
    """Looks at no header but `alg`: the library would refuse a token for the form of one that means nothing here."""

    default_header_registry: ClassVar[HeaderRegistryDict] = {}  # type: ignore[misc] # the library leaves ClassVar out


class TokenRefused(Exception):
    """A token is not one that we take; the message says why, for the log and not for its bearer."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose header has been read and whose signature has not been checked.

    Attributes:
        key_name: The key that it claims to be signed with.
    """

    text: str
    key_name: KeyName


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a token that holds says.

    Attributes:
        org_id: The organisation that its bearer acts for.
        principal: `user:` and the token's subject.
        scopes: Those of its permissions that mean something here.
    """

    org_id: str
    principal: str
    scopes: frozenset[str]


def parse_token(text: str) -> Token:
    """Return a token in JWS Compact Serialization (RFC 7515, section 7.1).

    Raises:
        TokenRefused: Malformed, of another algorithm or type, or with an extension.
    """
    segments = _COMPACT.fullmatch(text)
    if segments is None:
        raise TokenRefused("the token is not in compact form")
    header = _object(segments[1], "header")
    if header.keys() & _REFUSED_HEADERS:
        raise TokenRefused("the header has an extension")
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused("the algorithm is neither RS256 nor ES256")
    if "kid" in header and (not isinstance(key_id, str) or len(key_id) > MAX_KEY_ID_CHARACTERS):
        raise TokenRefused("the header names a key in a way that no key is named")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise TokenRefused("the token is of another type")
    return Token(text, KeyName(key_id, algorithm))


def read_token(token: Token, *, key: VerificationKey, issuer: str, audience: str, now: datetime) -> Identity:
    """Return what a token says, once its signature and its claims hold.

    Args:
        token: As parsed.
        key: The key that it names, from the issuer's own set.
        issuer: What `iss` must be, exactly.
        audience: What `aud` must be, or hold.
        now: The present instant. Clocks may differ by 60 s.

    Raises:
        TokenRefused: The signature is not the key's; the token is expired, not valid yet, from another issuer or for
            another audience; or a claim is missing, given twice or not of its form.
    """
    registry = _AlgorithmAlone(algorithms=[token.key_name.algorithm], strict_check_header=False)
    # The whole token is bounded where it comes in.
    registry.max_header_length = len(token.text)
    try:
        deserialize_compact(token.text, key, registry=registry)
    except (JoseError, ValueError, RecursionError) as error:
        raise TokenRefused("the signature does not hold") from error
    claims = _object(token.text.split(".")[1], "payload")
    rules = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )
    try:
        rules.validate(claims)
    except JoseError as error:
        raise TokenRefused(str(error)) from error
    return Identity(org_id=_org_id(claims), principal=_principal(claims), scopes=_scopes(claims))


def _object(segment: str, name: str) -> dict[str, Any]:
    try:
        return parse_object(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError as error:
        raise TokenRefused(f"the {name} {error}") from None


def _org_id(claims: Mapping[str, Any]) -> str:
    org_id = claims.get("org_id")
    try:
        return parse_org_id(org_id if isinstance(org_id, str) else "")
    except ValueError as error:
        raise TokenRefused(f"org_id: {error}") from None


def _principal(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or _SUBJECT.fullmatch(subject) is None:
        raise TokenRefused("sub: must be 1 to 255 printable ASCII characters, without quotes and backslashes")
    return f"user:{subject}"


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    permissions = claims.get("permissions", [])
    if not isinstance(permissions, list) or not all(
        isinstance(permission, str) for permission in permissions
    ):
        raise TokenRefused("permissions: must be a list of strings")
    return _KNOWN_SCOPES.intersection(permissions)
