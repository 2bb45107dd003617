import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.digest import digest_of
from packyard.oci.document import Document

DESCRIPTION = "Post & read messages, in “Slack”."
ANNOTATIONS = {
    "org.opencontainers.image.title": "slack",
    "org.opencontainers.image.version": "1.4.0+build",
    "org.opencontainers.image.description": DESCRIPTION,
}


@pytest.fixture
def layer() -> Iterator[Layer]:
    with LayerSpool() as spool:
        yield lay(spool, SMALL_TREE)


@pytest.fixture
def image(layer: Layer) -> Image:
    return build_image(layers=[layer], title="slack", version="1.4.0+build", description=DESCRIPTION)


def body(document: Document) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(document.raw)
    return parsed


def test_the_index_offers_one_manifest_for_each_platform(image: Image) -> None:
    index = body(image.index)

    assert image.index.media_type == index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert index["schemaVersion"] == 2
    assert index["manifests"] == [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": manifest.digest,
            "size": len(manifest.raw),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for architecture, manifest in zip(["amd64", "arm64"], image.manifests, strict=True)
    ]


def test_every_manifest_names_its_config_and_the_one_layer(image: Image, layer: Layer) -> None:
    for manifest, config in zip(image.manifests, image.configs, strict=True):
        assert body(manifest) == {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest_of(config.raw),
                "size": len(config.raw),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": layer.digest,
                    "size": layer.size,
                }
            ],
            "annotations": ANNOTATIONS,
        }


def test_configs_say_what_the_layer_unpacks_to_and_no_time(image: Image, layer: Layer) -> None:
    assert [body(config) for config in image.configs] == [
        {
            "architecture": architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
        }
        for architecture in ("amd64", "arm64")
    ]


def test_the_index_carries_the_same_annotations(image: Image) -> None:
    assert body(image.index)["annotations"] == ANNOTATIONS


def test_without_a_description_there_is_no_such_annotation(layer: Layer) -> None:
    image = build_image(layers=[layer], title="slack", version="1.4.0")

    for document in (image.index, *image.manifests):
        assert body(document)["annotations"].keys() == {
            "org.opencontainers.image.title",
            "org.opencontainers.image.version",
        }


def test_the_size_is_what_one_node_pulls(image: Image, layer: Layer) -> None:
    assert {len(config.raw) + layer.size for config in image.configs} == {image.size_bytes}


def test_digests_name_the_index_before_what_it_names(image: Image) -> None:
    assert image.digests == (
        digest_of(image.index.raw),
        digest_of(image.manifests[0].raw),
        digest_of(image.manifests[1].raw),
    )


def test_the_same_arguments_give_the_same_image(image: Image, layer: Layer) -> None:
    assert build_image(layers=[layer], title="slack", version="1.4.0+build", description=DESCRIPTION) == image


@pytest.mark.parametrize(
    "change", [{"title": "other"}, {"version": "1.4.1"}, {"description": "Other."}, {"description": None}]
)
def test_images_that_differ_share_no_manifest(image: Image, layer: Layer, change: dict[str, Any]) -> None:
    stated = {"title": "slack", "version": "1.4.0+build", "description": DESCRIPTION} | change

    assert not set(build_image(layers=[layer], **stated).digests) & set(image.digests)


def test_a_document_is_compact_sorted_utf_8() -> None:
    document = Document.of("application/json", {"b": "é", "a": [1, {"d": None, "c": True}]})

    assert document.raw == '{"a":[1,{"c":true,"d":null}],"b":"é"}'.encode()
    assert document.descriptor() == {
        "mediaType": "application/json",
        "digest": digest_of(document.raw),
        "size": len(document.raw),
    }
