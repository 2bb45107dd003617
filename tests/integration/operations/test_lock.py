"""GET /agent-roles/{role_id}/lock, through its real handler."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest
from openapi_schema_validator import OAS31Validator
from tests.aws import BUCKET, TABLE
from tests.engine.taps import Log
from tests.fake_registry.server import FakeRegistry
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import pack_image

from packyard.store.keys import pack_key, role_key
from packyard.store.wire import to_wire

ROLE: Final = "support"
SCHEMA: Final = json.loads((Path(__file__).parents[3] / "docs" / "lock" / "schema.json").read_text())
CAPABILITIES: Final = [{"name": "api", "type": "http", "allow": [{"domains": ["a.com"], "methods": ["GET"]}]}]


@pytest.fixture
def pack(service: Service) -> str:
    made = service.upload(PackArchive(name="slack", fields={"capabilities": CAPABILITIES}).build())
    service.set_role(ROLE, [made.body["id"]])
    identity: str = made.body["id"]
    return identity


def calls(service: Service, **query: str) -> list[str]:
    log = Log()
    with service.wire.tapped(log):
        assert service.lock(ROLE, ACME, **query).status in (200, 304)
    return log.calls


def test_the_lock_says_what_the_role_runs(service: Service, pack: str) -> None:
    row = service.get(pack).body

    answer = service.lock(ROLE)

    assert (answer.status, answer.headers["ETag"]) == (200, '"1.1"')
    assert list(OAS31Validator(SCHEMA).iter_errors(answer.body)) == []
    (locked,) = answer.body["packs"]
    (layer,) = locked.pop("layers")
    repository = row["image_ref"].rpartition(":")[0]
    assert locked == {
        "id": pack,
        "name": "slack",
        "owner": "acme",
        "version": row["version"],
        "revision": 1,
        "image": f"{repository}@{row['image_digest']}",
        "image_digest": row["image_digest"],
        "content_digest": row["content_digest"],
        "capabilities": row["capabilities"],
        "status": "active",
    }
    blob = service.registry.shelves.repositories[f"packs/{ACME.org_id}/slack"].blobs[layer["digest"]]
    assert layer["size"] == len(blob)


@pytest.mark.usefixtures("pack")
def test_a_poll_that_finds_nothing_new_is_one_call_and_a_read_two(service: Service) -> None:
    tag = service.lock(ROLE).headers["ETag"]

    assert calls(service, etag=tag) == ["dynamodb.GetItem"]
    assert service.lock(ROLE, ACME, etag=tag).status == 304
    assert calls(service) == ["dynamodb.GetItem", "s3.GetObject"]


def test_an_update_of_a_pack_changes_nothing_and_a_change_of_the_role_does(
    service: Service, pack: str
) -> None:
    before = service.lock(ROLE)

    service.update(pack, "community")
    assert service.lock(ROLE).body == before.body
    service.refresh_role(ROLE)

    after = service.lock(ROLE, ACME, etag=before.headers["ETag"])
    assert (after.status, after.body["revision"], after.body["packs"][0]["revision"]) == (200, 2, 2)
    assert after.body["set_digest"] == before.body["set_digest"]


@pytest.mark.usefixtures("pack")
def test_with_files_it_lists_them_under_an_entity_tag_of_its_own(service: Service) -> None:
    answer = service.lock(ROLE, ACME, files="true")

    assert answer.headers["ETag"] == '"1.1.files"'
    files = {file["path"]: file for file in answer.body["packs"][0]["files"]}
    content = b"# Post a message\n"
    assert files["guides/post.md"] == {
        "path": "guides/post.md",
        "size": len(content),
        "mode": "0644",
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    assert list(OAS31Validator(SCHEMA).iter_errors(answer.body)) == []
    assert "files" not in service.lock(ROLE, ACME, files="false").body["packs"][0]
    refused = service.lock(ROLE, ACME, files="yes")
    assert (refused.status, list(refused.fields)) == (400, ["files"])


@pytest.mark.usefixtures("pack")
def test_a_lost_document_is_made_again_from_the_table(service: Service) -> None:
    before = service.lock(ROLE)
    (key,) = [key for key in service.aws.objects() if key.startswith("locks/")]
    service.aws.s3.delete_object(Bucket=BUCKET, Key=key)

    assert service.lock(ROLE).body == before.body


@pytest.mark.usefixtures("pack")
def test_a_document_that_is_too_large_for_an_answer_is_at_a_short_lived_url(service: Service) -> None:
    service.lock(ROLE)
    (key,) = [key for key in service.aws.objects() if key.startswith("locks/")]
    service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b'"' + b"x" * (5 << 20) + b'"')

    answer = service.lock(ROLE)

    assert (answer.status, answer.headers["ETag"]) == (302, '"1.1"')
    assert f"/{key}?" in answer.headers["Location"]
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_registered_image_is_locked_by_its_own_digest_and_layers(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        shelf = elsewhere.shelves.repository("team/jira", create=True)
        pack_image(b"name: jira\nversion: 1.0.0\n").shelve(shelf, "1.0.0")
        reference = f"127.0.0.1:{elsewhere.port}/team/jira:1.0.0"
        made = service.send("create_pack", "POST", "/packs", json={"image_ref": reference})
        service.set_role(ROLE, [made.body["id"]])

        (locked,) = service.lock(ROLE, ACME, files="true").body["packs"]

    assert locked["image"] == f"127.0.0.1:{elsewhere.port}/team/jira@{made.body['image_digest']}"
    assert [layer["digest"] in shelf.blobs for layer in locked["layers"]] == [True]
    assert "files" not in locked


@pytest.mark.usefixtures("pack")
def test_who_has_no_such_role_has_no_lock(service: Service) -> None:
    for answer in (service.lock("unknown"), service.lock(ROLE, GLOBEX), service.lock("_")):
        assert (answer.status, answer.error["code"]) == (404, "role_not_found")


@pytest.mark.parametrize("what", ["role", "pack"])
def test_what_was_written_before_there_were_pins_and_layers_is_locked_all_the_same(
    service: Service, pack: str, what: str
) -> None:
    locked = service.lock(ROLE).body["packs"]
    keys: dict[str, Any] = {"role": (role_key(ACME.org_id, ROLE), "pins"), "pack": (pack_key(pack), "layers")}
    key, attribute = keys[what]
    service.aws.dynamodb.update_item(
        TableName=TABLE, Key=to_wire(key), UpdateExpression=f"REMOVE {attribute}"
    )
    for found in service.aws.objects():
        service.aws.s3.delete_object(Bucket=BUCKET, Key=found)

    assert service.lock(ROLE).body["packs"] == locked
    # Without pins it follows the pack, and its entity tag says more than the role's revision.
    tag = service.lock(ROLE).headers["ETag"]
    assert (tag == '"1.1"') == (what == "pack")
    service.update(pack, "community")
    assert service.lock(ROLE).body["packs"][0]["revision"] == (2 if what == "role" else 1)
