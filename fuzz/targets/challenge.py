"""A registry's challenge in a 401, and the answer of its token server."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from packyard.registry.bearer_token import parse_token, pull_scope, token_url
from packyard.registry.challenge import bearer_of, parse_challenges

_MAX_TEXT: Final = 4096
_REGISTRY: Final = "https://registry.test"


def check(data: bytes) -> None:
    challenges = parse_challenges(data.decode("latin-1").split("\n"))
    for challenge in challenges:
        assert challenge.scheme == challenge.scheme.lower()
        assert challenge.scheme.isascii()
        assert all(name == name.lower() for name in challenge.parameters)
    stated = sum(
        len(challenge.scheme) + sum(map(len, challenge.parameters.values())) for challenge in challenges
    )
    assert stated <= _MAX_TEXT
    bearer = bearer_of(challenges)
    if bearer is not None:
        scope = pull_scope(bearer)
        assert not any(one.endswith(("push", "delete", "*")) for one in (scope or "").split() if ":" in one)
        with suppress(ValueError):
            parts = urlsplit(token_url(bearer, registry_url=_REGISTRY, scope=scope))
            assert (parts.scheme, parts.username) == ("https", None)
            assert parts.hostname
    with suppress(ValueError):
        token = parse_token(data)
        assert token.authorization.isprintable()
        assert " " not in token.authorization.removeprefix("Bearer ")
        assert 60 <= token.seconds <= 3600  # noqa: PLR2004 - as the specification and we bound it


def seeds() -> Iterator[bytes]:
    yield b'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull"'
    yield b'Basic realm="a\\"b", Bearer realm = x\nNegotiate'
    yield b'Digest qop="auth,auth-int",nonce='
    yield b"Bearer realm=/token,scope=repository:a:pull,push aws"
    yield b"Bearer realm=http://registry.test/a,b,service=x, Basic realm='y z'"
    yield b'{"access_token":"t","expires_in":1e3}'
