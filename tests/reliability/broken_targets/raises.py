"""A reader that lets an error through that it does not document; one gets there step by step."""

from collections.abc import Iterator

_MAGIC = b"PAX"


def check(data: bytes) -> None:
    if data[:1] == _MAGIC[:1]:
        _second(data)


def _second(data: bytes) -> None:
    if data[:2] == _MAGIC[:2]:
        _third(data)


def _third(data: bytes) -> None:
    if data[:3] == _MAGIC:
        raise KeyError(_MAGIC)


def seeds() -> Iterator[bytes]:
    yield b"---"
