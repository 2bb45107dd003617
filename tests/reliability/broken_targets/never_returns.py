"""A reader that some input keeps busy for ever."""

from collections.abc import Iterator


def check(data: bytes) -> None:
    while data[:1] == b"!":
        pass


def seeds() -> Iterator[bytes]:
    yield b"!"
