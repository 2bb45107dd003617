"""Signed statements through the real handlers: made for each built image, read, verified, and removed with it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tests.attesting import Attesting
from tests.aws import new_signing_key
from tests.changes import change
from tests.engine.taps import Log
from tests.fake_registry.flavours import HARBOR
from tests.fake_registry.moods import Refuses
from tests.revisions import delete_revision, withdraw
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service

from packyard.attestations.statement import BILL_OF_MATERIALS, PROVENANCE, Statement
from packyard.attestations.verify import NotVerified, UnknownKey, WrongSubject, verify_bundle
from packyard.oci.digest import Digest, digest_of


@pytest.fixture
def attesting(service: Service) -> Attesting:
    return Attesting(service)


def upload(service: Service, **fields: object) -> str:
    answer = service.upload(replace(PackArchive(), **fields).build())  # type: ignore[arg-type]
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


def statements(attesting: Attesting, pack_id: str, **query: str) -> dict[str, Statement]:
    """Return the statements about a pack's image, verified with the published keys, by what they are."""
    answer = attesting.get(pack_id, **query).body
    assert answer["attestations"] == "attached"
    keys = attesting.trusted()
    return {
        one["predicate_type"]: verify_bundle(
            json.dumps(one["bundle"]).encode(), keys=keys, subject=answer["image_digest"]
        )
        for one in answer["statements"]
    }


def test_a_built_image_gets_provenance_and_a_bill_of_materials_after_its_publication(
    service: Service, attesting: Attesting
) -> None:
    files = {"guides/post.md": b"# Post\n", "guides/requirements.txt": b"six==1.16.0\n"}
    archive = replace(PackArchive(), files=files).build()
    created = service.upload(archive)
    pack_id = created.body["id"]

    assert created.body["attestations"] == "pending"
    assert attesting.get(pack_id).body == {
        "pack_id": pack_id,
        "revision": 1,
        "image_digest": created.body["image_digest"],
        "image_origin": "upload",
        "attestations": "pending",
        "statements": [],
    }
    attesting.carry()

    assert service.get(pack_id).body["attestations"] == "attached"
    found = statements(attesting, pack_id)
    assert set(found) == {PROVENANCE, BILL_OF_MATERIALS}
    definition = found[PROVENANCE].predicate["buildDefinition"]
    assert definition["externalParameters"] == {
        "operation": "upload",
        "pack": {"id": pack_id, "owner": ACME.org_id, "name": "slack", "version": "1.4.0", "revision": 1},
    }
    [source] = definition["resolvedDependencies"]
    assert source == {"name": "archive", "digest": {"sha256": digest_of(archive).removeprefix("sha256:")}}
    assert [(one["type"], one["name"]) for one in found[BILL_OF_MATERIALS].predicate["components"]] == [
        ("file", "guides/post.md"),
        ("file", "guides/requirements.txt"),
        ("file", "pack.yaml"),
        ("library", "six"),
    ]


def test_a_publish_itself_calls_nothing_more(service: Service, attesting: Attesting) -> None:
    log = Log()
    with service.wire.tapped(log):
        upload(service)

    assert not any("KMS" in call.upper() for call in log.calls)
    assert len(attesting.referrers(service.get(upload(service, name="b")).body["image_digest"])) == 0


def test_each_way_to_a_new_built_image_gets_statements(service: Service, attesting: Attesting) -> None:
    pack_id = upload(service)
    first = service.get(pack_id).body["image_digest"]
    attesting.carry()
    change(service, pack_id, {"guides/new.md": b"new"})
    attesting.carry()
    changed = statements(attesting, pack_id)[PROVENANCE].predicate["buildDefinition"]
    assert changed["externalParameters"]["operation"] == "changes"
    [source] = changed["resolvedDependencies"]
    assert source["uri"].endswith(f"@{first}")

    clone = service.clone(pack_id, name="copy").body["id"]
    attesting.carry()
    cloned = statements(attesting, clone)[PROVENANCE].predicate["buildDefinition"]["externalParameters"]
    assert (cloned["operation"], cloned["pack"]["name"]) == ("clone", "copy")
    # The same image in two repositories: each pack has statements of its own.
    assert len(attesting.referrers(service.get(clone).body["image_digest"])) == 4

    # Back to the first image, whose statements stand: nothing is signed anew.
    back = service.send("replace_pack", "PUT", f"/packs/{pack_id}", json={"revision": 1})
    assert (back.status, back.body["attestations"]) == (200, "pending")
    attesting.carry()
    assert service.get(pack_id).body["attestations"] == "attached"
    assert (
        statements(attesting, pack_id)[PROVENANCE].predicate["buildDefinition"]["externalParameters"][
            "operation"
        ]
        == "upload"
    )
    assert len(attesting.referrers(first)) == 2


