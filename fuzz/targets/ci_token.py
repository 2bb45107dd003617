"""Tokens of CI, from their text to the names that the history gives to runs.

An input is a whole token. After a zero byte, it is the payload of one whose header is right. The signature is not
checked: what comes of claims must hold whoever has signed them.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tests.ci_claims import AWS, GITHUB, GITLAB
from tests.issuer import segment

from packyard.network.guard import origin_of
from packyard.tenants.ci_run import MAX_PRINCIPAL, facts_of, principal_of
from packyard.tenants.ci_token import ClaimRefused, NotAToken, parse_ci_token
from packyard.tenants.publisher import ISSUER_URLS, IssuerKind, Publisher
from packyard.tenants.publisher_match import compare

AUDIENCE: Final = "https://packyard.example/v1#acme"
_LONGEST: Final = 1000
_NOW: Final = datetime(2026, 1, 2, tzinfo=UTC)
_SECONDS: Final = _NOW.timestamp()
_HEADER: Final = segment(json.dumps({"alg": "ES256", "typ": "JWT"}))
_CLAIMS: Final = {
    IssuerKind.GITHUB: {"repository": "acme/slack-pack", "workflow": "release.yml", "ref": "refs/tags/v*"},
    IssuerKind.GITLAB: {"project_id": "20", "ref_protected": "true"},
    IssuerKind.AWS: {"account": "123456789012", "role_arn": "arn:aws:iam::123456789012:role/publish"},
    IssuerKind.OTHER: {"sub": "s"},
}
_PUBLISHERS: Final = tuple(
    Publisher(
        id="pub_01JQ2V7N3T5W8XABCDEFGHJKMN",
        org_id="org_01hzzzzzzzzzzzzzzzzzzzzzz0",
        pack_name="slack",
        kind=kind,
        issuer=ISSUER_URLS.get(kind, "https://ci.example"),
        claims=claims,
        created_at=_NOW,
        created_by="user:ada",
    )
    for kind, claims in _CLAIMS.items()
)


def check(data: bytes) -> None:
    if data.startswith(b"\0"):
        text = f"{_HEADER}.{segment(data[1:])}.{segment('signature')}"
    else:
        text = data.decode("latin-1")
    try:
        token = parse_ci_token(text, audience=AUDIENCE, now=_NOW)
    except NotAToken:
        return
    except ClaimRefused as refused:
        _is_shown(refused.came or "")
        return
    try:
        origin_of(token.issuer)
    except ValueError:
        # The guard lets nobody name such an issuer, and a token is compared only with publishers of its issuer.
        return
    assert token.claims["aud"] in (AUDIENCE, [AUDIENCE])
    for publisher in _PUBLISHERS:
        comparison = compare(publisher, token.issuer, token.claims)
        for mismatch in comparison.mismatches:
            _is_shown(mismatch.came or "")
        facts = facts_of(publisher, token.issuer, token.claims)
        for value in facts.values():
            _is_shown(value)
        principal = principal_of(facts)
        assert principal.startswith("ci:")
        assert len(principal) <= MAX_PRINCIPAL
        assert principal.isascii()
        assert not set(principal) & set('"\\ ')


def _is_shown(text: str) -> None:
    """Require what may stand in a message, a line of the log and an item."""
    text.encode()
    assert text.isprintable() or not text
    assert len(text) <= _LONGEST


def seeds() -> Iterator[bytes]:
    own = {"iss": "https://ci.example", "aud": AUDIENCE, "exp": _SECONDS + 60, "iat": _SECONDS, "jti": "1"}
    for claims in (
        GITHUB,
        GITLAB,
        AWS,
        {"sub": "s", "aud": [AUDIENCE]},
        {"exp": 1e300},
        {"iss": "\ud800"},
        {"iss": "https://["},
    ):
        yield b"\0" + json.dumps({**own, **claims}).encode()
    yield f"{_HEADER}.e30.eA".encode()
