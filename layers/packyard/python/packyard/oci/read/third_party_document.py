"""Parsing third-party manifests and indexes. Only the keys that this service needs are checked.

Unknown keys are ignored (OCI image-spec, manifest.md and image-index.md). Some registries send documents with the
Content-Type of JSON, text or bytes, or with none (Satellite, Pulp, static hosting; dkregistry-rs PR #113). Then the
document's own `mediaType`, or its keys, decide what it is. A document that one reader could take for a manifest and
another for an index is refused (CVE-2021-41190).
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import parse_digest
from packyard.oci.image_fault import ImageFault, NotAnImage
from packyard.oci.media_types import (
    ENCRYPTED,
    FOREIGN_LAYERS,
    IMAGE_CONFIGS,
    INDEX,
    INDEXES,
    LAYERS,
    MANIFEST,
    MANIFESTS,
)
from packyard.oci.read.artifact import kind_of

_SCHEMA_VERSION: Final = 2
# Docker's limit is 127 layers.
_MAX_LAYERS: Final = 512
_MAX_ENTRIES: Final = 1024
# The largest integer that every JSON parser represents exactly (RFC 8259, section 6).
_MAX_SIZE: Final = 2**53 - 1
_UNREADABLE: Final = "has a manifest that cannot be read"
_DOCUMENTS: Final = INDEXES | MANIFESTS
# A Content-Type with this prefix says what a document is. Others only say that it is JSON, text or bytes.
_VENDOR: Final = "application/vnd."
_MAX_SHOWN: Final = 100
# Config types that do not say what an artifact is: OCI's empty config, and ORAS' default.
_UNSPECIFIC_CONFIGS: Final = (
    "application/vnd.oci.empty.",
    "application/vnd.unknown.",
    "application/vnd.oci.image.",
)
# Go matches keys in any case (encoding/json, "preferring exact but also accepting case-insensitive matches"), and after
# Unicode case folding. So a key that differs from one of these only in case is refused.
_DOCUMENT_KEYS: Final = frozenset(
    {"schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "fsLayers", "subject"}
)
_DESCRIPTOR_KEYS: Final = frozenset(
    {"mediaType", "artifactType", "digest", "size", "platform", "annotations", "urls", "data"}
)
_PLATFORM_KEYS: Final = frozenset({"os", "architecture", "variant"})
# BuildKit, "Image attestation storage".
_REFERENCE_TYPE: Final = "vnd.docker.reference.type"
# Architectures by their names in `uname -m`, which some tools write in place of Go's names.
_ARCHITECTURES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform of an entry in an index, in lower case and with Go's names."""

    os: str
    architecture: str


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One entry of an index.

    Attributes:
        descriptor: The manifest or index that the entry names.
        platform: The platform; None if the entry states none.
        is_artifact: Whether the entry is marked as something about an image, such as an attestation or an SBOM.
    """

    descriptor: Descriptor
    platform: Platform | None
    is_artifact: bool


@dataclass(frozen=True, slots=True)
class ThirdPartyIndex:
    """An index.

    Attributes:
        entries: Manifests and indexes in their order; entries of other types are left out.
        version: What it states as the version of what is in the image; None if it states none.
    """

    entries: tuple[IndexEntry, ...]
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ThirdPartyManifest:
    """An image's manifest.

    Attributes:
        layers: From the lowest up; none of them is foreign.
        size_bytes: Compressed bytes of the config and the layers.
        version: As for an index.
    """

    layers: tuple[Descriptor, ...]
    size_bytes: int
    version: str | None = None


@dataclass(frozen=True, slots=True)
class NamedParts:
    """Everything that a document names. A copy of an image is complete when all of it was copied.

    Attributes:
        media_type: The document's type, even if its registry has not stated it.
        manifests: The manifests and indexes that an index lists.
        blobs: The config and layers of a manifest.
    """

    media_type: str
    manifests: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()


def parse_third_party_document(raw: bytes, *, content_type: str) -> ThirdPartyIndex | ThirdPartyManifest:
    """Parse a registry's response as an index or a manifest.

    Args:
        raw: The document's bytes, whose size the caller has limited.
        content_type: The response's Content-Type, or an empty text; parameters are ignored.

    Raises:
        NotAnImage: It is the manifest of another artifact.
        ImageFault: It is neither a manifest nor an index that this service can read.
    """
    body, media_type = _checked(raw, content_type)
    return _index(body) if media_type in INDEXES else _manifest(body)


def parse_named_parts(raw: bytes, *, content_type: str) -> NamedParts:
    """Return everything that a document names, for copying. Layers may have any type, because they are not read.

    Args:
        raw: The document's bytes, whose size the caller has limited.
        content_type: As for `parse_third_party_document`.

    Raises:
        ImageFault: It is neither a manifest nor an index, or names something that its registry may not have.
    """
    body, media_type = _checked(raw, content_type)
    if media_type in INDEXES:
        manifests = tuple(_descriptor(entry) for entry in _list(body, "manifests", most=_MAX_ENTRIES))
        if any(entry.media_type not in _DOCUMENTS for entry in manifests):
            raise ImageFault("has an index that lists something else than manifests")
        return NamedParts(media_type, manifests=manifests)
    layers = tuple(_descriptor(layer) for layer in _list(body, "layers", most=_MAX_LAYERS))
    _require_held(layers)
    return NamedParts(media_type, blobs=(_descriptor(body.get("config")), *layers))


def _checked(raw: bytes, content_type: str) -> tuple[dict[str, Any], str]:
    """Return a document and its media type, which is one of `INDEXES` or `MANIFESTS`."""
    body = _load(raw)
    _check_keys(body, _DOCUMENT_KEYS)
    if body.get("schemaVersion") == 1 or "fsLayers" in body:
        raise ImageFault("has a manifest of the outdated schema 1; push it again with a current tool")
    stated = content_type.partition(";")[0].strip().lower()
    own = body.get("mediaType") or ""
    if not isinstance(own, str):
        raise ImageFault(_UNREADABLE)
    media_type = own or (stated if stated.startswith(_VENDOR) else _by_shape(body))
    if media_type not in _DOCUMENTS:
        raise NotAnImage(f"is {_kind(body, media_type)}, not an image")
    if stated.startswith(_VENDOR) and stated != media_type:
        raise ImageFault(
            f"has a manifest that states another type, {media_type}, than its registry does, {stated:.{_MAX_SHOWN}}"
        )
    if "manifests" in body and ("layers" in body or "config" in body):
        raise ImageFault("has a manifest that is an index as well; readers differ in which of them it is")
    if body.get("schemaVersion") != _SCHEMA_VERSION:
        raise ImageFault("has a manifest whose schemaVersion is not 2")
    if any(key in body for key in (("layers", "config") if media_type in INDEXES else ("manifests",))):
        raise ImageFault(f"has a manifest that is of another type than it states, {media_type}")
    return body, media_type


def _by_shape(body: dict[str, Any]) -> str:
    """Return the type of a document that states none, by its keys. Only OCI documents may leave their type out."""
    if isinstance(body.get("manifests"), list):
        return INDEX
    if isinstance(body.get("config"), dict) and isinstance(body.get("layers"), list):
        return MANIFEST
    return ""


def _kind(body: dict[str, Any], media_type: str) -> str:
    config = body.get("config")
    stated = (body.get("artifactType"), config.get("mediaType") if isinstance(config, dict) else None)
    return kind_of(*(one for one in (*stated, media_type) if isinstance(one, str) and one))


def _load(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise ImageFault(_UNREADABLE) from None
    if not isinstance(body, dict):
        raise ImageFault(_UNREADABLE)
    return body


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two equal keys wins.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _check_keys(body: dict[str, Any], known: Collection[str]) -> None:
    """Check that no key differs from a known one only in case. This does not apply to the keys of annotations."""
    folded = {key.casefold() for key in known}
    for key in body.keys() - known:
        if key.casefold() in folded:
            raise ImageFault(
                f"{_UNREADABLE}: its key {key!a:.{_MAX_SHOWN}} is taken by some readers for one of another case"
            )


def _index(body: dict[str, Any]) -> ThirdPartyIndex:
    entries = []
    for entry in _list(body, "manifests", most=_MAX_ENTRIES):
        descriptor = _descriptor(entry)
        if descriptor.media_type in _DOCUMENTS:
            entries.append(IndexEntry(descriptor, _platform(entry.get("platform")), _is_artifact(entry)))
    return ThirdPartyIndex(tuple(entries), _version(body))


def _manifest(body: dict[str, Any]) -> ThirdPartyManifest:
    config = _descriptor(body.get("config"))
    layers = tuple(_descriptor(layer) for layer in _list(body, "layers", most=_MAX_LAYERS))
    _require_held(layers)
    others = [layer.media_type for layer in layers if layer.media_type not in LAYERS]
    if any(media_type.endswith(ENCRYPTED) for media_type in others):
        raise ImageFault("has an encrypted layer, which only its owner's key opens; register it unencrypted")
    # With the config of an image, a layer may have any type except JSON, because its bytes show what it is.
    if others and (config.media_type not in IMAGE_CONFIGS or any(map(_is_json, others))):
        stated = (one for one in (body.get("artifactType"), config.media_type) if isinstance(one, str))
        kinds = (
            one for one in stated if one not in IMAGE_CONFIGS and not one.startswith(_UNSPECIFIC_CONFIGS)
        )
        raise NotAnImage(f"is {kind_of(*kinds, *others)}, not an image")
    return ThirdPartyManifest(layers, config.size + sum(layer.size for layer in layers), _version(body))


def _version(body: dict[str, Any]) -> str | None:
    """Return the version of what a document carries (OCI image-spec, annotations.md)."""
    annotations = body.get("annotations")
    version = annotations.get("org.opencontainers.image.version") if isinstance(annotations, dict) else None
    return version if isinstance(version, str) else None


def _is_json(media_type: str) -> bool:
    return media_type.endswith(("+json", "/json"))


def _require_held(layers: tuple[Descriptor, ...]) -> None:
    if any(layer.media_type in FOREIGN_LAYERS for layer in layers):
        raise ImageFault(
            "has a layer that its registry does not hold (a foreign layer, as Windows images have them); "
            "build it without one, for instance FROM scratch"
        )


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
    _check_keys(value, _DESCRIPTOR_KEYS)
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
    _check_keys(value, _PLATFORM_KEYS)
    os, architecture = (str(value.get(key) or "").lower() for key in ("os", "architecture"))
    return Platform(os=os, architecture=_ARCHITECTURES.get(architecture, architecture))


def _is_artifact(entry: dict[str, Any]) -> bool:
    artifact_type = entry.get("artifactType")
    annotations = entry.get("annotations")
    if isinstance(annotations, dict) and annotations.get(_REFERENCE_TYPE):
        return True
    if artifact_type is not None and not isinstance(artifact_type, str):
        raise ImageFault(_UNREADABLE)
    # Some tools write the type of an image's config as the artifactType.
    return bool(artifact_type) and artifact_type not in IMAGE_CONFIGS
