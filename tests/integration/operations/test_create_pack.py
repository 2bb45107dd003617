"""POST /packs, through its real handler, with another registry to pull from."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.engine.taps import Before, Crash, Killed, PointName
from tests.fake_registry.moods import CutsOff, Lies, Refuses
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer
from tests.image_sources import not_there
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service
from tests.third_party_images import image, index, layer, pack_image, shelve

from packyard.tenants.caller import Caller


@pytest.fixture
def third_party() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


def host(registry: FakeRegistry) -> str:
    return urlsplit(registry.url).netloc


def create(service: Service, image_ref: Any, caller: Caller = ACME, **more: Any) -> Answer:
    return service.send("create_pack", "POST", "/packs", caller=caller, json={"image_ref": image_ref, **more})


def shelved(
    registry: FakeRegistry, content: bytes = b"name: slack\nversion: 1.4.0\n", tag: str = "1.4.0"
) -> str:
    repository = registry.shelves.repository("team/slack", create=True)
    pack_image(content).shelve(repository, tag)
    return f"{host(registry)}/team/slack:{tag}"


def test_an_image_in_a_registry_becomes_a_pack_pinned_to_its_digest(
    service: Service, third_party: FakeRegistry
) -> None:
    reference = shelved(third_party)
    pinned = third_party.shelves.repository("team/slack").tags["1.4.0"]

    answer = create(service, reference)

    assert (answer.status, answer.headers["ETag"]) == (201, '"1"')
    assert answer.body == {
        "id": answer.body["id"],
        "org_id": ACME.org_id,
        "name": "slack",
        "display_name": "Slack",
        "version": "1.4.0",
        "tier": "community",
        "visibility": "org",
        "image_origin": "image_ref",
        "image_ref": reference,
        "image_digest": pinned,
        "size_bytes": pack_image(b"name: slack\nversion: 1.4.0\n").size_bytes,
        "created_at": "2026-03-01T12:00:00.000Z",
        "updated_at": "2026-03-01T12:00:00.000Z",
        "owned": True,
        "attestations": "off",
    }


def test_a_moved_tag_leaves_the_pin_where_it_was(service: Service, third_party: FakeRegistry) -> None:
    made = create(service, shelved(third_party)).body

    shelved(third_party, b"name: slack\nversion: 9.9.9\n")

    assert service.get(made["id"]).body == made


def test_an_index_is_pinned_as_a_whole(service: Service, third_party: FakeRegistry) -> None:
    repository = third_party.shelves.repository("team/slack", create=True)
    inner = pack_image()
    inner.shelve(repository)
    digest = shelve(repository, index((inner.manifest, "linux/amd64")), "multi")

    answer = create(service, f"{host(third_party)}/team/slack:multi")

    assert (answer.status, answer.body["image_digest"]) == (201, digest)


def test_the_image_is_neither_copied_nor_written_to(service: Service, third_party: FakeRegistry) -> None:
    create(service, shelved(third_party))

    assert service.images() == {}
    assert {request.method for request in third_party.requests} == {"GET"}


def test_a_repeat_answers_200_with_the_existing_pack(service: Service, third_party: FakeRegistry) -> None:
    reference = shelved(third_party)

    first, again = create(service, reference), create(service, reference)

    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body


def test_a_taken_name_is_a_conflict_that_names_its_holder(
    service: Service, third_party: FakeRegistry
) -> None:
    standing = service.upload(PackArchive().build()).body

    answer = create(service, shelved(third_party))

    assert (answer.status, answer.error["code"]) == (409, "pack_name_taken")
    assert answer.error["details"] == {"pack_id": standing["id"]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param({}, {"image_ref"}, id="no reference"),
        pytest.param({"image_ref": 5}, {"image_ref"}, id="a number"),
        pytest.param({"image_ref": ""}, {"image_ref"}, id="an empty one"),
        pytest.param({"image_ref": "UPPER/case:tag"}, {"image_ref"}, id="not a reference"),
        pytest.param({"image_ref": "x" * 5000}, {"image_ref"}, id="a long one"),
        pytest.param({"image_ref": "a/b:c", "visibility": "all"}, {"visibility"}, id="an unknown visibility"),
        pytest.param({"image_ref": "", "visibility": None}, {"image_ref", "visibility"}, id="both wrong"),
        pytest.param({"image_ref": "a/b:c", "visible": "org"}, {"visible"}, id="an unknown field"),
    ],
)
def test_a_wrong_body_is_400_by_field(service: Service, body: dict[str, Any], fields: set[str]) -> None:
    answer = service.send("create_pack", "POST", "/packs", json=body)

    assert (answer.status, answer.error["code"]) == (400, "validation_error")
    assert answer.fields.keys() == fields


def test_what_may_not_be_reached_reads_like_what_is_not_there(
    service: Service, third_party: FakeRegistry
) -> None:
    absent = f"{host(third_party)}/team/absent:1"
    elsewhere = "169.254.169.254/latest/meta-data:1"
    unresolvable = "registry.invalid/team/slack:1"
    denied = shelved(third_party)
    third_party.moods.append(Refuses(status=403, path="/team/slack/"))

    for reference in (absent, elsewhere, unresolvable, denied):
        answer = create(service, reference)
        assert (answer.status, answer.fields) == (400, not_there(reference))


def test_a_tag_that_is_left_out_is_named_as_the_one_that_was_looked_for(
    service: Service, third_party: FakeRegistry
) -> None:
    answer = create(service, f"{host(third_party)}/team/absent")

    assert answer.fields == not_there(f"{host(third_party)}/team/absent:latest")


def test_our_own_registry_is_open_only_for_ones_own(service: Service) -> None:
    theirs = service.upload(PackArchive().build(), GLOBEX).body

    hidden = theirs["image_ref"]
    absent = hidden.replace(GLOBEX.org_id, ACME.org_id)

    for reference in (hidden, absent):
        answer = create(service, reference)
        assert (answer.status, answer.fields) == (400, not_there(reference, own=True))


class TestImagesOfOurOwnRegistry:
    ARCHIVE = PackArchive().build()

    def abandoned(self, service: Service) -> str:
        """Leave an image of ours without a row, and return its reference by digest."""
        digest = service.upload(self.ARCHIVE, GLOBEX).body["image_digest"]
        crash = Crash(at=PointName("dynamodb.TransactWriteItems"))
        with pytest.raises(Killed), service.wire.tapped(crash):
            service.upload(self.ARCHIVE)
        service.new_process()
        return f"{service.services.registry.host}/packs/{ACME.org_id}/slack@{digest}"

    def test_one_that_goes_with_another_name_is_refused(self, service: Service) -> None:
        """It would go when the pack of that name does."""
        source = service.upload(self.ARCHIVE).body
        clone = service.clone(source["id"], name="ours").body
        service.delete(source["id"])

        answer = create(service, clone["image_ref"])

        assert (answer.status, list(answer.fields)) == (400, ["image_ref"])

    def test_one_that_was_abandoned_becomes_a_pack_and_goes_with_it(self, service: Service) -> None:
        pack = create(service, self.abandoned(service)).body

        service.settle()
        assert pack["image_digest"] in service.images()[f"packs/{ACME.org_id}/slack"]

        assert service.delete(pack["id"]).status == 200
        assert f"packs/{ACME.org_id}/slack" not in service.images()

    def test_it_goes_too_when_its_cleanup_message_comes_due_while_the_pack_is_being_deleted(
        self, service: Service
    ) -> None:
        pack = create(service, self.abandoned(service)).body
        crash = Crash(at=PointName("dynamodb.UpdateItem"), after=True)
        with pytest.raises(Killed), service.wire.tapped(crash):
            service.delete(pack["id"])
        assert crash.calls == ["sqs.SendMessage", "dynamodb.UpdateItem"]
        service.new_process()

        service.clock.advance(DEADLINE + timedelta(seconds=1))
        images = [body for body in service.aws.queued() if "orphan_image" in body]
        left = service.deliver_bodies(images)
        assert left
        assert service.held == set(left)
        for number in left:
            service.aws.sqs.send_message(QueueUrl=service.aws.queue_url, MessageBody=images[int(number)])
        assert service.delete(pack["id"]).status == 200
        service.clock.advance(timedelta(minutes=6))
        service.settle()

        assert f"packs/{ACME.org_id}/slack" not in service.images()

    def test_one_that_a_cleaner_removes_just_before_the_claim_is_refused(self, service: Service) -> None:
        reference = self.abandoned(service)

        def clean_up() -> None:
            service.clock.advance(DEADLINE + timedelta(seconds=1))
            with service.another_process(), service.wire.sent_by("a cleaner"):
                service.deliver()

        with service.wire.tapped(interrupt=Before(at=PointName("dynamodb.UpdateItem"), what=clean_up)):
            answer = create(service, reference)

        assert (answer.status, list(answer.fields)) == (400, ["image_ref"])
        assert service.list_packs(owned="true").body == {"packs": []}

    def test_one_pushed_by_hand_stays_when_its_pack_goes(self, service: Service) -> None:
        repository = service.registry.shelves.repository(f"packs/{ACME.org_id}/slack", create=True)
        pack_image().shelve(repository, "1")
        pack = create(service, f"{service.services.registry.host}/packs/{ACME.org_id}/slack:1").body

        assert service.delete(pack["id"]).status == 200
        service.settle()

        assert pack["image_digest"] in repository.manifests


@pytest.mark.parametrize(
    ("content", "field"),
    [
        pytest.param(b"name: slack\nversion: 1\n", "pack.yaml:version", id="a wrong version"),
        pytest.param(b"\x00", "pack.yaml", id="not YAML"),
    ],
)
def test_a_wrong_pack_yaml_is_400_by_its_field(
    service: Service, third_party: FakeRegistry, content: bytes, field: str
) -> None:
    answer = create(service, shelved(third_party, content))

    assert (answer.status, list(answer.fields)) == (400, [field])


def test_an_image_that_holds_no_pack_is_400_on_image_ref(service: Service, third_party: FakeRegistry) -> None:
    repository = third_party.shelves.repository("team/slack", create=True)
    image(layer(("etc/passwd", b"root"))).shelve(repository, "1")

    answer = create(service, f"{host(third_party)}/team/slack:1")

    assert (answer.status, list(answer.fields)) == (400, ["image_ref"])


@pytest.mark.parametrize(
    "mood",
    [
        pytest.param(Refuses(status=503), id="5xx"),
        pytest.param(Refuses(status=429), id="throttled"),
        pytest.param(CutsOff(path="/blobs/"), id="cut off in the middle of a blob"),
    ],
)
def test_a_registry_that_fails_is_502_and_leaves_nothing(
    service: Service, third_party: FakeRegistry, mood: Refuses | CutsOff
) -> None:
    reference = shelved(third_party)
    third_party.moods.append(mood)

    answer = create(service, reference)

    assert (answer.status, answer.error["code"]) == (502, "registry_unavailable")
    assert service.list_packs().body == {"packs": []}


def test_a_registry_need_not_tell_the_truth_about_a_digest_that_we_compute(
    service: Service, third_party: FakeRegistry
) -> None:
    reference = shelved(third_party)
    third_party.moods.append(Lies())

    answer = create(service, reference)

    assert answer.body["image_digest"] == third_party.shelves.repository("team/slack").tags["1.4.0"]


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        pytest.param(replace(ACME, scopes=frozenset()), 403, id="no scope"),
        pytest.param(replace(ACME, may_create=False), 423, id="a lapsed tenant"),
    ],
)
def test_a_missing_right_to_create_is_reported_first(service: Service, caller: Caller, status: int) -> None:
    assert create(service, "", caller).status == status


def test_a_body_of_another_type_is_415(service: Service) -> None:
    answer = service.send(
        "create_pack", "POST", "/packs", json={"image_ref": "a/b"}, headers={"Content-Type": "text/plain"}
    )

    assert answer.status == 415
