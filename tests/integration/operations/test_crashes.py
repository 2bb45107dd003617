"""What is left when a function is killed between any two of its external calls, and that it all comes right again."""

from datetime import timedelta

import pytest
from tests.crashes import Killed, fused, moments
from tests.service import ACME, DEADLINE, PackArchive, Service, running_service

ARCHIVE = PackArchive().build()
OTHER_CONTENT = PackArchive(files={"README.md": b"other"}).build()


def calls_of_an_upload() -> list[str]:
    with running_service() as service, fused(service, None) as fuse:
        assert service.upload(ARCHIVE).status == 201
    return fuse.calls


def calls_of_a_clean_up() -> list[str]:
    with running_service() as service:
        messages = announcements_of_the_abandoned(service)
        with fused(service, None) as fuse:
            service.deliver_bodies(messages)
    return fuse.calls


def abandon_before_the_row(service: Service) -> None:
    """Leave an image without a row, as an upload does that dies just before it commits."""
    moment = 2 * UPLOAD.index("dynamodb.TransactWriteItems")
    with pytest.raises(Killed), fused(service, moment):
        service.upload(ARCHIVE)


def announcements_of_the_abandoned(service: Service) -> list[str]:
    """Return the messages of an upload that died just before its row, now due."""
    abandon_before_the_row(service)
    service.clock.advance(DEADLINE + timedelta(seconds=1))
    return service.aws.queued()


UPLOAD = calls_of_an_upload()
CLEAN_UP = calls_of_a_clean_up()


def assert_everything_is_accounted_for(service: Service) -> None:
    """Every image belongs to a row, every row has its image and its tag, and nothing is staged or queued."""
    packs = service.list_packs().body["packs"]
    expected = {pack["image_digest"] for pack in packs}
    for pack in packs:
        repository = service.registry.shelves.repository(f"packs/{ACME.org_id}/{pack['name']}")
        assert repository.tags == {pack["version"]: pack["image_digest"]}
    indexes = {
        digest
        for repository in service.registry.shelves.repositories.values()
        for digest, manifest in repository.manifests.items()
        if b'"manifests"' in manifest.raw
    }
    assert indexes == expected
    assert len(packs) == 1 or service.images() == {}
    assert service.aws.staged() == []
    assert service.aws.queued() == []


def test_an_upload_takes_these_steps_in_this_order() -> None:
    assert UPLOAD == [
        "sqs.SendMessage",
        "s3.PutObject",
        "dynamodb.UpdateItem",
        "s3.PutObject",
        "sqs.SendMessage",
        "registry.ensure_repository",
        "registry.push",
        "dynamodb.TransactWriteItems",
        "registry.tag",
    ]


def test_a_clean_up_takes_these_steps_in_this_order() -> None:
    assert CLEAN_UP == [
        "s3.DeleteObject",
        "dynamodb.GetItem",
        "dynamodb.UpdateItem",
        "registry.delete_image",
        "dynamodb.UpdateItem",
    ]


@pytest.mark.parametrize("moment", moments(UPLOAD))
def test_an_upload_killed_at_any_moment_leaves_nothing_once_cleaned_up_and_a_retry_succeeds(
    moment: int,
) -> None:
    with running_service() as service:
        with pytest.raises(Killed), fused(service, moment):
            service.upload(ARCHIVE)

        service.settle()
        assert_everything_is_accounted_for(service)

        assert service.upload(ARCHIVE).status in (200, 201)
        service.settle()
        assert_everything_is_accounted_for(service)
        assert len(service.list_packs().body["packs"]) == 1


@pytest.mark.parametrize(
    "content", [pytest.param(ARCHIVE, id="same"), pytest.param(OTHER_CONTENT, id="other")]
)
@pytest.mark.parametrize("moment", moments(UPLOAD[:7]))
def test_a_retry_need_not_wait_for_the_clean_up_and_survives_it(moment: int, content: bytes) -> None:
    with running_service() as service:
        with pytest.raises(Killed), fused(service, moment):
            service.upload(ARCHIVE)

        # The first try's announcement comes due while the row of the second has only just been written.
        service.clock.advance(DEADLINE - timedelta(seconds=1))
        retried = service.upload(content)
        assert retried.status == 201
        service.settle()
        service.settle()

        assert_everything_is_accounted_for(service)
        assert service.get(retried.body["id"]).status == 200


@pytest.mark.parametrize("moment", moments(CLEAN_UP))
def test_a_clean_up_killed_at_any_moment_is_finished_by_the_next_delivery(moment: int) -> None:
    with running_service() as service:
        messages = announcements_of_the_abandoned(service)
        with pytest.raises(Killed), fused(service, moment):
            service.deliver_bodies(messages)

        # The queue hides a message from others while its consumer may live, then delivers it again.
        service.clock.advance(timedelta(minutes=12))
        assert service.deliver_bodies(messages) == []
        service.settle()

        assert_everything_is_accounted_for(service)
        assert service.upload(ARCHIVE).status == 201


def test_the_cleaner_of_a_dead_upload_cannot_take_the_image_from_under_a_living_one() -> None:
    """Both pushed the same digest; the first died before its row, the second is about to write its own."""
    with running_service() as service:
        first_announcements = announcements_of_the_abandoned(service)
        commit = 2 * UPLOAD.index("dynamodb.TransactWriteItems")

        with pytest.raises(Killed), fused(service, commit):
            service.upload(ARCHIVE)
        service.deliver_bodies(first_announcements)

        assert len(service.images()) == 1, "a publisher may still be at work, so nothing goes yet"
        service.settle()
        assert service.images() == {}
