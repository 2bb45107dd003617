"""Manifests and indexes as others write them, well or with intent."""

import json
from typing import Any

import pytest
from tests.foreign_images import image, index, layer, pack_image

from packyard.oci.digest import digest_of
from packyard.oci.document import Document
from packyard.oci.foreign_document import ForeignIndex, ForeignManifest, parse_foreign_document
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST
from packyard.oci.platform import choose_entry

PACK = pack_image()


def other(number: int) -> Document:
    return image(layer((f"file-{number}", b""))).manifest


def body_of(document: Document) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(document.raw)
    return body


def raw_of(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_a_manifest_says_which_layers_and_how_large_all_of_it_is(*, docker: bool) -> None:
    made = image(layer(("a", b"1")), layer(("b", b"2")), docker=docker)

    read = parse_foreign_document(made.manifest.raw, content_type=made.manifest.media_type)

    assert isinstance(read, ForeignManifest)
    assert [found.digest for found in read.layers] == [digest_of(blob.content) for blob in made.layers]
    assert read.size_bytes == made.size_bytes


def test_a_content_type_may_have_parameters_and_any_case() -> None:
    read = parse_foreign_document(PACK.manifest.raw, content_type=f"{MANIFEST.upper()}; charset=utf-8")

    assert isinstance(read, ForeignManifest)


def test_a_manifest_may_leave_out_its_type_and_say_what_we_do_not_know() -> None:
    body = body_of(PACK.manifest) | {"subject": {"x": []}, "annotations": {"a": "b"}, "new": None}
    del body["mediaType"]

    assert isinstance(parse_foreign_document(raw_of(body), content_type=MANIFEST), ForeignManifest)


MANIFEST_BODY = body_of(PACK.manifest)
INDEX_BODY = body_of(index((PACK.manifest, None)))
REFUSED: dict[str, tuple[Any, str, str]] = {
    "schema-1": ({"schemaVersion": 1, "fsLayers": []}, DOCKER_MANIFEST, "schema 1"),
    "schema-1-signed": (
        {"schemaVersion": 1, "fsLayers": []},
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "schema 1",
    ),
    "no-schema-version": (MANIFEST_BODY | {"schemaVersion": None}, MANIFEST, "another type"),
    "a-type-unlike-its-content-type": (
        MANIFEST_BODY | {"mediaType": DOCKER_MANIFEST},
        MANIFEST,
        "another type",
    ),
    "a-manifest-sent-as-an-index": (MANIFEST_BODY, INDEX, "another type"),
    "an-index-sent-as-a-manifest": (INDEX_BODY, MANIFEST, "another type"),
    "an-index-with-layers": (INDEX_BODY | {"layers": []}, INDEX, "not an image"),
    "an-index-with-a-config": (INDEX_BODY | {"config": {}}, INDEX, "not an image"),
    "a-manifest-with-manifests": (MANIFEST_BODY | {"manifests": []}, MANIFEST, "not an image"),
    "json-of-another-type": ({"schemaVersion": 2}, "application/json", "not an image"),
    "an-artifact": ({"schemaVersion": 2}, "application/vnd.oci.artifact.manifest.v1+json", "not an image"),
    "a-list": ([], MANIFEST, "cannot be read"),
    "no-config": ({"schemaVersion": 2, "layers": []}, MANIFEST, "cannot be read"),
    "no-layers": ({"schemaVersion": 2, "config": MANIFEST_BODY["config"]}, MANIFEST, "cannot be read"),
    "layers-that-are-no-list": (MANIFEST_BODY | {"layers": {}}, MANIFEST, "cannot be read"),
    "a-layer-that-is-no-mapping": (MANIFEST_BODY | {"layers": ["x"]}, MANIFEST, "cannot be read"),
    "too-many-layers": (
        MANIFEST_BODY | {"layers": [MANIFEST_BODY["config"]] * 513},
        MANIFEST,
        "more than 512",
    ),
    "manifests-that-are-no-list": ({"schemaVersion": 2, "manifests": 1}, INDEX, "cannot be read"),
    "too-many-manifests": (
        {"schemaVersion": 2, "manifests": INDEX_BODY["manifests"] * 1025},
        INDEX,
        "more than 1024",
    ),
    "a-platform-that-is-no-mapping": (
        {"schemaVersion": 2, "manifests": [PACK.manifest.descriptor() | {"platform": "linux/amd64"}]},
        INDEX,
        "cannot be read",
    ),
}


@pytest.mark.parametrize(("body", "content_type", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_neither_is_refused(body: Any, content_type: str, said: str) -> None:
    with pytest.raises(ImageFault, match=said):
        parse_foreign_document(raw_of(body), content_type=content_type)


@pytest.mark.parametrize(
    "states",
    [
        {"size": -1},
        {"size": 2**53},
        {"size": 1.5},
        {"size": True},
        {"size": "1"},
        {"size": None},
        {"digest": "sha256:abc"},
        {"digest": f"sha512:{'0' * 128}"},
        {"digest": 1},
        {"mediaType": None},
        {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip"},
        {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"},
        {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"},
        {
            "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "urls": ["http://10.0.0.1/"],
        },
    ],
    ids=str,
)
def test_a_layer_that_is_none_we_can_fetch_is_refused(states: dict[str, Any]) -> None:
    made = image(layer(("pack.yaml", b""), states=states), layer(("above", b"")))

    with pytest.raises(ImageFault):
        parse_foreign_document(made.manifest.raw, content_type=MANIFEST)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"schemaVersion":' + b"9" * 10_000 + b"}",
        b'{"schemaVersion":2,"schemaVersion":2}',
        b'{"schemaVersion":2,"config":{},"layers":[],"Layers":[]}',
    ],
    ids=[
        "empty",
        "cut-off",
        "no-utf-8",
        "deep-lists",
        "deep-mappings",
        "long-number",
        "repeat",
        "repeat-in-case",
    ],
)
def test_what_is_no_json_that_all_read_alike_is_refused(raw: bytes) -> None:
    with pytest.raises(ImageFault, match="cannot be read"):
        parse_foreign_document(raw, content_type=MANIFEST)


AMD, ARM, S390 = "linux/amd64", "linux/arm64", "linux/s390x"
CHOICES: dict[str, tuple[list[str | None], int]] = {
    "amd64-wherever-it-stands": ([S390, ARM, AMD], 2),
    "the-first-of-two": ([ARM, AMD, AMD], 1),
    "no-platform-rather-than-arm64": ([S390, ARM, None], 2),
    "amd64-rather-than-no-platform": ([None, AMD], 1),
    "arm64-rather-than-others": ([S390, "windows/amd64", ARM], 2),
    "else-the-first": ([S390, "windows/amd64"], 0),
    "no-attestation": (["unknown/unknown", S390], 1),
}


@pytest.mark.parametrize(("platforms", "chosen"), CHOICES.values(), ids=CHOICES)
def test_an_index_is_resolved_to(platforms: list[str | None], chosen: int) -> None:
    documents = [other(number) for number in range(len(platforms))]
    made = index(*zip(documents, platforms, strict=True))

    read = parse_foreign_document(made.raw, content_type=made.media_type)

    assert isinstance(read, ForeignIndex)
    assert choose_entry(read).digest == documents[chosen].digest


def test_entries_of_unknown_types_are_passed_over() -> None:
    strange = Document.of("application/vnd.example.sbom+json", {})
    made = index((strange, AMD), (PACK.manifest, S390), docker=True)

    read = parse_foreign_document(made.raw, content_type=DOCKER_INDEX)

    assert isinstance(read, ForeignIndex)
    assert choose_entry(read).digest == PACK.manifest.digest


@pytest.mark.parametrize(
    "made",
    [index(), index((PACK.manifest, "unknown/unknown")), index((Document.of("text/plain", {}), AMD))],
    ids=["empty", "attestations-only", "unknown-types-only"],
)
def test_an_index_without_an_image_is_refused(made: Document) -> None:
    read = parse_foreign_document(made.raw, content_type=made.media_type)

    assert isinstance(read, ForeignIndex)
    with pytest.raises(ImageFault, match="no image"):
        choose_entry(read)
