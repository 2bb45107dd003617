"""Image references, and the registries in them."""

from collections.abc import Iterator

from packyard.oci.reference import parse_reference, parse_registry

_SEEDS = (
    "alpine",
    "docker.io/library/alpine:3.20",
    "index.docker.io/x/y",
    "localhost/x",
    "localhost:5000/a/b__c/d-e:TAG_1.2",
    "registry.example.com:443/packs/slack@sha256:" + "0a" * 32,
    "ghcr.io/o/n:1.0@sha256:" + "f" * 64,
    "[::1]:5000/x",
    "1.2.3.4:65535/x",
    "a" * 64,
)
_MAX_CHARACTERS = 457


def check(data: bytes) -> None:
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    try:
        reference = parse_reference(text)
    except ValueError:
        _check_registry(text)
        return
    normal = str(reference)
    assert parse_reference(normal) == reference
    assert normal.isascii()
    assert normal.isprintable()
    assert not any(character in normal for character in " \\?#%[]")
    assert ".." not in normal.split("/")
    assert len(text) <= _MAX_CHARACTERS
    assert parse_registry(reference.registry) == reference.registry


def seeds() -> Iterator[bytes]:
    return (seed.encode() for seed in _SEEDS)


def _check_registry(text: str) -> None:
    try:
        registry = parse_registry(text)
    except ValueError:
        return
    assert parse_registry(registry) == registry


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
