"""Manifests and indexes as others write them, well or with intent."""

import json
from typing import Any

import pytest
from tests.third_party_images import image, index, layer, pack_image

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import digest_of
from packyard.oci.document import Document
from packyard.oci.image_fault import ImageFault, NotAnImage
from packyard.oci.media_types import CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, GZIP_LAYER, INDEX, MANIFEST
from packyard.oci.read.platform import by_preference
from packyard.oci.read.third_party_document import (
    ThirdPartyIndex,
    ThirdPartyManifest,
    parse_named_parts,
    parse_third_party_document,
)

PACK = pack_image()


def body_of(document: Document) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(document.raw)
    return body


def raw_of(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_a_manifest_says_which_layers_and_how_large_all_of_it_is(*, docker: bool) -> None:
    made = image(layer(("a", b"1")), layer(("b", b"2")), docker=docker)

    read = parse_third_party_document(made.manifest.raw, content_type=made.manifest.media_type)

    assert isinstance(read, ThirdPartyManifest)
    assert [found.digest for found in read.layers] == [digest_of(blob.content) for blob in made.layers]
    assert read.size_bytes == made.size_bytes


def test_a_content_type_may_have_parameters_and_any_case() -> None:
    read = parse_third_party_document(PACK.manifest.raw, content_type=f"{MANIFEST.upper()}; charset=utf-8")

    assert isinstance(read, ThirdPartyManifest)


def test_a_manifest_may_leave_out_its_type_and_say_what_we_do_not_know() -> None:
    body = body_of(PACK.manifest) | {"subject": {"x": []}, "annotations": {"a": "b"}, "new": None}
    del body["mediaType"]

    assert isinstance(parse_third_party_document(raw_of(body), content_type=MANIFEST), ThirdPartyManifest)


MANIFEST_BODY = body_of(PACK.manifest)
INDEX_BODY = body_of(index((PACK.manifest, None)))


def without_type(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "mediaType"}


# Satellite and Pulp say JSON, a static web server what it makes of the file's name, S3 nothing but bytes
# (softprops/dkregistry-rs PR #113).
GENERIC = [
    "",
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON;charset=UTF-8",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/html",
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-www-form-urlencoded",
    "application/unknown",
]


@pytest.mark.parametrize("content_type", GENERIC)
@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_a_document_says_what_it_is_where_its_registry_does_not(content_type: str, *, docker: bool) -> None:
    made = image(layer(("a", b"1")), docker=docker).manifest
    listed = index((made, "linux/amd64"), docker=docker)

    for document, kind in ((made, ThirdPartyManifest), (listed, ThirdPartyIndex)):
        assert isinstance(parse_third_party_document(document.raw, content_type=content_type), kind)
        assert parse_named_parts(document.raw, content_type=content_type).media_type == document.media_type


@pytest.mark.parametrize("content_type", GENERIC)
@pytest.mark.parametrize(
    "none", [{}, {"mediaType": None}, {"mediaType": ""}], ids=["absent", "null", "empty"]
)
def test_its_shape_says_it_where_it_states_no_type(content_type: str, none: dict[str, Any]) -> None:
    """OCI's documents need not state one (image-spec, manifest.md, "mediaType")."""
    for body, media_type in ((MANIFEST_BODY, MANIFEST), (INDEX_BODY, INDEX)):
        raw = raw_of(without_type(body) | none)

        assert parse_named_parts(raw, content_type=content_type).media_type == media_type


@pytest.mark.parametrize(
    "body",
    [
        MANIFEST_BODY
        | {"annotations": {"Title": "a", "title": "b", "Layers": "c", "config": "d", "OS": "e"}},
        MANIFEST_BODY
        | {"config": MANIFEST_BODY["config"] | {"annotations": {"Digest": "a", "digest": "b", "SIZE": "c"}}},
    ],
    ids=["of-a-document", "of-a-descriptor"],
)
def test_keys_of_annotations_may_differ_in_case_only(body: Any) -> None:
    """backstage/backstage #21522: Debian's packager and a base image's name the same thing twice."""
    assert isinstance(parse_third_party_document(raw_of(body), content_type=MANIFEST), ThirdPartyManifest)


BOTH = MANIFEST_BODY | {"manifests": INDEX_BODY["manifests"]}
HELM = "application/vnd.cncf.helm.config.v1+json"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def artifact(config: str, *layers: str, **more: Any) -> dict[str, Any]:
    descriptor = MANIFEST_BODY["config"]
    parts = [descriptor | {"mediaType": one} for one in layers]
    return MANIFEST_BODY | {"config": descriptor | {"mediaType": config}, "layers": parts} | more


REFUSED: dict[str, tuple[Any, str, str]] = {
    "schema-1": ({"schemaVersion": 1, "fsLayers": []}, DOCKER_MANIFEST, "schema 1"),
    "schema-1-signed": (
        {"schemaVersion": 1, "fsLayers": []},
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "schema 1",
    ),
    "schema-1-as-json": ({"schemaVersion": 1, "fsLayers": []}, "application/json", "schema 1"),
    "schema-1-in-schema-2": (MANIFEST_BODY | {"fsLayers": []}, MANIFEST, "schema 1"),
    "no-schema-version": (MANIFEST_BODY | {"schemaVersion": None}, MANIFEST, "schemaVersion is not 2"),
    "a-type-unlike-its-content-type": (
        MANIFEST_BODY | {"mediaType": DOCKER_MANIFEST},
        MANIFEST,
        "another type",
    ),
    "a-type-that-is-no-text": (MANIFEST_BODY | {"mediaType": 1}, MANIFEST, "cannot be read"),
    "a-manifest-sent-as-an-index": (MANIFEST_BODY, INDEX, "another type"),
    "a-manifest-of-no-type-sent-as-an-index": (without_type(MANIFEST_BODY), INDEX, "another type"),
    "an-index-sent-as-a-manifest": (INDEX_BODY, MANIFEST, "another type"),
    "an-index-of-no-type-sent-as-a-manifest": (without_type(INDEX_BODY), MANIFEST, "another type"),
    "a-manifest-sent-as-something-else": (
        MANIFEST_BODY,
        "application/vnd.docker.container.image.v1+json",
        "another type",
    ),
    # CVE-2021-41190, for each combination of stated media types.
    "an-index-with-layers": (INDEX_BODY | {"layers": []}, INDEX, "an index as well"),
    "an-index-with-a-config": (INDEX_BODY | {"config": {}}, INDEX, "an index as well"),
    "a-manifest-with-manifests": (MANIFEST_BODY | {"manifests": []}, MANIFEST, "an index as well"),
    "both-as-json": (BOTH, "application/json", "an index as well"),
    "both-without-a-type": (without_type(BOTH), "", "an index as well"),
    "both-by-the-case-of-a-key": (
        MANIFEST_BODY | {"Manifests": INDEX_BODY["manifests"]},
        MANIFEST,
        "its key 'Manifests'",
    ),
    "layers-of-another-case": (MANIFEST_BODY | {"Layers": []}, MANIFEST, "its key 'Layers'"),
    "a-type-of-another-case": (without_type(MANIFEST_BODY) | {"MediaType": INDEX}, MANIFEST, "its key"),
    # U+017F and U+212A fold to s and k in Go.
    "layers-that-fold-to-it": (MANIFEST_BODY | {"layer\u017f": []}, MANIFEST, "its key"),
    "a-digest-of-another-case": (
        MANIFEST_BODY | {"config": MANIFEST_BODY["config"] | {"Digest": "x"}},
        MANIFEST,
        "its key 'Digest'",
    ),
    "a-platform-of-another-case": (
        {"schemaVersion": 2, "manifests": [PACK.manifest.descriptor() | {"platform": {"OS": "linux"}}]},
        INDEX,
        "its key 'OS'",
    ),
    "json-of-another-shape": ({"schemaVersion": 2}, "application/json", "is an artifact, not an image"),
    "a-config-alone": (without_type(MANIFEST_BODY) | {"layers": {}}, "", "not an image"),
    "an-artifact": (
        {"schemaVersion": 2},
        "application/vnd.oci.artifact.manifest.v1+json",
        "is an artifact of the type application/vnd.oci.artifact.manifest.v1",
    ),
    "a-helm-chart": (artifact(HELM, CHART), MANIFEST, "is a Helm chart, not an image"),
    "a-helm-chart-as-json": (artifact(HELM, CHART), "application/json", "is a Helm chart, not an image"),
    "an-attestation": (artifact(CONFIG, "application/vnd.in-toto+json"), MANIFEST, "is an attestation"),
    "a-signature": (
        artifact(CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json"),
        MANIFEST,
        "is a signature",
    ),
    "a-bill-of-materials": (
        artifact("application/vnd.oci.empty.v1+json", "application/vnd.cyclonedx+json"),
        MANIFEST,
        "is a bill of materials",
    ),
    "a-soci-index": (
        artifact("application/vnd.oci.empty.v1+json", "application/octet-stream")
        | {"artifactType": "application/vnd.amazon.soci.index.v1+json"},
        MANIFEST,
        "is a SOCI index",
    ),
    # What oras pushes when it is told nothing.
    "what-nobody-knows": (
        artifact("application/vnd.unknown.config.v1+json", "application/x.mine"),
        MANIFEST,
        "is an artifact of the type application/x.mine, not an image",
    ),
    "an-encrypted-layer": (artifact(CONFIG, f"{GZIP_LAYER}+encrypted"), MANIFEST, "has an encrypted layer"),
    "a-foreign-layer": (
        artifact(CONFIG, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        MANIFEST,
        "a foreign layer, as Windows images have them",
    ),
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
    "an-artifact-type-that-is-no-text": (
        {"schemaVersion": 2, "manifests": [PACK.manifest.descriptor() | {"artifactType": ["x"]}]},
        INDEX,
        "cannot be read",
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
        parse_third_party_document(raw_of(body), content_type=content_type)


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
        parse_third_party_document(made.manifest.raw, content_type=MANIFEST)


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
        b'{"annotations":{"a":"b","a":"c"}}',
    ],
    ids=[
        "empty",
        "cut-off",
        "no-utf-8",
        "deep-lists",
        "deep-mappings",
        "long-number",
        "repeat",
        "repeat-in-annotations",
    ],
)
def test_json_that_parsers_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(ImageFault, match="cannot be read"):
        parse_third_party_document(raw, content_type=MANIFEST)


@pytest.mark.parametrize(
    "media_type",
    [
        # anchore/stereoscope #486.
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+bzip2",
        "application/x-tar",
        "application/gzip",
        "application/octet-stream",
        "",
    ],
)
def test_of_an_image_a_layer_may_be_of_any_type_since_its_bytes_tell(media_type: str) -> None:
    read = parse_third_party_document(raw_of(artifact(CONFIG, media_type)), content_type=MANIFEST)

    assert isinstance(read, ThirdPartyManifest)


AMD, ARM, S390 = "linux/amd64", "linux/arm64", "linux/s390x"
SBOM = {"artifactType": "application/vnd.cyclonedx+json"}
ATTESTATION = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
Entry = tuple[str | None, dict[str, Any]]


def entries(*stated: str | Entry | None) -> ThirdPartyIndex:
    """Return an index of entries, each with its platform and what else it states; the first is of size 0."""
    made = []
    for number, entry in enumerate(stated):
        platform, more = entry if isinstance(entry, tuple) else (entry, {})
        descriptor = PACK.manifest.descriptor() | {"size": number} | more
        if platform is not None:
            os, _, architecture = platform.partition("/")
            descriptor["platform"] = {"os": os, "architecture": architecture}
        made.append(descriptor)
    read = parse_third_party_document(raw_of({"schemaVersion": 2, "manifests": made}), content_type=INDEX)
    assert isinstance(read, ThirdPartyIndex)
    return read


ORDERS: dict[str, tuple[list[str | Entry | None], list[int]]] = {
    "amd64-wherever-it-stands": ([S390, ARM, AMD], [2, 1, 0]),
    "the-first-of-two": ([ARM, AMD, AMD], [1, 2, 0]),
    "arm64-rather-than-others": ([S390, "windows/amd64", None, ARM], [3, 0, 1, 2]),
    "else-as-they-stand": ([S390, None, "windows/amd64"], [0, 1, 2]),
    "variants-are-one": ([(ARM, {"variant": "v8"}), AMD], [1, 0]),
    "machines-own-names": ([S390, "linux/aarch64", "Linux/x86_64"], [2, 1, 0]),
    "attestations-of-buildkit": (["unknown/unknown", (AMD, ATTESTATION), S390], [2, 1, 0]),
    # inspektor-gadget PR #5494.
    "no-architecture": (["linux/", S390], [1, 0]),
    "an-artifact-with-the-platform-of-an-image": ([(AMD, SBOM), S390, (ARM, SBOM)], [1, 0, 2]),
    "an-artifact-without-a-platform": ([(None, SBOM), S390], [1, 0]),
    "the-type-of-an-image-s-config-is-no-artifact-s": ([S390, (AMD, {"artifactType": CONFIG})], [1, 0]),
    "annotations-of-others": ([S390, (AMD, {"annotations": {"vnd.docker.reference.type": ""}})], [1, 0]),
    "nothing-but-artifacts": ([(None, SBOM), "unknown/unknown", (AMD, SBOM)], [2, 0, 1]),
}


@pytest.mark.parametrize(("stated", "order"), ORDERS.values(), ids=ORDERS)
def test_entries_come_into_question_in_this_order(stated: list[str | Entry | None], order: list[int]) -> None:
    assert [entry.size for entry in by_preference(entries(*stated))] == order


def test_entries_of_unknown_types_are_passed_over() -> None:
    strange = Document.of("application/vnd.example.sbom+json", {})
    made = index((strange, AMD), (PACK.manifest, S390), docker=True)

    read = parse_third_party_document(made.raw, content_type=DOCKER_INDEX)

    assert isinstance(read, ThirdPartyIndex)
    assert by_preference(read) == (Descriptor(MANIFEST, PACK.manifest.digest, PACK.manifest.size),)


def test_an_artifact_is_distinguished_from_an_unreadable_image() -> None:
    with pytest.raises(NotAnImage):
        parse_third_party_document(raw_of(artifact(HELM, CHART)), content_type=MANIFEST)
