"""Tokens of CI systems: what is checked of every one, whoever has it (API contract, section 10).

`aud` must be exactly the deployment's URL, `#`, and the organisation's slug. A list with exactly that one value says
the same (RFC 7519, section 4.1.3). A list with further values is refused: each of those could present the token here.
`sub` is never read, since GitHub lets its form be changed, and changed it itself.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from packyard.tenants.jwt import (
    LEEWAY_SECONDS,
    AlgorithmRefused,
    Token,
    TokenRefused,
    parse_token,
    stated_claims,
)
from packyard.tenants.signing_keys import CI_ALGORITHMS

# AWS states 20,000 for what a client may pass on as a token. Those of GitHub and GitLab have about 2,000 characters.
MAX_TOKEN_CHARACTERS: Final = 20_000
# Tokens of CI live for minutes, on GitLab for as long as the job. It bounds for how long a used token is remembered.
MAX_LIFETIME: Final = timedelta(hours=24)
_ISSUER: Final = re.compile(r"[!-~]{1,512}")
_MAX_JTI: Final = 512
_SHOWN: Final = 200


class NotAToken(Exception):
    """The text is no JSON Web Token that could be verified."""


class ClaimRefused(Exception):
    """A claim, or the algorithm, is not what it must be.

    Args:
        claim: Its name.
        came: What the token has, shortened; None for nothing.
        wanted: What it must be: a sentence that begins with "it".
    """

    def __init__(self, claim: str, came: Any, wanted: str) -> None:
        super().__init__(f"{claim}: {wanted}")
        self.claim = claim
        self.came = None if came is None else shown(came)
        self.wanted = wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class CiToken:
    """A token whose own claims are right, and whose signature has not been verified.

    Attributes:
        token: For `verified_claims`.
        issuer: The claim `iss`.
        claims: Everything that it says.
        use: A hash that is the same each time the token is used: of its issuer and its `jti`, or of what is signed
            where an issuer writes no `jti`.
        ends_at: When it expires.
    """

    token: Token
    issuer: str
    claims: Mapping[str, Any]
    use: str
    ends_at: datetime


def parse_ci_token(text: str, *, audience: str, now: datetime) -> CiToken:
    """Check what can be checked of a token without asking anybody.

    Args:
        text: The token.
        audience: What `aud` must be.
        now: The present instant. Clocks may differ by 60 s.

    Raises:
        NotAToken: It is not a JWT in compact form.
        ClaimRefused: The claim that is wrong.
    """
    try:
        token = parse_token(text, algorithms=CI_ALGORITHMS)
        claims = stated_claims(token)
    except AlgorithmRefused:
        raise ClaimRefused("alg", None, f"it must be one of {', '.join(sorted(CI_ALGORITHMS))}") from None
    except TokenRefused as refusal:
        raise NotAToken from refusal
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or _ISSUER.fullmatch(issuer) is None:
        raise ClaimRefused("iss", issuer, "it must be the URL of the issuer")
    if claims.get("aud") not in (audience, [audience]):
        raise ClaimRefused("aud", claims.get("aud"), f"it must be {audience}, and nothing besides")
    ends_at = _require_in_time(claims, now)
    return CiToken(
        token=token, issuer=issuer, claims=claims, use=_use(token, issuer, claims), ends_at=ends_at
    )


def shown(value: Any) -> str:
    """Return what came in a claim, for a refusal: on one line, and at most 200 characters."""
    text = value if isinstance(value, str) else repr(value)[: 2 * _SHOWN]
    line = "".join(character if character.isprintable() else "?" for character in text[: _SHOWN + 1])
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _require_in_time(claims: Mapping[str, Any], now: datetime) -> datetime:
    seconds = {name: _seconds(claims, name) for name in ("exp", "nbf", "iat")}
    end, begin, made = seconds["exp"], seconds["nbf"], seconds["iat"]
    at = now.timestamp()
    if end is None:
        raise ClaimRefused("exp", None, "it must say when the token ends")
    if at >= end + LEEWAY_SECONDS:
        raise ClaimRefused("exp", _time(end), "it has passed; ask for a new token right before it is used")
    if end > at + MAX_LIFETIME.total_seconds():
        raise ClaimRefused("exp", end, "it must lie within the next 24 hours")
    for name, instant in (("nbf", begin), ("iat", made)):
        if instant is not None and at < instant - LEEWAY_SECONDS:
            raise ClaimRefused(name, instant, "it lies in the future; check the clocks")
    return datetime.fromtimestamp(end, UTC)


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # JSON's true is an int in Python.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClaimRefused(name, value, "it must be a number of seconds since 1970")
    return value


def _time(seconds: float) -> str:
    if abs(seconds) > 1 << 36:
        return str(seconds)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _use(token: Token, issuer: str, claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if jti is None:
        # Not the whole text: an ECDSA signature can be written in two ways.
        return hashlib.sha256(b"signed\0" + token.text.rpartition(".")[0].encode()).hexdigest()
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise ClaimRefused("jti", jti, f"it must be a text of 1 to {_MAX_JTI} characters")
    return hashlib.sha256(
        b"\0".join([b"jti", issuer.encode(), jti.encode("utf-8", "surrogatepass")])
    ).hexdigest()
