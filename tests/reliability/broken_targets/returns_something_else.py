"""A reader that takes what it may not."""

from collections.abc import Iterator


def check(data: bytes) -> None:
    assert b".." not in data


def seeds() -> Iterator[bytes]:
    yield b"a/./b"
