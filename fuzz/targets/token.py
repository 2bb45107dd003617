"""JWTs, and the keys that check them.

An input is a whole token. After a zero byte, it is a header and a payload on two lines, which our own issuer signs so
that fuzzing gets past the signature. After a one, it is the issuer's key set.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry
from tests.issuer import AUDIENCE, ISSUER, segment

from packyard.tenants.jwt import TokenRefused, parse_token, read_token
from packyard.tenants.signing_keys import ALGORITHMS, MAX_KEYS, parse_key_set

_NOW: Final = datetime(2026, 1, 2, tzinfo=UTC)
_KEY: Final = ECKey.derive_key("a secret of nobody's", "P-256", parameters={"kid": "key"})
_HEADER: Final = {"alg": "ES256", "typ": "JWT", "kid": "key"}
_CLAIMS: Final = {
    "iss": ISSUER,
    "aud": [AUDIENCE],
    "exp": _NOW.timestamp() + 60,
    "nbf": 0,
    "iat": 0,
    "sub": "auth0|1",
    "org_id": "org_01hzzzzzzzzzzzzzzzzzzzzzz0",
    "permissions": ["caps:write"],
}


def check(data: bytes) -> None:
    if data.startswith(b"\1"):
        _check_key_set(data[1:])
        return
    if data.startswith(b"\0"):
        header, _, payload = data[1:].partition(b"\n")
        head = f"{segment(header.decode('latin-1'))}.{segment(payload.decode('latin-1'))}"
        text = f"{head}.{segment(JWSRegistry.algorithms['ES256'].sign(head.encode(), _KEY))}"
    else:
        text = data.decode("latin-1")
    try:
        token = parse_token(text)
        identity = read_token(token, key=_KEY, issuer=ISSUER, audience=AUDIENCE, now=_NOW)
    except TokenRefused:
        return
    # Only the issuer could have made it.
    assert data.startswith(b"\0")
    assert token.key_name.algorithm == "ES256"
    assert re.fullmatch(r"org_[0-9a-hjkmnp-tv-z]{26}", identity.org_id)
    assert re.fullmatch(r"user:[!-~]{1,255}", identity.principal)
    assert identity.scopes <= {"caps:write"}


def seeds() -> Iterator[bytes]:
    header = json.dumps(_HEADER)
    for change in (
        {},
        {"exp": 0},
        {"aud": AUDIENCE},
        {"exp": "9"},
        {"permissions": "caps:write"},
        {"sub": None},
    ):
        yield b"\0" + f"{header}\n{json.dumps(_CLAIMS | change)}".encode()
    yield f"{segment(header)}.{segment(json.dumps(_CLAIMS))}.{segment(b'x' * 64)}".encode()
    public = _KEY.as_dict(private=False)
    rsa = {"kty": "RSA", "kid": "r", "n": segment(b"\xc5" * 256), "e": "AQAB", "use": "sig"}
    yield b"\1" + json.dumps({"keys": [public, rsa]}).encode()
    yield (
        b"\1"
        + json.dumps({"keys": [{**rsa, "kid": 1}, {n: v for n, v in rsa.items() if n != "kid"}]}).encode()
    )
    yield (
        b"\1"
        + json.dumps({"keys": [{**public, "crv": "P-384"}, {"kty": "oct", "k": "AA", "kid": "x"}]}).encode()
    )


def _check_key_set(document: bytes) -> None:
    try:
        keys = parse_key_set(document)
    except ValueError:
        return
    assert len(keys.by_name) + len(keys.nameless) <= MAX_KEYS * len(ALGORITHMS)
    for name, key in keys.by_name.items():
        assert keys.find(name) is key
        assert name.algorithm in ALGORITHMS
        assert not key.is_private
    for algorithm, key in keys.nameless:
        assert algorithm in ALGORITHMS
        assert not key.is_private
