"""Packs whose layer is sent while it is hashed: what the registry has of them, whenever they end."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.engine.taps import Before, Crash, Killed, Log, PointName
from tests.fake_registry.moods import Refuses
from tests.fake_registry.shelves import Repository
from tests.service import ACME, DEADLINE, PackArchive, Service, running_service

from packyard.errors import InvalidRequest, PackNameTaken
from packyard.operations.published import Published
from packyard.packs.file_edit import Edit
from packyard.packs.pack import Visibility

MIB = 1 << 20
NOISE = random.Random(21).randbytes(9 * MIB)  # noqa: S311 - the same in every run
LARGE = PackArchive(files={"data/noise": NOISE}).build()
OTHER = PackArchive(files={"data/noise": NOISE[1:]}).build()
CHANGED = b"# Post a message, later\n"


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


def create(service: Service, archive: bytes = LARGE) -> Published:
    """Publish an archive that is too large for a request's own body."""
    publisher = service.services.publisher
    return publisher.create(publisher.stage(archive), visibility=Visibility.ORG, actor=ACME)


def edit(service: Service, pack_id: str) -> Published:
    file = Edit(path="guides/post.md", content=CHANGED)
    return service.services.file_editor.put(pack_id, file, caller=ACME, if_match=None)


def repository(service: Service) -> Repository:
    return service.registry.shelves.repositories[f"packs/{ACME.org_id}/slack"]


def patches(service: Service) -> int:
    return sum(request.method == "PATCH" for request in service.registry.requests)


def assert_whole(service: Service, published: Published) -> None:
    """The row's image is there with its layer, and no other index."""
    kept = repository(service)
    assert published.pack.image_digest in kept.manifests
    assert published.pack.layer_digest in kept.blobs
    assert [digest for digest, found in kept.manifests.items() if b'"manifests"' in found.raw] == [
        published.pack.image_digest
    ]


def test_a_large_layer_is_sent_once_and_early(service: Service) -> None:
    published = create(service)

    assert_whole(service, published)
    assert patches(service) == 1
    assert repository(service).uploads == {}
    push_begins = [request.method for request in service.registry.requests].index("HEAD")
    assert "PATCH" in [request.method for request in service.registry.requests[:push_begins]]


def test_a_small_layer_is_not(service: Service) -> None:
    create(service, PackArchive().build())

    assert patches(service) == 0


def test_an_edit_of_a_large_layer_is_sent_while_the_old_one_comes_in(service: Service) -> None:
    pack = create(service).pack

    edited = edit(service, pack.id)

    assert patches(service) == 2
    assert repository(service).uploads == {}
    assert edited.pack.layer_digest in repository(service).blobs
    with_the_file = PackArchive(files={"data/noise": NOISE, "guides/post.md": CHANGED}).build()
    assert not create(service, with_the_file).changed


def test_what_turns_out_to_be_a_repeat_is_cancelled(service: Service) -> None:
    published = create(service)

    assert not create(service).changed

    assert repository(service).uploads == {}
    assert_whole(service, published)


def test_what_finds_its_name_taken_is_cancelled(service: Service) -> None:
    published = create(service)

    with pytest.raises(PackNameTaken):
        create(service, OTHER)

    assert repository(service).uploads == {}
    assert_whole(service, published)


def test_an_archive_of_another_name_than_the_pack_s_leaves_nothing_under_either(service: Service) -> None:
    pack = create(service).pack
    publisher = service.services.publisher
    other = PackArchive(name="teams", files={"data/noise": NOISE}).build()

    with pytest.raises(InvalidRequest):
        publisher.replace(publisher.stage(other), pack_id=pack.id, actor=ACME)

    for kept in service.registry.shelves.repositories.values():
        assert kept.uploads == {}
    assert service.images().keys() == {f"packs/{ACME.org_id}/slack"}


def test_nothing_is_pushed_of_an_invalid_archive(service: Service) -> None:
    with pytest.raises(InvalidRequest):
        create(service, PackArchive(files={"data/noise": NOISE, "stray/file": b""}).build())

    assert service.registry.requests == []