def test_negative_controls(service: Service, attesting: Attesting) -> None:
    one, two = upload(service), upload(service, name="two")
    attesting.carry()
    answer = attesting.get(one).body
    raw = json.dumps(answer["statements"][0]["bundle"]).encode()
    other = Digest(attesting.get(two).body["image_digest"])

    with pytest.raises(WrongSubject):
        verify_bundle(raw, keys=attesting.trusted(), subject=other)
    with pytest.raises(UnknownKey):
        verify_bundle(raw, keys={}, subject=answer["image_digest"])
    swapped = answer["statements"][0]["bundle"]
    swapped["dsseEnvelope"]["payload"] = attesting.get(two).body["statements"][0]["bundle"]["dsseEnvelope"][
        "payload"
    ]
    with pytest.raises(NotVerified):
        verify_bundle(json.dumps(swapped).encode(), keys=attesting.trusted(), subject=other)


def test_statements_about_an_earlier_image_are_pending_until_they_are_there(
    service: Service, attesting: Attesting
) -> None:
    pack_id = upload(service)
    change(service, pack_id, {"guides/new.md": b"new"})

    assert [attesting.get(pack_id, revision=number).body["attestations"] for number in "12"] == [
        "pending",
        "pending",
    ]
    attesting.carry()
    assert [attesting.get(pack_id, revision=number).body["attestations"] for number in "12"] == [
        "attached",
        "attached",
    ]


KMS_FAULTS: Final = (
    EndpointConnectionError(endpoint_url="https://kms.test"),
    *(
        ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Sign")  # type: ignore[typeddict-item]
        for code in ("DisabledException", "KMSInvalidStateException")
    ),
)


@pytest.mark.parametrize("fault", KMS_FAULTS, ids=["unreachable", "disabled", "to be deleted"])
def test_without_kms_or_its_key_no_publish_is_lost_past_keys_are_listed_and_the_statements_follow(
    service: Service, attesting: Attesting, fault: Exception
) -> None:
    class Failing:
        def __getattr__(self, name: str) -> object:
            raise fault

    before = upload(service)
    attesting.carry()
    keys = attesting.keys().body["keys"]
    kept = service.services.client
    service.new_process(client=lambda name: Failing() if name == "kms" else kept(name))
    pack_id = upload(service, name="later")
    bodies = attesting.fan_out()

    assert attesting.attest(bodies) == bodies
    assert service.get(pack_id).body["attestations"] == "pending"
    assert attesting.keys().body["keys"] == [key | {"current": False} for key in keys]
    assert set(statements(attesting, before)) == {PROVENANCE, BILL_OF_MATERIALS}
    service.new_process(client=kept)
    assert attesting.attest(bodies) == []
    assert set(statements(attesting, pack_id)) == {PROVENANCE, BILL_OF_MATERIALS}


def test_a_message_that_comes_twice_signs_nothing_anew(service: Service, attesting: Attesting) -> None:
    pack_id = upload(service)
    [body] = attesting.fan_out()
    assert attesting.attest([body]) == []
    before = attesting.get(pack_id).body

    assert attesting.attest([body]) == []

    assert attesting.get(pack_id).body == before
    assert len(attesting.referrers(before["image_digest"])) == 2


def test_a_registry_that_fails_after_the_signature_gets_the_same_bytes_later(
    service: Service, attesting: Attesting
) -> None:
    pack_id = upload(service)
    [body] = attesting.fan_out()
    service.registry.moods.append(Refuses(method="POST", status=503))
    assert attesting.attest([body]) == [body]
    record = service.services.attestation_store.manifests(pack_id)
    signed = set(record)
    service.registry.moods.clear()

    assert attesting.attest([body]) == []

    assert {one["manifest_digest"] for one in attesting.get(pack_id).body["statements"]} == signed
    assert attesting.referrers(attesting.get(pack_id).body["image_digest"]) == signed


@pytest.mark.parametrize("has_the_api", [True, False])
def test_statements_are_listed_by_the_registry_or_else_by_a_tag(
    service: Service, attesting: Attesting, has_the_api: bool
) -> None:
    if has_the_api:
        service.registry.flavour = HARBOR
    pack_id = upload(service)
    image = service.get(pack_id).body["image_digest"]
    attesting.carry()

    [repository] = service.registry.shelves.repositories.values()
    tag = image.replace(":", "-")
    assert (tag in repository.tags) is not has_the_api
    if not has_the_api:
        index = json.loads(repository.manifest(tag).raw)
        assert {entry["digest"] for entry in index["manifests"]} == attesting.referrers(image)
        assert {entry["artifactType"] for entry in index["manifests"]} == {
            "application/vnd.dev.sigstore.bundle.v0.3+json"
        }


@pytest.mark.parametrize("has_the_api", [True, False])
def test_statements_go_with_their_pack(service: Service, attesting: Attesting, has_the_api: bool) -> None:
    if has_the_api:
        service.registry.flavour = HARBOR
    pack_id = upload(service)
    attesting.carry()

    assert service.delete(pack_id).status == 200

    assert service.images() == {}


