"""Packs whose image has several layers: what a change, a read and a list of them cost, and what survives what."""

import hashlib
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any, Self
from urllib.parse import quote

import pytest
from tests.aws import BUCKET
from tests.engine.taps import Killed, Log, crash_at
from tests.gateway import Answer, Request
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service, running_service
from tests.small_layers import shrink_layers

from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.layer_row import LayerFile
from packyard.oci.build.tree import File
from packyard.oci.content_digest import content_digest_of
from packyard.oci.digest import Digest
from packyard.oci.image_fault import NotOurForm
from packyard.operations import sent_layers
from packyard.registry.own.early_upload import EarlyUpload

REPOSITORY = f"packs/{ACME.org_id}/slack"
DICE = random.Random(12)  # noqa: S311 - the same each time
FILES = {
    f"{top}/{number % 7}/{number}.md": DICE.randbytes(200) * DICE.randrange(1, 12)
    for number, top in enumerate(["guides", "data", "data", "skills"] * 60)
}
ARCHIVE = PackArchive(files=FILES)
CHANGED = sorted(FILES)[100]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    shrink_layers(monkeypatch)
    with running_service() as running:
        yield running


def upload(service: Service, archive: PackArchive = ARCHIVE, **more: Any) -> dict[str, Any]:
    answer = service.upload(archive.build(), **more)
    assert answer.status in {200, 201}, answer.body
    body: dict[str, Any] = answer.body
    return body


def put(service: Service, pack_id: str, path: str, content: bytes) -> Answer:
    return service.request(
        "put_file",
        Request(
            method="PUT",
            resource="/packs/{id}/files/{path+}",
            path=f"/packs/{pack_id}/files/{quote(path)}",
            headers={"Content-Type": "application/octet-stream"},
            body=content,
            caller=ACME,
        ),
    )


def get(service: Service, path: str, function: str) -> dict[str, Any]:
    request = Request(method="GET", resource="/x", path=path, caller=ACME, headers={"Accept": "*/*"})
    answer: dict[str, Any] = service.invoke(function, request.event())
    return answer


