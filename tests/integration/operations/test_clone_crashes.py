"""A clone that is killed, or met by others, between any two of its external calls."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.crashes import Killed, fused, moments
from tests.fake_registry.moods import Refuses
from tests.fake_registry.server import FakeRegistry
from tests.foreign_images import index, pack_image, shelve
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service, running_service
from tests.whole_images import assert_whole

if TYPE_CHECKING:
    from tests.gateway import Answer

ARCHIVE = PackArchive().build()
OTHER_CONTENT = PackArchive(files={"README.md": b"other"}).build()
PLATFORMS = (pack_image(), pack_image(b"name: slack\nversion: 1.4.0\ndescription: arm\n"))


@dataclass(frozen=True)
class Scene:
    """A service with something to clone.

    Attributes:
        source: A pack of another organisation, for all to see.
    """

    service: Service
    source: str


@contextmanager
def out_of_our_registry() -> Iterator[Scene]:
    with running_service() as service:
        yield Scene(service, service.upload(ARCHIVE, GLOBEX, visibility="community").body["id"])


@contextmanager
def out_of_another() -> Iterator[Scene]:
    with running_service() as service, FakeRegistry() as elsewhere:
        shelf = elsewhere.shelves.repository("team/slack", create=True)
        for made in PLATFORMS:
            made.shelve(shelf)
        shelve(shelf, index(*((made.manifest, "linux/amd64") for made in PLATFORMS)), "1")
        body = {"image_ref": f"127.0.0.1:{elsewhere.port}/team/slack:1", "visibility": "community"}
        pack = service.send("create_pack", "POST", "/packs", caller=GLOBEX, json=body).body
        yield Scene(service, pack["id"])


World = Callable[[], AbstractContextManager[Scene]]


def calls_of_a_clone(world: World) -> list[str]:
    with world() as made, fused(made.service, None) as fuse:
        assert made.service.clone(made.source).status == 201
    return fuse.calls


COPIED = calls_of_a_clone(out_of_another)
MOUNTED = calls_of_a_clone(out_of_our_registry)


def assert_everything_is_accounted_for(service: Service) -> None:
    """Every image of ours belongs to a row that stands, all of it, under its tag; and nothing is queued."""
    images = service.images()
    packs = {
        f"packs/{pack['org_id']}/{pack['name']}": pack
        for caller in (ACME, GLOBEX)
        for pack in service.list_packs(caller, owned="true").body["packs"]
        if pack["image_origin"] != "image_ref"
    }
    assert images.keys() == packs.keys()
    for name, pack in packs.items():
        repository = service.registry.shelves.repository(name)
        assert_whole(repository, pack["image_digest"])
        assert repository.tags == {pack["version"]: pack["image_digest"]}
        assert len(images[name]) == 3
    assert service.aws.queued() == []


def settle_all(service: Service) -> None:
    """Let every message come due, those too that were put back behind a hold."""
    service.settle()
    service.clock.advance(timedelta(minutes=20))
    service.settle()


WORLDS = [
    *(
        pytest.param(out_of_our_registry, *moment.values, id=f"mounted {moment.id}")
        for moment in moments(MOUNTED)
    ),
    *(pytest.param(out_of_another, *moment.values, id=f"copied {moment.id}") for moment in moments(COPIED)),
]


def test_a_clone_takes_these_steps_in_this_order() -> None:
    def steps(blobs: int) -> list[str]:
        return [
            "dynamodb.GetItem",
            "dynamodb.UpdateItem",
            "sqs.SendMessage",
            "registry.ensure_repository",
            *["registry.copy_blob"] * blobs,
            *["registry.push_manifest"] * 3,
            "dynamodb.TransactWriteItems",
            "registry.tag",
        ]

    assert steps(3) == MOUNTED
    assert steps(4) == COPIED


@pytest.mark.parametrize(("world", "moment"), WORLDS)
def test_a_clone_killed_at_any_moment_leaves_nothing_once_cleaned_up_and_a_retry_succeeds(
    world: World, moment: int
) -> None:
    with world() as scene:
        service = scene.service
        with pytest.raises(Killed), fused(service, moment):
            service.clone(scene.source)

        settle_all(service)
        assert_everything_is_accounted_for(service)

        assert service.clone(scene.source).status in (200, 201)
        settle_all(service)
        assert_everything_is_accounted_for(service)
        assert len(service.list_packs(owned="true").body["packs"]) == 1


@pytest.mark.parametrize(("world", "moment"), WORLDS)
def test_a_clone_that_fails_at_any_moment_is_retried_without_waiting_for_the_clean_up(
    world: World, moment: int
) -> None:
    with world() as scene:
        service = scene.service
        with pytest.raises(Killed), fused(service, moment):
            service.clone(scene.source)

        # The first try's announcement comes due while the row of the second has only just been written.
        service.clock.advance(DEADLINE - timedelta(seconds=1))
        assert service.clone(scene.source).status in (200, 201)
        settle_all(service)

        assert_everything_is_accounted_for(service)


@pytest.mark.parametrize("moment", moments(MOUNTED))
def test_a_source_that_is_deleted_meanwhile_leaves_a_whole_clone_or_none(moment: int) -> None:
    with out_of_our_registry() as scene:
        service = scene.service

        def delete() -> None:
            assert service.delete(scene.source, GLOBEX).status == 200
            # As in ECR, or after a garbage collection: what nobody else names is gone.
            del service.registry.shelves.repositories[f"packs/{GLOBEX.org_id}/slack"]

        with fused(service, moment, delete):
            answer = service.clone(scene.source)

        last_blob = 2 * (len(MOUNTED) - MOUNTED[::-1].index("registry.copy_blob")) - 1
        assert answer.status == (201 if moment >= last_blob else 404)
        settle_all(service)
        assert_everything_is_accounted_for(service)


@pytest.mark.parametrize("moment", moments(MOUNTED))
def test_a_source_that_is_being_deleted_meanwhile_is_409_when_it_can_no_longer_be_read(moment: int) -> None:
    with out_of_our_registry() as scene:
        service = scene.service

        def begin_to_delete() -> None:
            service.registry.moods.append(Refuses(method="DELETE", status=503))
            assert service.delete(scene.source, GLOBEX).status == 502
            service.registry.moods.clear()
            del service.registry.shelves.repositories[f"packs/{GLOBEX.org_id}/slack"]

        with fused(service, moment, begin_to_delete):
            answer = service.clone(scene.source)

        assert answer.status == 201 or answer.error["code"] == "pack_deleting"
        settle_all(service)
        assert_everything_is_accounted_for(service)


@pytest.mark.parametrize(("world", "moment"), WORLDS)
def test_two_of_the_same_at_once_come_to_one_clone(world: World, moment: int) -> None:
    with world() as scene:
        service = scene.service
        others: list[Answer] = []
        with fused(service, moment, lambda: others.append(service.clone(scene.source))):
            answer = service.clone(scene.source)

        assert {answer.status, others[0].status} <= {200, 201}
        assert answer.body == others[0].body
        settle_all(service)
        assert_everything_is_accounted_for(service)


@pytest.mark.parametrize("moment", moments(MOUNTED))
def test_of_two_that_want_one_name_one_gets_it_and_the_other_leaves_nothing(moment: int) -> None:
    with out_of_our_registry() as scene:
        service = scene.service
        others: list[Answer] = []
        with fused(service, moment, lambda: others.append(service.upload(OTHER_CONTENT))):
            answer = service.clone(scene.source)

        assert sorted([answer.status, others[0].status]) == [201, 409]
        settle_all(service)
        assert_everything_is_accounted_for(service)


@pytest.mark.parametrize("moment", moments(MOUNTED))
def test_the_cleaner_of_a_dead_clone_takes_nothing_from_a_living_one(moment: int) -> None:
    with out_of_our_registry() as scene:
        service = scene.service
        with pytest.raises(Killed), fused(service, 2 * MOUNTED.index("dynamodb.TransactWriteItems")):
            service.clone(scene.source)
        service.clock.advance(DEADLINE + timedelta(seconds=1))
        announcements = service.aws.queued()

        with fused(service, moment, lambda: service.deliver_bodies(announcements)):
            answer = service.clone(scene.source)

        assert answer.status == 201
        settle_all(service)
        assert_everything_is_accounted_for(service)
