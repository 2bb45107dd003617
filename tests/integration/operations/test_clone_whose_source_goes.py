"""A clone whose source goes away between any two of its external calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.crashes import fused, moments
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


def calls_of_a_clone() -> list[str]:
    with out_of_our_registry() as made, fused(made.service, None) as fuse:
        assert made.service.clone(made.source).status == 201
    return fuse.calls


MOUNTED = calls_of_a_clone()


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


@pytest.mark.parametrize("moment", moments(MOUNTED))
def test_a_source_that_is_deleted_meanwhile_leaves_a_whole_clone_or_none(moment: int) -> None:
    with out_of_our_registry() as scene:
        service = scene.service

        def delete() -> None:
            assert service.delete(scene.source, GLOBEX).status == 200
            # As in ECR, or after a garbage collection: blobs that no other manifest names are gone.
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
