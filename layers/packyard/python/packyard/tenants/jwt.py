"""JSON Web Tokens: checking them and reading their claims (RFC 7519, with the advice of RFC 8725).

The header only selects a key from the issuer's own key set. The payload is read only after the signature was verified.
Other header parameters are ignored, including keys and URLs of keys (RFC 7515, section 4; RFC 8725, section 3.10).
They cannot be refused, because Cloud Foundry's UAA, SAP's XSUAA and Entra ID send `jku`, `x5t` or private parameters
with every token.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.jwt import JWTClaimsRegistry
from joserfc.registry import HeaderRegistryDict

from packyard.tenants.caller import expand_scopes
from packyard.tenants.org import parse_org_id
from packyard.tenants.signing_keys import ALGORITHMS, MAX_KEY_ID_CHARACTERS, KeyName, VerificationKey
from packyard.text.strict_json import parse_object

LEEWAY_SECONDS: Final = 60

# Later instants are no dates in Python.
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
# Access tokens and plain JWTs only, because tokens of other types were signed for other purposes (RFC 8725,
# section 3.11; RFC 9068).
_TYPES: Final = frozenset({"jwt", "at+jwt"})
# Parameters that change the meaning of the payload or the header. Some libraries apply them and others ignore them, so
# they are refused (decision 36).
_REFUSED_HEADERS: Final = frozenset({"crit", "b64", "zip", "enc"})
# At most 255 ASCII characters (OpenID Connect Core, section 2). Quotes and backslashes are refused because API Gateway
# inserts subjects into the JSON lines of the access log without escaping them.
_SUBJECT: Final = re.compile(r"[!#-\[\]-~]{1,255}")


class _OnlyAlgorithm(JWSRegistry):
    """Checks only the parameter `alg`. By default, joserfc refuses a token if an unused parameter is malformed."""

    default_header_registry: ClassVar[HeaderRegistryDict] = {}  # type: ignore[misc] # the library leaves ClassVar out


class TokenRefused(Exception):
    """The token is not accepted. The message states the reason. It is for the log and must not reach the client."""


class AlgorithmRefused(TokenRefused):
    """The token is signed with an algorithm that is not accepted."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose header has been parsed, but whose signature has not been verified.

    Attributes:
        text: The whole token, in compact form.
        key_name: The name of the key that it claims to be signed with.
    """

    text: str
    key_name: KeyName


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The verified claims of a token.

    Attributes:
        org_id: The organisation that its bearer acts for.
        principal: `user:` and the token's subject.
        scopes: The permissions that this service knows.
        ends_at: When the token expires.
    """

    org_id: str
    principal: str
    scopes: frozenset[str]
    ends_at: datetime


def parse_token(text: str, *, algorithms: Collection[str] = ALGORITHMS) -> Token:
    """Parse the header of a token in JWS Compact Serialization (RFC 7515, section 7.1).

    Args:
        text: The token.
        algorithms: Those that are accepted.

    Raises:
        AlgorithmRefused: The token has another algorithm.
        TokenRefused: The token is malformed, has another type, or has one of `_REFUSED_HEADERS`.
    """
    segments = _COMPACT.fullmatch(text)
    if segments is None:
        raise TokenRefused("the token is not in compact form")
    header = _object(segments[1], "header")
    if header.keys() & _REFUSED_HEADERS:
        raise TokenRefused("the header has an extension")
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise AlgorithmRefused(f"the algorithm is none of {', '.join(sorted(algorithms))}")
    if "kid" in header and (not isinstance(key_id, str) or len(key_id) > MAX_KEY_ID_CHARACTERS):
        raise TokenRefused("the header names a key in a way that no key is named")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise TokenRefused("the token is of another type")
    return Token(text, KeyName(key_id, algorithm))


def verified_claims(token: Token, *, key: VerificationKey) -> dict[str, Any]:
    """Verify a token's signature, and return its claims, which the caller has yet to check.

    Args:
        token: From `parse_token`.
        key: The key that the token names, from the issuer's own set.

    Raises:
        TokenRefused: The signature does not match the key, or the payload is not a JSON object.
    """
    registry = _OnlyAlgorithm(algorithms=[token.key_name.algorithm], strict_check_header=False)
    # joserfc's own limit for the header is not needed, because the length of the whole token is limited before.
    registry.max_header_length = len(token.text)
    try:
        deserialize_compact(token.text, key, registry=registry)
    except (JoseError, ValueError, RecursionError) as error:
        raise TokenRefused("the signature does not hold") from error
    return stated_claims(token)


def stated_claims(token: Token) -> dict[str, Any]:
    """Return the claims of a token whose signature has not been verified: anybody may have written them.

    Raises:
        TokenRefused: The payload is not a JSON object.
    """
    return _object(token.text.split(".")[1], "payload")


def read_token(token: Token, *, key: VerificationKey, issuer: str, audience: str, now: datetime) -> Identity:
    """Verify a token's signature and claims, and return its claims.

    Args:
        token: From `parse_token`.
        key: The key that the token names, from the issuer's own set.
        issuer: The exact value that `iss` must have.
        audience: The value that `aud` must have or contain.
        now: The current time. Clocks may differ by 60 s.

    Raises:
        TokenRefused: The signature does not match the key; the token is expired, not yet valid, from another issuer or
            for another audience; or a claim is missing, malformed or given twice.
    """
    claims = verified_claims(token, key=key)
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
    return Identity(
        org_id=_org_id(claims),
        principal=_principal(claims),
        scopes=_scopes(claims),
        # Its type has been checked with the other claims.
        ends_at=datetime.fromtimestamp(min(claims["exp"], _LATEST), UTC),
    )


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
    return expand_scopes(frozenset(permissions))
