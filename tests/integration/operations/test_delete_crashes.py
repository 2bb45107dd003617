"""What is left when a deletion is killed between any two of its calls, and that it all comes right again."""

from datetime import timedelta

import pytest
from tests.crashes import Killed, fused, moments
from tests.service import ACME, PackArchive, Service, running_service

from packyard.store.keys import pack_key, pack_partition
from packyard.store.table import Query

ARCHIVE = PackArchive().build()
OTHER_VERSION = PackArchive(version="2.0.0").build()
LEASE = timedelta(minutes=5, seconds=1)


def published(service: Service) -> str:
    """Publish a pack and let every message about that be settled."""
    pack_id: str = service.upload(ARCHIVE).body["id"]
    service.settle()
    return pack_id


def calls_of_a_deletion() -> list[str]:
    with running_service() as service:
        pack_id = published(service)
        with fused(service, None) as fuse:
            assert service.delete(pack_id).status == 200
    return fuse.calls


DELETION = calls_of_a_deletion()
DECIDED = 2 * DELETION.index("dynamodb.UpdateItem") + 1


def abandoned(service: Service, moment: int = DECIDED) -> str:
    """Return a pack whose deletion died at a moment, by default right after it was decided."""
    pack_id = published(service)
    with pytest.raises(Killed), fused(service, moment):
        service.delete(pack_id)
    return pack_id


def calls_of_the_clean_up() -> list[str]:
    with running_service() as service:
        abandoned(service)
        service.clock.advance(timedelta(minutes=2))
        messages = service.aws.queued()
        with fused(service, None) as fuse:
            assert service.deliver_bodies(messages) == []
    return fuse.calls


CLEAN_UP = calls_of_the_clean_up()


def assert_gone(service: Service, pack_id: str) -> None:
    """Everything of it is gone but a tombstone and a ledger that tells the deletion once; its name is free."""
    row = service.services.table.get(pack_key(pack_id))
    assert row is not None
    assert row["status"] == "deleted"
    entries = Query(
        condition="PK = :pack AND begins_with(SK, :rev)",
        values={":pack": pack_partition(pack_id), ":rev": "REV#"},
    )
    ledger = service.services.table.query(entries).items
    assert [entry["operation"] for entry in ledger] == ["upload", "delete"]
    assert service.images() == {}
    assert service.get(pack_id).status == 404
    assert service.aws.queued() == []


def assert_whole(service: Service, pack_id: str) -> None:
    pack = service.get(pack_id)
    assert pack.status == 200
    assert pack.body["image_digest"] in service.images()[f"packs/{ACME.org_id}/slack"]


def test_a_deletion_takes_these_steps_in_this_order() -> None:
    assert DELETION == [
        "sqs.SendMessage",
        "dynamodb.UpdateItem",
        "dynamodb.UpdateItem",
        "registry.purge_repository",
        "dynamodb.Query",
        "dynamodb.TransactWriteItems",
    ]


def test_the_clean_up_takes_the_same_ones_from_the_purge_on() -> None:
    assert ["dynamodb.GetItem", *DELETION[2:]] == CLEAN_UP


@pytest.mark.parametrize("moment", moments(DELETION))
def test_a_deletion_killed_at_any_moment_is_settled_by_its_announcement(moment: int) -> None:
    with running_service() as service:
        pack_id = abandoned(service, moment)

        service.settle()

        if moment < DECIDED:
            assert_whole(service, pack_id)
            assert service.delete(pack_id).status == 200
            service.settle()
        assert_gone(service, pack_id)
        service.clock.advance(LEASE)
        assert service.upload(ARCHIVE).status == 201


@pytest.mark.parametrize("moment", moments(DELETION))
def test_a_deletion_killed_at_any_moment_is_finished_by_a_repeat_at_once(moment: int) -> None:
    with running_service() as service:
        pack_id = abandoned(service, moment)

        assert service.delete(pack_id).status == 200

        service.settle()
        assert_gone(service, pack_id)


@pytest.mark.parametrize("moment", moments(CLEAN_UP))
def test_a_clean_up_killed_at_any_moment_is_finished_by_the_next_delivery(moment: int) -> None:
    with running_service() as service:
        pack_id = abandoned(service)
        service.clock.advance(timedelta(minutes=2))
        messages = service.aws.queued()
        with pytest.raises(Killed), fused(service, moment):
            service.deliver_bodies(messages)

        # The queue hides a message from others while its consumer may live, then delivers it again.
        service.clock.advance(timedelta(minutes=12))
        assert service.deliver_bodies(messages) == []

        assert_gone(service, pack_id)
        assert service.delete(pack_id).status == 200


@pytest.mark.parametrize("moment", moments(CLEAN_UP))
def test_a_clean_up_killed_at_any_moment_does_not_hold_up_the_operator(moment: int) -> None:
    with running_service() as service:
        pack_id = abandoned(service)
        service.clock.advance(timedelta(minutes=2))
        messages = service.aws.queued()
        with pytest.raises(Killed), fused(service, moment):
            service.deliver_bodies(messages)

        assert service.delete(pack_id).status == 200

        assert service.deliver_bodies(messages) == []
        service.settle()
        assert_gone(service, pack_id)


@pytest.mark.parametrize("moment", moments(DELETION))
def test_two_deletions_at_once_both_succeed(moment: int) -> None:
    """The second comes and ends between any two calls of the first."""
    with running_service() as service:
        pack_id = published(service)
        others: list[int] = []
        with fused(service, moment, lambda: others.append(service.delete(pack_id).status)):
            first = service.delete(pack_id).status

        assert (first, others) == (200, [200])
        service.settle()
        assert_gone(service, pack_id)
        service.clock.advance(LEASE)
        assert service.upload(ARCHIVE).status == 201


@pytest.mark.parametrize("moment", moments(DELETION))
def test_a_create_of_the_name_at_any_moment_is_refused_or_keeps_its_image(moment: int) -> None:
    with running_service() as service:
        pack_id = published(service)
        created = []
        with fused(service, moment, lambda: created.append(service.upload(OTHER_VERSION))):
            assert service.delete(pack_id).status == 200

        (answer,) = created
        assert answer.status in ((409, 201) if moment >= 2 * len(DELETION) - 1 else (409,))
        service.settle()
        if answer.status == 409:
            assert answer.error["code"] == "pack_name_taken"
            assert_gone(service, pack_id)
        else:
            assert_whole(service, answer.body["id"])
            assert service.get(pack_id).status == 404
