"""POST /packs/{id}/clone, through its real handler, with another registry for images of others."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.taps import Crash, Killed, Log, PointName
from tests.fake_registry.moods import Calls, CutsOff, Meanwhile, Mood, Refuses
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.shelves import Repository
from tests.gateway import Answer, Request, multipart
from tests.image_sources import LOOPBACK, image_source, not_there
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.third_party_images import Blob, ForeignImage, image, index, pack_image, shelve
from tests.whole_images import assert_whole

from packyard.oci.document import Document
from packyard.oci.media_types import INDEX, MANIFEST
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.pack import Tier
from packyard.store.keys import pack_key
from packyard.store.table import Update
from packyard.tenants.caller import Caller

ARCHIVE = PackArchive(fields={"description": "Posts.", "suggested_packs": ["jira"]}).build()
AMD, ARM, OTHER = (pack_image(f"name: slack\nversion: 1.{minor}.0\n".encode()) for minor in range(3))
NOBODY = "pack_01HZ0000000000000000009999"


@pytest.fixture
def elsewhere() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def shelf(registry: FakeRegistry) -> Repository:
    return registry.shelves.repository("team/slack", create=True)


def shelved(registry: FakeRegistry, *images: ForeignImage, tag: str = "1") -> Document:
    """Shelve images and an index of them."""
    for made in images:
        made.shelve(shelf(registry))
    platforms = ("linux/amd64", "linux/arm64")
    top = index(*((made.manifest, at) for made, at in zip(images, platforms, strict=False)))
    shelve(shelf(registry), top, tag)
    return top


def registered(
    service: Service, registry: FakeRegistry, tag: str = "1", caller: Caller = ACME
) -> dict[str, Any]:
    """Register the image of a tag, for all to see."""
    body = {"image_ref": f"127.0.0.1:{registry.port}/team/slack:{tag}", "visibility": "community"}
    answer = service.send("create_pack", "POST", "/packs", caller=caller, json=body)
    assert answer.status == 201, answer.body
    pack: dict[str, Any] = answer.body
    return pack


def repository_of(service: Service, name: str, caller: Caller = ACME) -> Repository:
    return service.registry.shelves.repository(f"packs/{caller.org_id}/{name}")


def assert_refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.error["code"]) == (status, code)


class TestOutOfOurOwnRegistry:
    def test_a_clone_is_a_pack_of_its_own_with_the_same_image(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body

        answer = service.clone(source["id"], name="ours")

        assert (answer.status, answer.headers["ETag"]) == (201, '"1"')
        assert answer.body == source | {
            "id": answer.body["id"],
            "name": "ours",
            "image_origin": "clone",
            "image_ref": f"{service.services.registry.host}/packs/{ACME.org_id}/ours:1.4.0",
        }
        assert answer.body["id"] != source["id"]
        assert service.get(answer.body["id"]).body == answer.body
        assert repository_of(service, "ours").tags == {"1.4.0": source["image_digest"]}
        assert_whole(repository_of(service, "ours"), source["image_digest"])

    def test_blobs_are_mounted_not_sent(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        service.registry.requests.clear()

        service.clone(source["id"], name="ours")

        blobs = [request for request in service.registry.requests if "/blobs/" in request.path]
        assert [request.method for request in blobs] == ["HEAD", "POST"] * 3
        assert {request.query.get("from") for request in blobs} == {None, f"packs/{ACME.org_id}/slack"}

    def test_what_others_share_can_be_cloned_under_its_own_name(self, service: Service) -> None:
        source = service.upload(ARCHIVE, GLOBEX, visibility="community").body

        answer = service.clone(source["id"])

        assert answer.status == 201
        assert (answer.body["name"], answer.body["org_id"]) == ("slack", ACME.org_id)
        assert (answer.body["visibility"], answer.body["owned"]) == ("org", True)
        assert service.get(answer.body["id"], GLOBEX).status == 404

    def test_a_clone_can_be_shared_as_it_is_made(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body

        answer = service.clone(source["id"], name="ours", visibility="community")

        assert service.get(answer.body["id"], GLOBEX).body["visibility"] == "community"

    def test_the_platform_s_word_for_a_pack_does_not_pass_to_its_clones(self, service: Service) -> None:
        source = service.upload(ARCHIVE, visibility="community").body
        vouch = Update(
            key=pack_key(source["id"]),
            change="SET tier = :tier",
            condition="attribute_exists(PK)",
            values={":tier": Tier.VERIFIED.value},
        )
        service.services.table.update(vouch)

        assert service.clone(source["id"], GLOBEX).body["tier"] == "community"

    def test_a_clone_can_be_cloned(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        first = service.clone(source["id"], name="first", visibility="community").body

        second = service.clone(first["id"], GLOBEX)

        assert second.body["image_digest"] == source["image_digest"]
        assert_whole(repository_of(service, "first", GLOBEX), source["image_digest"])

    def test_what_another_organisation_shares_by_a_reference_into_our_registry_is_mounted_too(
        self, service: Service
    ) -> None:
        handmade = service.registry.shelves.repository(f"packs/{GLOBEX.org_id}/slack", create=True)
        AMD.shelve(handmade, "1")
        reference = f"{service.services.registry.host}/packs/{GLOBEX.org_id}/slack:1"
        body = {"image_ref": reference, "visibility": "community"}
        source = service.send("create_pack", "POST", "/packs", caller=GLOBEX, json=body).body

        answer = service.clone(source["id"])

        assert answer.status == 201
        assert_whole(repository_of(service, "slack"), source["image_digest"])
        sent = [request for request in service.registry.requests if request.method == "PUT"]
        assert not [request for request in sent if "/blobs/" in request.path]

    def test_deleting_the_source_leaves_the_clone_whole(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        clone = service.clone(source["id"], name="ours").body

        assert service.delete(source["id"]).status == 200
        service.settle()

        assert service.get(clone["id"]).status == 200
        assert_whole(repository_of(service, "ours"), clone["image_digest"])

    def test_deleting_the_clone_purges_its_image_and_leaves_the_source_whole(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        clone = service.clone(source["id"], name="ours").body

        assert service.delete(clone["id"]).status == 200

        assert repository_of(service, "ours").manifests == {}
        assert_whole(repository_of(service, "slack"), source["image_digest"])
        assert service.clone(source["id"], name="ours").status == 201

    def test_a_clone_takes_no_archive(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        clone = service.clone(source["id"], name="ours").body

        body, headers = multipart({"archive": ARCHIVE})
        request = Request(
            method="POST",
            resource="/packs/{id}/upload",
            path=f"/packs/{clone['id']}/upload",
            headers=headers,
            body=body,
            caller=ACME,
        )
        refused = service.request("reupload_pack", request)

        assert_refused(refused, 400, "validation_error")
        assert list(refused.fields) == ["id"]


class TestOutOfOtherRegistries:
    def test_every_platform_comes_over_and_the_pin_stays(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        top = shelved(elsewhere, AMD, ARM)
        source = registered(service, elsewhere)

        answer = service.clone(source["id"], GLOBEX, name="ours")

        assert answer.status == 201
        assert (answer.body["image_origin"], answer.body["image_digest"]) == ("clone", top.digest)
        assert answer.body["image_ref"].endswith(f"/packs/{GLOBEX.org_id}/ours:1.0.0")
        assert repository_of(service, "ours", GLOBEX).manifests.keys() == {
            top.digest,
            AMD.manifest.digest,
            ARM.manifest.digest,
        }
        assert_whole(repository_of(service, "ours", GLOBEX), top.digest)

    def test_a_tag_that_moves_meanwhile_changes_nothing(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        top = shelved(elsewhere, AMD)
        source = registered(service, elsewhere)
        shelved(elsewhere, OTHER)

        assert service.clone(source["id"], name="ours").body["image_digest"] == top.digest

    def test_a_tag_that_could_not_be_set_is_set_when_the_cleanup_message_comes_due(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        made = replace(AMD, docker=True)
        made.shelve(shelf(elsewhere), "1")
        source = registered(service, elsewhere)
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/1.0.0", status=503))
        answer = service.clone(source["id"], name="ours")
        assert (answer.status, repository_of(service, "ours").tags) == (201, {})

        service.registry.moods.clear()
        service.settle()

        assert repository_of(service, "ours").tags == {"1.0.0": made.manifest.digest}

    @pytest.mark.parametrize(
        "mood",
        [
            pytest.param(Refuses(status=503), id="5xx"),
            pytest.param(CutsOff(path="/blobs/"), id="cut off in the middle of a blob"),
        ],
    )
    def test_a_registry_that_fails_is_502_and_leaves_nothing(
        self, service: Service, elsewhere: FakeRegistry, mood: Mood
    ) -> None:
        shelved(elsewhere, AMD)
        source = registered(service, elsewhere)
        elsewhere.moods.append(mood)

        assert_refused(service.clone(source["id"], name="ours"), 502, "registry_unavailable")

        service.settle()
        assert service.images() == {}
        assert [pack["id"] for pack in service.list_packs().body["packs"]] == [source["id"]]

    @pytest.mark.parametrize("gone", ["manifests", "blobs"])
    def test_an_image_that_is_gone_is_400_on_the_id(
        self, service: Service, elsewhere: FakeRegistry, gone: str
    ) -> None:
        shelved(elsewhere, AMD)
        source = registered(service, elsewhere)
        getattr(shelf(elsewhere), gone).clear()

        refused = service.clone(source["id"], name="ours")

        assert_refused(refused, 400, "validation_error")
        (said,) = refused.fields.values()
        if gone == "blobs":
            assert said.startswith("its image names sha256:")
            assert "which its registry does not hold" in said
        else:
            name = f"{source['image_ref']}@{source['image_digest']}"
            assert said == f"its image {not_there(name)['image_ref']}"

    def test_a_platform_that_was_not_pushed_is_named_and_nothing_is_left_behind(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        """A sparse index: it can be registered by the image that is there, and not be copied whole."""
        AMD.shelve(shelf(elsewhere))
        top = index((AMD.manifest, "linux/amd64"), (ARM.manifest, "linux/arm64"))
        shelve(shelf(elsewhere), top, "1")
        source = registered(service, elsewhere)

        refused = service.clone(source["id"], name="ours")

        assert_refused(refused, 400, "validation_error")
        assert refused.fields == {
            "id": f"its image names {ARM.manifest.digest}, which its registry does not hold; push the image again, "
            "with all its platforms"
        }
        service.settle()
        assert service.images() == {}
        assert [pack["id"] for pack in service.list_packs().body["packs"]] == [source["id"]]

    def test_an_empty_blob_is_copied_where_our_registry_takes_it(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        image(*AMD.layers, Blob(b"")).shelve(shelf(elsewhere), "1")
        source = registered(service, elsewhere)

        answer = service.clone(source["id"], name="ours")

        assert answer.status == 201
        assert_whole(repository_of(service, "ours"), source["image_digest"])

    def test_and_named_where_it_does_not(self, service: Service, elsewhere: FakeRegistry) -> None:
        """As Amazon ECR, which answers 400 when such an upload is closed (devcontainers/cli #814)."""
        image(*AMD.layers, Blob(b"")).shelve(shelf(elsewhere), "1")
        source = registered(service, elsewhere)
        service.registry.moods.append(Refuses(method="PUT", path="/blobs/uploads/", status=400))

        refused = service.clone(source["id"], name="ours")

        assert_refused(refused, 400, "validation_error")
        assert refused.fields == {
            "id": "its image is not one that our registry takes: it has a layer or a config of 0 bytes"
        }
        service.settle()
        assert service.images() == {}

    def test_a_blob_that_stands_in_many_places_is_copied_once(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        twice = image(*AMD.layers, *AMD.layers, *AMD.layers)
        twice.shelve(shelf(elsewhere))
        AMD.shelve(shelf(elsewhere))
        top = index(
            (AMD.manifest, "linux/amd64"), (twice.manifest, "linux/arm64"), (AMD.manifest, "linux/arm")
        )
        shelve(shelf(elsewhere), top, "1")
        source = registered(service, elsewhere)
        elsewhere.requests.clear()

        answer = service.clone(source["id"], name="ours")

        assert answer.status == 201
        paths = [request.path for request in elsewhere.requests]
        assert len(paths) == len(set(paths))
        assert_whole(repository_of(service, "ours"), source["image_digest"])

    def test_what_its_registry_calls_json_is_what_it_is_in_ours(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        shelved(elsewhere, AMD)
        elsewhere.moods.append(Calls(path="/manifests/", content_type="application/json"))
        source = registered(service, elsewhere)

        assert service.clone(source["id"], name="ours").status == 201
        manifests = repository_of(service, "ours").manifests
        assert {manifest.media_type for manifest in manifests.values()} == {INDEX, MANIFEST}

    def test_what_our_registry_does_not_take_is_400_on_the_id(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        shelved(elsewhere, AMD)
        source = registered(service, elsewhere)
        service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=400))

        refused = service.clone(source["id"], name="ours")

        assert refused.fields == {"id": "its image is not one that our registry takes"}

    def test_an_image_over_the_limit_is_400_on_the_id_before_anything_is_copied(
        self, elsewhere: FakeRegistry
    ) -> None:
        shelved(elsewhere, AMD, ARM)
        bound = AMD.size_bytes + ARM.size_bytes
        for limit, status in ((bound, 201), (bound - 1, 400)):
            with running_service(limits=ArchiveLimits(compressed_bytes=limit)) as service:
                source = registered(service, elsewhere)
                answer = service.clone(source["id"], name="ours")

                assert answer.status == status
                assert len(service.registry.requests) == 0 or status == 201

    def test_more_manifests_than_a_message_can_name_are_400_on_the_id(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        many = [pack_image(f"name: slack\nversion: 1.0.{patch}\n".encode()) for patch in range(32)]
        for made in many:
            made.shelve(shelf(elsewhere))
        top = index(*((made.manifest, "linux/amd64") for made in many))
        shelve(shelf(elsewhere), top, "1")
        source = registered(service, elsewhere)

        refused = service.clone(source["id"], name="ours")

        assert refused.fields == {"id": "its image has more than 32 manifests, all platforms together"}

    def test_sharing_a_pack_does_not_lend_out_the_credential_for_its_registry(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        host = f"127.0.0.1:{elsewhere.port}"
        secret = {host: {"username": "robot", "password": "sesame", "orgs": [GLOBEX.org_id]}}
        source_of_images = image_source(own=service.registry.url, trusted=LOOPBACK, secret=secret)
        service.new_process(parts={"image_source": source_of_images})
        shelved(elsewhere, AMD)
        elsewhere.basic = "robot:sesame"
        source = registered(service, elsewhere, caller=GLOBEX)

        assert list(service.clone(source["id"], ACME).fields) == ["id"]
        assert service.clone(source["id"], GLOBEX, name="again").status == 201


class TestSharedManifests:
    """Two images of strangers, or an image and one of its platforms, may have manifests in common."""

    def abandoned(self, service: Service, source: dict[str, Any]) -> None:
        """Leave a copy without a row under the name `ours`."""
        crash = Crash(at=PointName("dynamodb.TransactWriteItems"))
        with pytest.raises(Killed), service.wire.tapped(crash):
            service.clone(source["id"], name="ours")
        service.new_process()

    @pytest.mark.parametrize("alone", [False, True], ids=["another index", "the manifest itself"])
    def test_an_abandoned_copy_takes_nothing_from_the_one_that_has_a_row(
        self, service: Service, elsewhere: FakeRegistry, alone: bool
    ) -> None:
        first = shelved(elsewhere, AMD, ARM)
        second = (
            AMD.shelve(shelf(elsewhere), "2") if alone else shelved(elsewhere, AMD, OTHER, tag="2").digest
        )
        self.abandoned(service, registered(service, elsewhere))
        source = registered(service, elsewhere, "2", GLOBEX)
        clone = service.clone(source["id"], name="ours").body

        service.settle()

        repository = repository_of(service, "ours")
        assert clone["image_digest"] == second
        assert_whole(repository, second)
        assert not repository.manifests.keys() & {first.digest, ARM.manifest.digest}
        assert service.delete(clone["id"]).status == 200
        assert repository.manifests == {}

    @pytest.mark.parametrize("dies_before", ["POST ", "dynamodb.TransactWriteItems"])
    def test_an_abandoned_copy_goes_though_its_name_is_of_a_pack_that_has_the_same_image_elsewhere(
        self, service: Service, elsewhere: FakeRegistry, dies_before: str
    ) -> None:
        shelved(elsewhere, AMD)
        source = registered(service, elsewhere, caller=GLOBEX)
        log = Log()
        with service.wire.tapped(log):
            service.clone(source["id"], name="rehearsal")
        with pytest.raises(Killed), service.wire.tapped(Crash(at=log.first(dies_before))):
            service.clone(source["id"])
        service.new_process()
        pack = registered(service, elsewhere)
        assert (pack["name"], pack["image_digest"]) == ("slack", source["image_digest"])

        service.settle()

        assert service.images().keys() == {f"packs/{ACME.org_id}/rehearsal"}
        assert service.aws.queued() == []
        assert service.get(pack["id"]).body == pack


class TestRepeats:
    def test_a_repeat_answers_200_with_the_existing_clone_and_copies_nothing(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        first = service.clone(source["id"], name="ours")
        service.registry.requests.clear()

        again = service.clone(source["id"], name="ours")

        assert (first.status, again.status) == (201, 200)
        assert again.body == first.body
        assert service.registry.requests == []

    @pytest.mark.parametrize(
        ("archive", "visibility"),
        [
            pytest.param(PackArchive(version="2.0.0"), "org", id="another version"),
            pytest.param(PackArchive(files={"README.md": b"other"}), "org", id="another image"),
            pytest.param(PackArchive(), "community", id="another visibility"),
        ],
    )
    def test_any_difference_is_a_conflict_that_names_the_holder(
        self, service: Service, archive: PackArchive, visibility: str
    ) -> None:
        first = service.upload(PackArchive().build(), GLOBEX, visibility="community").body
        standing = service.clone(first["id"]).body
        other = service.upload(replace(archive, name="other").build()).body

        refused = service.clone(other["id"], name="slack", visibility=visibility)

        assert_refused(refused, 409, "pack_name_taken")
        assert refused.error["details"] == {"pack_id": standing["id"]}
        assert service.get(standing["id"]).body == standing

    @pytest.mark.parametrize("origin", ["upload", "clone"])
    def test_a_pack_is_not_a_clone_of_itself(self, service: Service, origin: str) -> None:
        source = service.upload(ARCHIVE).body
        if origin == "clone":
            source = service.clone(source["id"], name="ours").body

        refused = service.clone(source["id"])

        assert_refused(refused, 409, "pack_name_taken")
        assert refused.error["details"] == {"pack_id": source["id"]}

    def test_a_repeat_with_the_same_key_is_the_same_answer(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        path, key = f"/packs/{source['id']}/clone", {"Idempotency-Key": "k"}

        answers = [
            service.send("clone_pack", "POST", path, json={"name": "ours"}, headers=key) for _ in range(2)
        ]

        assert [answer.status for answer in answers] == [201, 201]
        assert answers[0].body == answers[1].body


class TestRefusals:
    def test_a_pack_that_cannot_be_seen_is_not_there(self, service: Service) -> None:
        theirs = service.upload(ARCHIVE, GLOBEX).body

        for pack_id in (theirs["id"], NOBODY, "pack_x"):
            assert_refused(service.clone(pack_id), 404, "pack_not_found")

    def test_a_deleted_pack_is_not_there_and_one_being_deleted_is_409(self, service: Service) -> None:
        source = service.upload(ARCHIVE).body
        service.registry.moods.append(Refuses(method="DELETE", status=503))
        assert service.delete(source["id"]).status == 502

        assert_refused(service.clone(source["id"], name="ours"), 409, "pack_deleting")
        service.registry.moods.clear()
        assert service.delete(source["id"]).status == 200
        assert_refused(service.clone(source["id"], name="ours"), 404, "pack_not_found")

    @pytest.mark.parametrize(
        ("caller", "status", "code"),
        [
            pytest.param(None, 401, "unauthenticated", id="no caller"),
            pytest.param(replace(ACME, scopes=frozenset()), 403, "permission_denied", id="no scope"),
            pytest.param(replace(ACME, may_create=False), 423, "billing_inactive", id="a lapsed tenant"),
        ],
    )
    def test_a_missing_right_to_create_is_reported_before_the_body_is_read(
        self, service: Service, caller: Caller, status: int, code: str
    ) -> None:
        assert_refused(service.clone(NOBODY, caller, name=5), status, code)

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            pytest.param({"name": "Not A Slug"}, {"name"}, id="not a slug"),
            pytest.param({"name": "x" * 65}, {"name"}, id="a long name"),
            pytest.param({"name": ""}, {"name"}, id="an empty name"),
            pytest.param({"name": None}, {"name"}, id="null"),
            pytest.param({"name": 5, "visibility": "all"}, {"name", "visibility"}, id="both wrong"),
            pytest.param({"visibility": None}, {"visibility"}, id="no visibility"),
            pytest.param({"names": "x"}, {"names"}, id="an unknown field"),
        ],
    )
    def test_a_wrong_body_is_400_by_field_before_the_pack_is_looked_for(
        self, service: Service, body: dict[str, Any], fields: set[str]
    ) -> None:
        refused = service.clone(NOBODY, **body)

        assert_refused(refused, 400, "validation_error")
        assert refused.fields.keys() == fields

    def test_no_body_is_fine_and_another_type_is_415(self, service: Service) -> None:
        source = service.upload(ARCHIVE, GLOBEX, visibility="community").body
        path = f"/packs/{source['id']}/clone"

        other = service.send("clone_pack", "POST", path, json={}, headers={"Content-Type": "text/plain"})
        bare = service.send("clone_pack", "POST", path)

        assert_refused(other, 415, "unsupported_media_type")
        assert bare.status == 201

    def test_a_copy_that_takes_too_long_is_504_and_the_repeat_goes_on_where_it_stopped(
        self, service: Service
    ) -> None:
        service.time_passes()
        source = service.upload(ARCHIVE).body
        takes = Meanwhile(
            act=lambda: service.clock.advance(timedelta(seconds=12)), method="POST", path="/blobs/uploads/"
        )
        service.registry.moods.append(takes)

        assert_refused(service.clone(source["id"], name="ours"), 504, "timeout")
        repeated = service.clone(source["id"], name="ours")

        assert repeated.status == 201
        assert_whole(repository_of(service, "ours"), source["image_digest"])