@pytest.mark.parametrize("has_the_api", [True, False])
def test_statements_go_with_their_revision(service: Service, attesting: Attesting, has_the_api: bool) -> None:
    if has_the_api:
        service.registry.flavour = HARBOR
    pack_id = upload(service)
    first = service.get(pack_id).body["image_digest"]
    attesting.carry()
    change(service, pack_id, {"guides/new.md": b"new"})
    attesting.carry()
    second = service.get(pack_id).body["image_digest"]

    assert delete_revision(service, pack_id, 1).status == 200

    assert attesting.referrers(first) == set()
    assert attesting.listed(first) == []
    assert len(attesting.referrers(second)) == 2
    assert set(statements(attesting, pack_id)) == {PROVENANCE, BILL_OF_MATERIALS}


def test_what_is_pushed_after_its_pack_was_deleted_is_removed(service: Service, attesting: Attesting) -> None:
    pack_id = upload(service)
    [body] = attesting.fan_out()
    service.registry.moods.append(Refuses(method="PUT", path="/manifests/sha256-", status=503))
    assert attesting.attest([body]) == [body]
    image = service.get(pack_id).body["image_digest"]
    assert len(attesting.referrers(image)) == 2
    service.registry.moods.clear()
    assert service.delete(pack_id).status == 200
    # As an attempt that pushes late leaves them.
    record = list(service.services.attestation_store.manifests(pack_id))
    assert attesting.referrers(image) == set()
    service.clock.advance(DEADLINE + timedelta(minutes=6))

    assert attesting.attest([body]) == []

    assert len(record) == 2
    assert service.images() == {}


def test_statements_about_an_image_that_was_withdrawn_are_made_all_the_same(
    service: Service, attesting: Attesting
) -> None:
    pack_id = upload(service)
    assert withdraw(service, pack_id, 1).status == 200

    attesting.carry()

    assert service.get(pack_id).body["attestations"] == "attached"


def test_a_past_key_verifies_what_it_has_signed(service: Service, attesting: Attesting) -> None:
    before = upload(service)
    attesting.carry()
    first = attesting.keys().body["keys"]
    new_signing_key(service.services.client("kms"), 2)
    service.clock.advance(timedelta(days=365))
    service.new_process()
    after = upload(service, name="after")
    attesting.carry()

    keys = attesting.keys().body["keys"]

    assert [key["current"] for key in keys] == [True, False]
    assert keys[1] | {"current": True} == first[0]
    assert {attesting.get(one).body["statements"][0]["key_id"] for one in (before, after)} == {
        key["id"] for key in keys
    }
    assert set(statements(attesting, before)) == set(statements(attesting, after))


def test_the_present_key_is_published_before_it_has_signed(attesting: Attesting) -> None:
    answer = attesting.keys()

    [key] = answer.body["keys"]
    assert key["current"] is True
    assert key["pem"].startswith("-----BEGIN PUBLIC KEY-----")
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_whoever_sees_the_pack_sees_its_statements_and_nobody_else(
    service: Service, attesting: Attesting
) -> None:
    pack_id = upload(service)
    attesting.carry()

    assert attesting.get(pack_id, GLOBEX).status == 404
    assert service.update(pack_id, "community").status == 200
    assert attesting.get(pack_id, GLOBEX).body["statements"] == attesting.get(pack_id).body["statements"]
    assert service.get(pack_id, GLOBEX).body["attestations"] == "attached"


def test_nothing_is_signed_where_images_are_not_signed(service: Service) -> None:
    service.new_process(settings=replace(service.services.settings, sign_images="off"))
    attesting = Attesting(service)
    pack_id = upload(service)

    assert attesting.fan_out() == []
    assert service.get(pack_id).body["attestations"] == "off"
    assert attesting.get(pack_id).body["attestations"] == "off"
    assert attesting.keys().body == {"keys": []}


def test_large_statements_are_answered_with_their_place(service: Service, attesting: Attesting) -> None:
    pack_id = upload(service)
    attesting.carry()

    placed = attesting.get(pack_id, **{"as": "url"})

    assert placed.status == 200
    assert set(placed.body) == {"url", "digest"}


def test_an_earlier_revision_s_statements_are_read_by_its_number(
    service: Service, attesting: Attesting
) -> None:
    pack_id = upload(service)
    attesting.carry()
    change(service, pack_id, {"guides/new.md": b"new"})

    assert attesting.get(pack_id).body["attestations"] == "pending"
    assert attesting.get(pack_id, revision="1").body["attestations"] == "attached"
    assert attesting.get(pack_id, revision="9").status == 404


def test_the_entity_tag_tells_whether_there_are_statements_and_still_guards_writes(
    service: Service, attesting: Attesting
) -> None:
    pack_id = upload(service)
    before = service.get(pack_id).headers["ETag"]
    attesting.carry()
    after = service.get(pack_id).headers["ETag"]

    assert (before, after) == ('"1"', '"1@attested"')
    assert service.update(pack_id, "community", if_match=before).status == 200


def test_files_that_cannot_be_read_as_what_they_are_called_are_named_in_the_bill(
    service: Service, attesting: Attesting
) -> None:
    pack_id = upload(service, files={"guides/package.json": b"not json"})
    attesting.carry()

    properties = statements(attesting, pack_id)[BILL_OF_MATERIALS].predicate["properties"]
    assert {"name": "packyard:not-read", "value": "guides/package.json"} in properties
