"""Manifests and indexes that others have written: checked for what we need, and no further.

Both come as JSON under a digest. Unknown keys are passed over (OCI image-spec, manifest.md and image-index.md);
what could be taken for a manifest by one reader and for an index by another is refused (CVE-2021-41190).
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.digest import Digest, parse_digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import FOREIGN_LAYERS, INDEXES, LAYERS, MANIFESTS

_SCHEMA_VERSION: Final = 2
# Docker stops at 127 layers.
_MAX_LAYERS: Final = 512
_MAX_ENTRIES: Final = 1024
# What a number in JSON can say exactly.
_MAX_SIZE: Final = 2**53 - 1
_UNREADABLE: Final = "has a manifest that cannot be read"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """How a document names another, or a blob.

    Attributes:
        media_type: As stated; anything.
        size: Bytes, as stated.
    """

    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Platform:
    """What an entry of an index is for."""

    os: str
    architecture: str


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One entry of an index; `platform` is None when it states none."""

    descriptor: Descriptor
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class ForeignIndex:
    """An index: its manifests and indexes in order, entries of other kinds left out."""

    entries: tuple[IndexEntry, ...]


@dataclass(frozen=True, slots=True)
class ForeignManifest:
    """An image's manifest.

    Attributes:
        layers: From the bottom up; none of them foreign.
        size_bytes: Config plus layers, compressed.
    """

    layers: tuple[Descriptor, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class NamedParts:
    """All that a document names, whatever it is for: an image is whole when these are there.

    Attributes:
        manifests: What an index lists, indexes included.
        blobs: Config and layers of a manifest.
    """

    manifests: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()


def parse_foreign_document(raw: bytes, *, content_type: str) -> ForeignIndex | ForeignManifest:
    """Return what a registry has answered with.

    Args:
        raw: The bytes that the digest is of; the caller has bounded them.
        content_type: The answer's Content-Type; parameters are passed over.

    Raises:
        ImageFault: It is neither a manifest nor an index that we can read.
    """
    body, media_type = _checked(raw, content_type)
    return _index(body) if media_type in INDEXES else _manifest(body)


def parse_named_parts(raw: bytes, *, content_type: str) -> NamedParts:
    """Return what a document names. Of layers any type will do: what is only copied need not be understood.

    Args:
        raw: The bytes that the digest is of; the caller has bounded them.
        content_type: As for `parse_foreign_document`.

    Raises:
        ImageFault: It is neither a manifest nor an index, or names something that its registry need not hold.
    """
    body, media_type = _checked(raw, content_type)
    if media_type in INDEXES:
        manifests = tuple(_descriptor(entry) for entry in _list(body, "manifests", most=_MAX_ENTRIES))
        if any(entry.media_type not in INDEXES | MANIFESTS for entry in manifests):
            raise ImageFault("has an index that lists something else than manifests")
        return NamedParts(manifests=manifests)
    layers = tuple(_descriptor(layer) for layer in _list(body, "layers", most=_MAX_LAYERS))
    _require_held(layers)
    return NamedParts(blobs=(_descriptor(body.get("config")), *layers))


def _checked(raw: bytes, content_type: str) -> tuple[dict[str, Any], str]:
    """Return a document and its media type, which is one of `INDEXES` or `MANIFESTS`."""
    body = _load(raw)
    if body.get("schemaVersion") == 1:
        raise ImageFault("has a manifest of the outdated schema 1; push it again with a current tool")
    media_type = content_type.partition(";")[0].strip().lower()
    if body.get("mediaType", media_type) != media_type or body.get("schemaVersion") != _SCHEMA_VERSION:
        raise ImageFault("has a manifest that states another type than its registry does")
    if media_type in INDEXES and "layers" not in body and "config" not in body:
        return body, media_type
    if media_type in MANIFESTS and "manifests" not in body:
        return body, media_type
    raise ImageFault("is not an image: its manifest is of a type that is not supported")


def _load(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise ImageFault(_UNREADABLE) from None
    if not isinstance(body, dict):
        raise ImageFault(_UNREADABLE)
    return body


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two equal keys wins, and some in whether case makes a difference.
    if len({key.lower() for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _index(body: dict[str, Any]) -> ForeignIndex:
    entries = []
    for entry in _list(body, "manifests", most=_MAX_ENTRIES):
        descriptor = _descriptor(entry)
        if descriptor.media_type in INDEXES | MANIFESTS:
            entries.append(IndexEntry(descriptor, _platform(entry.get("platform"))))
    return ForeignIndex(tuple(entries))


def _manifest(body: dict[str, Any]) -> ForeignManifest:
    config = _descriptor(body.get("config"))
    layers = tuple(_descriptor(layer) for layer in _list(body, "layers", most=_MAX_LAYERS))
    _require_held(layers)
    if any(layer.media_type not in LAYERS for layer in layers):
        raise ImageFault("is not an image: it has a layer of a type that is not supported")
    return ForeignManifest(layers, config.size + sum(layer.size for layer in layers))


def _require_held(layers: tuple[Descriptor, ...]) -> None:
    if any(layer.media_type in FOREIGN_LAYERS for layer in layers):
        raise ImageFault("has a layer that its registry does not hold (a foreign layer)")


def _list(body: dict[str, Any], key: str, *, most: int) -> list[Any]:
    values = body.get(key)
    if not isinstance(values, list):
        raise ImageFault(_UNREADABLE)
    if len(values) > most:
        raise ImageFault(f"has a manifest with more than {most} {key}")
    return values


def _descriptor(value: Any) -> Descriptor:
    if not isinstance(value, dict):
        raise ImageFault(_UNREADABLE)
    media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
    if not isinstance(media_type, str) or not isinstance(digest, str) or type(size) is not int:
        raise ImageFault(_UNREADABLE)
    if not 0 <= size <= _MAX_SIZE:
        raise ImageFault(_UNREADABLE)
    try:
        return Descriptor(media_type, parse_digest(digest), size)
    except ValueError as error:
        raise ImageFault(f"has a manifest with a digest that {error}") from None


def _platform(value: Any) -> Platform | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ImageFault(_UNREADABLE)
    return Platform(os=str(value.get("os", "")), architecture=str(value.get("architecture", "")))
