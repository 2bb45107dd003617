"""What a registry asks for when it answers 401."""

from collections.abc import Iterator
from typing import Final

from packyard.registry.challenge import parse_challenges

_MAX_TEXT: Final = 4096


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


def seeds() -> Iterator[bytes]:
    yield b'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull"'
    yield b'Basic realm="a\\"b", Bearer realm = x\nNegotiate'
    yield b'Digest qop="auth,auth-int",nonce='
