"""The content digest by its published test vectors, which other programs can be tried with as well."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.image import build_image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.layer_row import LayerFile
from packyard.oci.content_digest import content_digest_of
from packyard.oci.read.file_index import index_of_layers

VECTORS = json.loads((Path(__file__).parents[3] / "docs" / "content-digest.json").read_text())["vectors"]


def a_file(path: str, content: str, mode: int) -> LayerFile:
    raw = content.encode()
    return LayerFile(path, len(raw), mode, hashlib.sha256(raw).hexdigest(), ())


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_each_vector_comes_out_whatever_order_its_files_come_in(vector: dict[str, Any]) -> None:
    files = [a_file(file["path"], file["content"], int(file["mode"], 8)) for file in vector["files"]]
    random.Random(1).shuffle(files)  # noqa: S311 - any other order

    assert content_digest_of(files) == vector["content_digest"]


def test_no_two_vectors_are_alike() -> None:
    assert len({vector["content_digest"] for vector in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize(("mode", "as_if"), [(0o600, 0o644), (0o777, 0o755), (0o711, 0o755), (0o4644, 0o644)])
def test_of_other_modes_only_the_execute_bits_count(mode: int, as_if: int) -> None:
    assert content_digest_of([a_file("a", "1", mode)]) == content_digest_of([a_file("a", "1", as_if)])


def test_an_image_and_its_index_have_the_same_whatever_its_layers_and_empty_directories_are() -> None:
    names = list(SMALL_TREE)
    with LayerSpool() as spool:
        whole = lay(spool, SMALL_TREE, directories=["data/none"])
        parts = [lay(spool, {name: SMALL_TREE[name]}) for name in names]
        one = build_image(layers=[whole], title="a", version="1.0.0")
        many = build_image(layers=parts, title="a", version="1.0.0")

    assert one.content_digest == many.content_digest == content_digest_of(index_of_layers(parts).files)
    assert one.chain_id != many.chain_id
    assert one.chain_id == whole.diff_id


def test_a_chain_id_is_that_of_the_image_specification() -> None:
    with LayerSpool() as spool:
        layers = [lay(spool, {name: content}) for name, content in SMALL_TREE.items()]
        chain = build_image(layers=layers[:3], title="a", version="1.0.0").chain_id

    two = hashlib.sha256(f"{layers[0].diff_id} {layers[1].diff_id}".encode()).hexdigest()
    three = hashlib.sha256(f"sha256:{two} {layers[2].diff_id}".encode()).hexdigest()
    assert chain == f"sha256:{three}"