def points_of(act: str) -> Log:
    log = Log()
    with running_service() as service:
        pack = create(service).pack if act == "edit" else None
        with service.wire.tapped(log):
            _ = create(service) if pack is None else edit(service, pack.id)
    return log


def from_the_upload_on(log: Log) -> list[Any]:
    """Return the points at which the early upload begins and goes on, and those of the push and the commit."""
    starts = ("POST ", "PATCH ", "dynamodb.UpdateItem", "HEAD ", "PUT ", "dynamodb.TransactWriteItems")
    found = {start: log.first(start) for start in starts}
    found["the tag"] = found[starts[-1]] + 1
    # Without digests: the layer and the configs are pushed at the same time, in any order.
    return [pytest.param(log.passed[n], id=f"before {start.strip()}") for start, n in found.items()]


CREATE, EDIT = points_of("create"), points_of("edit")


def test_pieces_go_before_the_claim_and_the_cleanup_message_and_nothing_else_does() -> None:
    early = CREATE.passed[: CREATE.first("dynamodb.UpdateItem")]

    assert [name.label.partition(" ")[0] for name in early] == [
        "sqs.SendMessage",
        "s3.PutObject",
        "POST",
        "PATCH",
    ]
    assert CREATE.calls == [
        "sqs.SendMessage",
        "s3.PutObject",
        "registry",
        "dynamodb.UpdateItem",
        "s3.PutObject",
        "sqs.SendMessage",
        "registry",
        "dynamodb.TransactWriteItems",
        "registry",
    ]


def cancel_nothing(service: Service) -> None:
    """Leave uploads open, as a process does that had no time to cancel them."""
    service.registry.moods.append(Refuses(status=503, method="DELETE", path="/blobs/uploads/"))


@pytest.mark.parametrize("moment", from_the_upload_on(CREATE))
def test_a_create_killed_at_any_moment_leaves_no_image_and_a_retry_succeeds(
    moment: PointName, service: Service
) -> None:
    cancel_nothing(service)

    with pytest.raises(Killed), service.wire.tapped(Crash(at=moment)):
        create(service)
    service.new_process()
    published = create(service)
    service.clock.advance(DEADLINE - timedelta(seconds=1))
    service.settle()

    assert_whole(service, published)
    assert service.get(published.pack.id).status == 200


@pytest.mark.parametrize("moment", from_the_upload_on(CREATE))
def test_a_create_killed_at_any_moment_and_not_retried_leaves_nothing(
    moment: PointName, service: Service
) -> None:
    cancel_nothing(service)

    with pytest.raises(Killed), service.wire.tapped(Crash(at=moment)):
        create(service)
    service.new_process()
    service.settle()

    packs = service.list_packs().body["packs"]
    assert service.images() == {} or len(packs) == 1


@pytest.mark.parametrize("moment", from_the_upload_on(EDIT))
def test_an_edit_killed_at_any_moment_leaves_the_old_pack_or_the_new_one(
    moment: PointName, service: Service
) -> None:
    pack = create(service).pack
    cancel_nothing(service)

    with pytest.raises(Killed), service.wire.tapped(Crash(at=moment)):
        edit(service, pack.id)
    service.new_process()
    service.settle()
    stands = service.services.packs.get(pack.id)

    assert stands is not None
    assert stands.image_digest in repository(service).manifests
    edited = edit(service, pack.id)
    service.settle()
    assert edited.pack.image_digest in repository(service).manifests
    assert edited.pack.layer_digest in repository(service).blobs


@pytest.mark.parametrize("moment", from_the_upload_on(CREATE))
def test_of_two_at_once_that_send_the_same_layer_both_leave_one_pack(
    moment: PointName, service: Service
) -> None:
    others: list[Published] = []

    def overtake() -> None:
        with service.wire.sent_by("another"):
            others.append(create(service))

    with service.wire.tapped(interrupt=Before(at=moment, what=overtake)):
        mine = create(service)

    assert [mine.pack.id] == [other.pack.id for other in others]
    assert [mine.changed, others[0].changed].count(True) == 1
    assert repository(service).uploads == {}
    assert_whole(service, mine)
