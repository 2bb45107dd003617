"""A pack whose image was built when a layer was a row of gzip members: it is read, changed and cloned as any other."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.aws import BUCKET
from tests.gateway import Request
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.trees import SMALL_TREE

from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import LayerContents
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of
from packyard.oci.media_types import GZIP_LAYER
from packyard.storage.file_indexes import index_key

BEFORE = Path(__file__).parents[2] / "built_before"
BLOB = (BEFORE / "layer.tar.gz").read_bytes()
DIFF_ID = Digest("sha256:0d8e27cad5957f26d04a5e7dd00026bd84cdec86fcad472ae2a2de69cc58e159")
TREE = SMALL_TREE | {"data/large.bin": bytes(range(256)) * 9000}
REPOSITORY = f"packs/{ACME.org_id}/slack"


def image_of_before() -> Image:
    layer = LayerContents(digest=digest_of(BLOB), size=len(BLOB), diff_id=DIFF_ID, files=(), directories=())
    return build_image(layers=[layer], title="slack", version="1.4.0")


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


@pytest.fixture
def pack_id(service: Service) -> str:
    """A pack that an earlier release wrote: row, image and index."""
    answer = service.upload(PackArchive().build())
    assert answer.status == 201
    image = image_of_before()
    registry = service.services.publisher.images.registry
    for kind, raw in [(GZIP_LAYER, BLOB), *((config.media_type, config.raw) for config in image.configs)]:
        blob = Descriptor(kind, digest_of(raw), len(raw))
        registry.copy_blob(REPOSITORY, blob, chunks=partial(iter, (raw,)), mount_from=None)
    for document in (*image.manifests, image.index):
        registry.push_manifest(REPOSITORY, document)
    before = service.services.packs.get(answer.body["id"])
    assert before is not None
    after = before.revised(
        at=service.clock(),
        image_digest=image.index.digest,
        layer_digest=digest_of(BLOB),
        chain_id=DIFF_ID,
        content_digest=None,
        description=None,
    )
    service.services.packs.change(before, after, actor="test", operation="test", manifests=image.digests[1:])
    document_of_before = (BEFORE / "index.json.gz").read_bytes()
    service.aws.s3.put_object(Bucket=BUCKET, Key=index_key(digest_of(BLOB)), Body=document_of_before)
    return before.id


def listed(service: Service, pack_id: str) -> dict[str, Any]:
    request = Request(method="GET", resource="/x", path=f"/packs/{pack_id}/files", caller=ACME)
    body: dict[str, Any] = json.loads(service.invoke("list_files", request.event())["body"])
    return body


def digests(tree: dict[str, bytes]) -> dict[str, str]:
    return {path: f"sha256:{hashlib.sha256(content).hexdigest()}" for path, content in tree.items()}


def assert_readable(service: Service, pack_id: str, tree: dict[str, bytes]) -> None:
    """Each small file is one request."""
    for path, content in tree.items():
        service.registry.requests.clear()
        request = Request(
            method="GET",
            resource="/x",
            path=f"/packs/{pack_id}/files/{quote(path)}",
            caller=ACME,
            headers={"Accept": "*/*"},
        )
        answer = service.invoke("get_file", request.event())
        assert answer["statusCode"] == 200
        if not answer["isBase64Encoded"]:
            assert answer["body"].encode() == content
        assert len(service.registry.requests) == (1 if content else 0)


@pytest.mark.parametrize("lost", [False, True], ids=["by its index", "without its index"])
def test_it_is_listed_and_read(service: Service, pack_id: str, lost: bool) -> None:
    if lost:
        service.aws.s3.delete_object(Bucket=BUCKET, Key=index_key(digest_of(BLOB)))

    body = listed(service, pack_id)

    assert {file["path"]: file["digest"] for file in body["files"]} == digests(TREE)
    assert "content_digest" not in service.get(pack_id).body
    assert_readable(service, pack_id, TREE)


@pytest.mark.parametrize("lost", [False, True], ids=["by its index", "without its index"])
def test_a_change_makes_the_image_that_we_build_today(
    service: Service,
    pack_id: str,
    lost: bool,
) -> None:
    if lost:
        service.aws.s3.delete_object(Bucket=BUCKET, Key=index_key(digest_of(BLOB)))
    request = Request(
        method="PUT",
        resource="/packs/{id}/files/{path+}",
        path=f"/packs/{pack_id}/files/README.md",
        headers={"Content-Type": "application/octet-stream"},
        body=b"changed",
        caller=ACME,
    )

    answer = service.request("put_file", request)

    assert answer.status == 200, answer.body
    changed = TREE | {"README.md": b"changed"}
    body = listed(service, pack_id)
    assert {file["path"]: file["digest"] for file in body["files"]} == digests(changed)
    assert answer.body["content_digest"] == body["content_digest"]
    assert_readable(service, pack_id, changed)


def test_a_clone_of_it_reads_the_same(service: Service, pack_id: str) -> None:
    service.update(pack_id, "community")

    clone = service.clone(pack_id, GLOBEX, name="copy")

    assert clone.status == 201, clone.body
    assert clone.body["image_digest"] == image_of_before().index.digest
    assert "content_digest" not in clone.body
    request = Request(method="GET", resource="/x", path=f"/packs/{clone.body['id']}/files", caller=GLOBEX)
    files = json.loads(service.invoke("list_files", request.event())["body"])["files"]
    assert {file["path"]: file["digest"] for file in files} == digests(TREE)