def listed(service: Service, pack_id: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(get(service, f"/packs/{pack_id}/files", "list_files")["body"])
    return body


def layers_of(service: Service, image_digest: str) -> list[str]:
    manifests = service.registry.shelves.repositories[REPOSITORY].manifests
    index = json.loads(manifests[Digest(image_digest)].raw)
    documents = [json.loads(manifests[entry["digest"]].raw) for entry in index["manifests"]]
    layers = [[layer["digest"] for layer in document["layers"]] for document in documents]
    assert layers[0] == layers[1]
    return layers[0]


def requests_of(service: Service, method: str) -> list[str]:
    return [request.path for request in service.registry.requests if request.method == method]


def test_the_layers_stand_in_the_manifests_and_their_diff_ids_in_the_configs(service: Service) -> None:
    pack = upload(service)
    kept = service.registry.shelves.repositories[REPOSITORY]

    layers = layers_of(service, pack["image_digest"])

    assert len(layers) > 5
    assert set(layers) <= kept.blobs.keys()
    index = json.loads(kept.manifests[Digest(pack["image_digest"])].raw)
    config = json.loads(kept.manifests[index["manifests"][0]["digest"]].raw)["config"]["digest"]
    assert len(json.loads(kept.blobs[config])["rootfs"]["diff_ids"]) == len(layers)


def test_a_file_of_any_layer_is_read_with_one_request_and_a_list_with_none(service: Service) -> None:
    pack = upload(service)
    service.registry.requests.clear()

    body = listed(service, pack["id"])

    assert service.registry.requests == []
    assert {file["path"]: file["digest"] for file in body["files"]}.items() >= {
        path: f"sha256:{hashlib.sha256(content).hexdigest()}" for path, content in FILES.items()
    }.items()
    for path in sorted(FILES)[::40]:
        service.registry.requests.clear()
        assert get(service, f"/packs/{pack['id']}/files/{path}", "get_file")["statusCode"] == 200
        assert len(service.registry.requests) == 1


def test_a_change_reads_and_sends_the_layer_around_it_and_no_other(service: Service) -> None:
    pack = upload(service)
    before = layers_of(service, pack["image_digest"])
    service.registry.requests.clear()

    answer = put(service, pack["id"], CHANGED, b"changed")

    assert answer.status == 200, answer.body
    after = layers_of(service, answer.body["image_digest"])
    new = [layer for layer in after if layer not in before]
    assert len(new) == 1
    read = [path for path in requests_of(service, "GET") if "/blobs/" in path]
    assert [path.rpartition("/")[2] for path in read] == [layer for layer in before if layer not in after]
    # The layer, and a config for each platform.
    assert len(requests_of(service, "POST")) == 3
    assert len(requests_of(service, "HEAD")) == 3
    assert get(service, f"/packs/{pack['id']}/files/{CHANGED}", "get_file")["body"] == "changed"


def test_so_does_a_change_of_a_pack_that_went_back_to_an_earlier_image(service: Service) -> None:
    pack = upload(service)
    put(service, pack["id"], CHANGED, b"changed")
    earlier = f"{pack['image_ref'].rpartition(':')[0]}@{pack['image_digest']}"
    back = service.send("replace_pack", "PUT", f"/packs/{pack['id']}", json={"image_ref": earlier})
    assert back.status == 200, back.body
    service.registry.requests.clear()

    assert put(service, pack["id"], CHANGED, b"changed again").status == 200

    assert len([path for path in requests_of(service, "GET") if "/blobs/" in path]) == 1
    assert len(requests_of(service, "POST")) == 3


@pytest.mark.parametrize(
    ("path", "content"),
    [(CHANGED, b"changed"), ("LICENSE", b"MIT"), ("templates/new/a.md", b"new"), (CHANGED, b"\xff" * 90_000)],
)
def test_what_comes_out_is_what_a_new_archive_would_have_made(
    service: Service, path: str, content: bytes
) -> None:
    pack = upload(service)

    edited = put(service, pack["id"], path, content).body
    theirs = upload(service, PackArchive(files=FILES | {path: content}), caller=GLOBEX)

    assert edited["image_digest"] == theirs["image_digest"]
    assert (
        edited["content_digest"] == theirs["content_digest"] == listed(service, pack["id"])["content_digest"]
    )


def test_the_content_digest_is_in_every_answer_with_a_pack(service: Service) -> None:
    pack = upload(service)
    put(service, pack["id"], CHANGED, b"changed")
    row = service.services.packs.get(pack["id"])
    assert row is not None
    assert row.layer_digest is not None
    index = service.services.indexes.get(row.layer_digest)
    assert index is not None

    history = service.send("list_revisions", "GET", f"/packs/{pack['id']}/revisions").body["revisions"]

    now = content_digest_of(index.files)
    assert service.get(pack["id"]).body["content_digest"] == now
    assert [entry["content_digest"] for entry in history] == [now, pack["content_digest"]]
    assert [entry["content_digest"] for entry in service.list_packs().body["packs"]] == [now]


@pytest.mark.parametrize("damage", ["lost", "of other files"])
def test_no_index_can_make_a_change_go_wrong(service: Service, damage: str) -> None:
    pack = upload(service)
    (key,) = (key for key in service.aws.objects() if key.startswith("indexes/"))
    if damage == "lost":
        service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
    else:
        upload(service, PackArchive(files=FILES | {CHANGED: b"another"}), caller=GLOBEX)
        (other,) = (found for found in service.aws.objects() if found.startswith("indexes/") and found != key)
        body = service.aws.s3.get_object(Bucket=BUCKET, Key=other)["Body"].read()
        service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    answer = put(service, pack["id"], "LICENSE", b"MIT")

    theirs = upload(
        service,
        PackArchive(files=FILES | {"LICENSE": b"MIT"}),
        caller=replace(GLOBEX, org_id=f"{GLOBEX.org_id[:-4]}0000"),
    )
    assert (answer.status, answer.body["image_digest"]) == (200, theirs["image_digest"])


def test_a_clone_of_it_reads_the_same_files_without_another_index(service: Service) -> None:
    pack = upload(service)
    clone = service.clone(pack["id"], name="copy").body

    assert clone["content_digest"] == pack["content_digest"]
    assert listed(service, clone["id"]) == listed(service, pack["id"])
    assert len([key for key in service.aws.objects() if key.startswith("indexes/")]) == 1


def test_a_deleted_pack_leaves_no_layer_of_any_revision_named(service: Service) -> None:
    pack = upload(service)
    put(service, pack["id"], CHANGED, b"changed")

    assert service.delete(pack["id"]).status == 200
    service.settle()

    assert service.images() == {}


def test_a_change_killed_at_any_moment_takes_no_layer_from_the_pack_that_stands(service: Service) -> None:
    pack = upload(service)
    service.settle()
    log = Log()
    with service.wire.tapped(log):
        put(service, pack["id"], CHANGED, b"changed")
    blobs = service.registry.shelves.repositories[REPOSITORY].blobs

    for moment in range(len(log.passed) + 1):
        with pytest.raises(Killed), service.wire.tapped(crash_at(moment, len(log.passed))):
            put(service, pack["id"], CHANGED, b"changed %d" % moment)
        service.new_process()
        service.settle()
        service.clock.advance(DEADLINE)

        stands = service.get(pack["id"]).body
        assert set(layers_of(service, stands["image_digest"])) <= blobs.keys()
        assert get(service, f"/packs/{pack['id']}/files/{CHANGED}", "get_file")["statusCode"] == 200
    assert put(service, pack["id"], CHANGED, b"changed at last").status == 200


def test_layers_of_a_large_pack_are_each_sent_once_and_early(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_layers, "_WORTH_BYTES", 0)

    pack = upload(service)

    layers = layers_of(service, pack["image_digest"])
    kept = service.registry.shelves.repositories[REPOSITORY]
    assert len(requests_of(service, "PATCH")) == len(layers)
    assert kept.uploads == {}
    assert set(layers) <= kept.blobs.keys()
    # A session for each layer, and one for each config.
    assert len(requests_of(service, "POST")) == len(layers) + 2


class Silent(EarlyUpload):
    """An upload that takes everything and sends nothing."""

    def __init__(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, piece: bytes) -> None:
        pass

    def end(self) -> None:
        pass

    def settle(self) -> None:
        pass


@pytest.mark.parametrize(("processors", "most"), [(2, 2), (3, 2), (6, 5)])
def test_uploads_are_waited_for_before_too_many_are_under_way(processors: int, most: int) -> None:
    told: list[str] = []
    under_way: set[int] = set()
    counts: list[int] = []

    class Noted(EarlyUpload):
        def __init__(self, number: int) -> None:
            self.number = number

        def __enter__(self) -> Self:
            under_way.add(self.number)
            counts.append(len(under_way))
            return self

        def __exit__(self, *_: object) -> None:
            told.append(f"leave {self.number}")

        def write(self, piece: bytes) -> None:
            pass

        def end(self) -> None:
            pass

        def settle(self) -> None:
            under_way.remove(self.number)

    numbers = count()
    with LayerSpool(processors=processors) as spool:
        files = [File(f"data/{number}", False, spool.store([b"%d" % number])) for number in range(12)]
        layers = [[file] for file in files]
        with sent_layers.assembled(
            spool, layers, size=1 << 30, begin_upload=lambda: Noted(next(numbers))
        ) as sent:
            assert [layer.files[0].path for layer in sent.layers] == [file.path for file in files]
            assert list(sent.uploads) == [layer.digest for layer in sent.layers]

    assert max(counts) == most
    assert sorted(told) == sorted(f"leave {number}" for number in range(12))


def test_layers_are_the_same_however_many_processors_make_them() -> None:
    def made(processors: int) -> list[tuple[Digest, Digest, tuple[LayerFile, ...]]]:
        with LayerSpool(processors=processors) as spool:
            contents = [bytes([number]) * (number * 997 % 300_000) for number in range(60)]
            files = [
                File(f"{number:02}", False, spool.store([content])) for number, content in enumerate(contents)
            ]
            layers = [files[start : start + 7] for start in range(0, len(files), 7)]
            with sent_layers.assembled(spool, layers, size=1 << 30, begin_upload=Silent) as sent:
                return [(layer.digest, layer.diff_id, layer.files) for layer in sent.layers]

    assert made(6) == made(3) == made(2)


def test_a_layer_that_cannot_be_made_ends_the_others() -> None:
    def entries() -> Iterator[list[File]]:
        yield from ([file] for file in files[:5])
        raise NotOurForm

    with LayerSpool(processors=6) as spool:
        files = [File(f"data/{number}", False, spool.store([b"%d" % number])) for number in range(9)]
        before = threading.active_count()
        with (
            pytest.raises(NotOurForm),
            sent_layers.assembled(spool, entries(), size=1 << 30, begin_upload=Silent),
        ):
            pass

        assert threading.active_count() == before


def test_an_image_that_we_built_is_read_though_it_is_larger_than_one_of_others_may_be(
    service: Service,
) -> None:
    pack_id = upload(service)["id"]
    files = service.services.image_files
    narrow = replace(files.sources, limits=replace(files.sources.limits, compressed_bytes=1000))
    pack = service.services.packs.get(pack_id)
    assert pack is not None
    assert pack.size_bytes > 1000

    index = replace(files, sources=narrow).read_index(pack, org_id=ACME.org_id)

    assert {file.path for file in index.files} >= FILES.keys()
