"""A clone whose source goes away between any two of its external calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.engine.taps import Before, Log, moments
from tests.fake_registry.moods import Refuses
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.whole_images import assert_whole

ARCHIVE = PackArchive().build()


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


def points_of_a_clone() -> Log:
    log = Log()
    with out_of_our_registry() as made, made.service.wire.tapped(log):
        assert made.service.clone(made.source).status == 201
    return log


MOUNTED = points_of_a_clone()
BEFORE_EACH = moments(MOUNTED.passed)[:-1]


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


@pytest.mark.parametrize("moment", BEFORE_EACH)
def test_a_source_that_is_deleted_meanwhile_leaves_a_whole_clone_or_none(moment: int) -> None:
    with out_of_our_registry() as scene:
        service = scene.service

        def delete() -> None:
            with service.another_process(), service.wire.sent_by("another"):
                assert service.delete(scene.source, GLOBEX).status == 200
            # As in ECR, or after a garbage collection: blobs that no other manifest names are gone.
            del service.registry.shelves.repositories[f"packs/{GLOBEX.org_id}/slack"]

        with service.wire.tapped(interrupt=Before(at=moment, what=delete)):
            answer = service.clone(scene.source)

        last_blob = max(n for n, name in enumerate(MOUNTED.passed) if "/blobs/" in name.label)
        assert answer.status == (201 if moment > last_blob else 404)
        settle_all(service)
        assert_everything_is_accounted_for(service)


@pytest.mark.parametrize("moment", BEFORE_EACH)
def test_a_source_that_is_being_deleted_meanwhile_is_409_when_it_can_no_longer_be_read(moment: int) -> None:
    with out_of_our_registry() as scene:
        service = scene.service

        def begin_to_delete() -> None:
            service.registry.moods.append(Refuses(method="DELETE", status=503))
            with service.another_process(), service.wire.sent_by("another"):
                assert service.delete(scene.source, GLOBEX).status == 502
            service.registry.moods.clear()
            del service.registry.shelves.repositories[f"packs/{GLOBEX.org_id}/slack"]

        with service.wire.tapped(interrupt=Before(at=moment, what=begin_to_delete)):
            answer = service.clone(scene.source)

        assert answer.status == 201 or answer.error["code"] == "pack_deleting"
        settle_all(service)
        assert_everything_is_accounted_for(service)
