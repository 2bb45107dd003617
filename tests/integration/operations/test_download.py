"""Downloading a pack's image: everything that its digest names, and nothing that the caller cannot see."""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.aws import BUCKET
from tests.fake_registry.moods import Redirects
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import pack_image

from packyard.tenants.caller import Caller


@pytest.fixture
def pack(service: Service) -> Any:
    return service.upload(PackArchive(name="slack").build()).body


def download(service: Service, pack_id: str, caller: Caller = ACME, **query: str) -> Answer:
    return service.send("download_pack", "GET", f"/packs/{pack_id}/download", caller=caller, query=query)


def named_by(document: dict[str, Any]) -> set[str]:
    named = [*document.get("manifests", ()), *document.get("layers", ())]
    if "config" in document:
        named.append(document["config"])
    return {entry["digest"] for entry in named}


def test_all_that_the_digest_names_is_there_and_nothing_else(service: Service, pack: Any) -> None:
    found = download(service, pack["id"]).body

    documents = {document["digest"]: document["content"] for document in found["documents"]}
    assert found["image"] == f"{pack['image_ref'].rpartition(':')[0]}@{pack['image_digest']}"
    assert all(f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" == it for it, text in documents.items())
    reached, pending = set(), {pack["image_digest"]}
    while pending:
        digest = pending.pop()
        reached.add(digest)
        if digest in documents:
            pending |= named_by(json.loads(documents[digest])) - reached
    assert reached == documents.keys() | {layer["digest"] for layer in found["layers"]}


def test_a_layer_is_read_at_its_url_without_a_credential(service: Service, pack: Any) -> None:
    (layer,) = download(service, pack["id"]).body["layers"]

    key = urlsplit(layer["url"]).path.lstrip("/")
    content = service.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == layer["digest"]
    assert len(content) == layer["size"]


def test_a_registry_s_own_urls_are_passed_on(service: Service, pack: Any) -> None:
    path = f"/blobs/{layer_of(service, pack)}"
    service.registry.moods.append(Redirects(path=path, base_url="https://storage.example"))

    (layer,) = download(service, pack["id"]).body["layers"]

    assert urlsplit(layer["url"]).hostname == "storage.example"


def layer_of(service: Service, pack: Any) -> str:
    (layer,) = download(service, pack["id"]).body["layers"]
    return str(layer["digest"])


def test_nothing_may_keep_the_answer(service: Service, pack: Any) -> None:
    assert download(service, pack["id"]).headers["Cache-Control"] == "private, no-store"


def test_an_earlier_revision_is_the_image_that_it_had(service: Service, pack: Any) -> None:
    form, headers = multipart({"archive": PackArchive(name="slack", version="2.0.0").build()})
    path = f"/packs/{pack['id']}/upload"
    sent = Request(method="POST", resource=path, path=path, headers=headers, body=form, caller=ACME)
    assert service.request("reupload_pack", sent).status == 200

    assert download(service, pack["id"], revision="1").body["image_digest"] == pack["image_digest"]
    assert download(service, pack["id"]).body["image_digest"] != pack["image_digest"]


@pytest.mark.parametrize("revision", ["0", "-1", "x", "", "1.0", "99999999999"])
def test_a_revision_that_is_none_is_refused(service: Service, pack: Any, revision: str) -> None:
    answer = download(service, pack["id"], revision=revision)

    assert (answer.status, [*answer.fields]) == (400, ["revision"])


def test_a_revision_that_is_not_there_is_not_found(service: Service, pack: Any) -> None:
    assert download(service, pack["id"], revision="7").error["code"] == "revision_not_found"


class TestAnotherOrganisation:
    def test_sees_no_private_pack(self, service: Service, pack: Any) -> None:
        assert download(service, pack["id"], GLOBEX).error["code"] == "pack_not_found"

    def test_downloads_a_shared_one_but_no_revision_of_before(self, service: Service, pack: Any) -> None:
        service.update(pack["id"], "community")

        assert download(service, pack["id"], GLOBEX).body["image_digest"] == pack["image_digest"]
        assert download(service, pack["id"], GLOBEX, revision="1").error["code"] == "revision_not_found"


def test_an_image_of_another_registry_is_staged(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        repository = elsewhere.shelves.repository("team/tool", create=True)
        pack_image(b"name: tool\nversion: 1.0.0\n").shelve(repository, "1.0.0")
        reference = f"{urlsplit(elsewhere.url).netloc}/team/tool:1.0.0"
        made = service.send("create_pack", "POST", "/packs", json={"image_ref": reference}).body

        found = download(service, made["id"]).body

        assert found["image_digest"] == made["image_digest"]
        assert all("/files/" in layer["url"] for layer in found["layers"])


def test_an_image_of_another_registry_that_is_gone_is_the_pack_s_fault(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        repository = elsewhere.shelves.repository("team/tool", create=True)
        pack_image(b"name: tool\nversion: 1.0.0\n").shelve(repository, "1.0.0")
        reference = f"{urlsplit(elsewhere.url).netloc}/team/tool:1.0.0"
        made = service.send("create_pack", "POST", "/packs", json={"image_ref": reference}).body
        repository.delete_manifest(made["image_digest"])

        answer = download(service, made["id"])

        assert (answer.status, [*answer.fields]) == (400, ["id"])
