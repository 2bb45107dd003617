"""Manifests and indexes that a registry answers with."""

import json
from collections.abc import Iterator
from typing import Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import parse_digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import DOCKER_INDEX, DOCKER_MANIFEST, GZIP_LAYER, INDEX, MANIFEST
from packyard.oci.read.platform import by_preference
from packyard.oci.read.third_party_document import (
    NamedParts,
    ThirdPartyIndex,
    parse_named_parts,
    parse_third_party_document,
)

_TYPES: Final = (
    INDEX,
    MANIFEST,
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    "application/json",
    "",
    f" {INDEX.upper()} ; charset=utf-8",
)
_MAX_SIZE: Final = 2**53 - 1
_DIGEST: Final = "sha256:" + "0a" * 32


def check(data: bytes) -> None:
    content_type = _TYPES[data[0] % len(_TYPES)] if data else ""
    raw = data[1:]
    try:
        document = parse_third_party_document(raw, content_type=content_type)
    except ImageFault:
        document = None
    try:
        parts = parse_named_parts(raw, content_type=content_type)
    except ImageFault:
        parts = None
    if isinstance(document, ThirdPartyIndex):
        descriptors = [entry.descriptor for entry in document.entries]
        assert sorted(by_preference(document), key=descriptors.index) == descriptors
        if parts is not None:
            assert parts.manifests == tuple(descriptors)
    elif document is not None:
        descriptors = list(document.layers)
        assert 0 <= sum(layer.size for layer in descriptors) <= document.size_bytes
        # A copy of all the parts must be a complete copy.
        assert parts is not None
        assert parts.blobs[1:] == document.layers
    else:
        descriptors = [*parts.manifests, *parts.blobs] if parts is not None else []
    _check_all(descriptors)
    _check_type(raw, content_type, parts)


def seeds() -> Iterator[bytes]:
    descriptor = {"mediaType": GZIP_LAYER, "digest": _DIGEST, "size": 7}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": [descriptor]}
    entry = {
        "mediaType": MANIFEST,
        "digest": _DIGEST,
        "size": 7,
        "platform": {"os": "linux", "architecture": "arm64"},
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry, {**entry, "platform": None}]}
    untyped = {key: value for key, value in manifest.items() if key != "mediaType"} | {
        "annotations": {"A": "", "a": ""}
    }
    artifact = {**entry, "artifactType": "application/x", "annotations": {"vnd.docker.reference.type": "x"}}
    mixed = {**index, "manifests": [artifact, entry]}
    for kind, body in (
        *((0, index), (1, manifest), (1, index), (4, manifest), (5, untyped), (4, mixed)),
        (1, {"schemaVersion": 1}),
    ):
        yield bytes([kind]) + json.dumps(body, separators=(",", ":")).encode()


def _check_type(raw: bytes, content_type: str, parts: NamedParts | None) -> None:
    """Check that a document has one type, that neither it nor its registry contradicts, and is of one kind only."""
    if parts is None:
        return
    body = json.loads(raw)
    assert body.get("mediaType") in (None, "", parts.media_type)
    stated = content_type.partition(";")[0].strip().lower()
    assert stated in ("", "application/json", parts.media_type)
    assert ("manifests" in body) != ("config" in body)


def _check_all(descriptors: list[Descriptor]) -> None:
    for descriptor in descriptors:
        assert parse_digest(descriptor.digest) == descriptor.digest
        assert 0 <= descriptor.size <= _MAX_SIZE
