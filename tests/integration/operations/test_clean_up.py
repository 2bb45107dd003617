"""The cleanup queue's consumer, through its real handler."""

from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from tests.engine.taps import Before, PointName
from tests.fake_registry.moods import Refuses
from tests.service import ACME, DEADLINE, PackArchive, Service
from tests.tables import being_deleted

from packyard.messaging.not_yet import NotYet
from packyard.packs.manifest.name import PackName


@dataclass(kw_only=True)
class RefusesTheIndex(Refuses):
    """Takes an image's two manifests, and not the index that follows them."""

    manifests: int = 0

    def claims(self, method: str, path: str) -> bool:
        if method != "PUT" or "/manifests/" not in path:
            return False
        self.manifests += 1
        return self.manifests > 2


def repository(name: str = "slack") -> str:
    return f"packs/{ACME.org_id}/{name}"


def test_messages_that_come_early_are_left_in_the_queue(service: Service) -> None:
    service.upload(PackArchive().build())
    messages = service.aws.queued()

    assert service.deliver_bodies(messages) == ["0", "1"]

    assert len(service.aws.staged()) == 1
    assert service.aws.queued() == [], "nothing is sent anew"


def test_a_message_that_comes_early_is_held_until_it_is_due(service: Service) -> None:
    service.upload(PackArchive().build())
    (archive, image) = service.aws.queued()
    service.clock.advance(timedelta(seconds=30))

    for message in (archive, image):
        with pytest.raises(NotYet) as held:
            service.services.cleaner.settle(message)
        assert held.value.seconds == (DEADLINE - timedelta(seconds=30)).total_seconds()


def test_a_message_is_held_for_as_long_as_somebody_publishes_into_its_repository(service: Service) -> None:
    service.registry.moods.append(RefusesTheIndex(status=503))
    service.upload(PackArchive().build())
    service.registry.moods.clear()
    (_, image) = service.aws.queued()
    service.clock.advance(timedelta(seconds=100))
    until = service.clock() + DEADLINE
    service.services.repositories.claim_for_create(
        org_id=ACME.org_id, name=PackName("slack"), until=until, now=service.clock(), token="another"
    )
    service.clock.advance(timedelta(seconds=30))

    with pytest.raises(NotYet) as held:
        service.services.cleaner.settle(image)

    assert held.value.until == until
    service.clock.advance(timedelta(seconds=91))
    service.services.cleaner.settle(image)
    assert service.images() == {}


def test_a_staged_archive_goes_when_its_time_has_come(service: Service) -> None:
    service.upload(PackArchive().build())
    service.clock.advance(DEADLINE)

    service.deliver()

    assert service.aws.staged() == []


def test_an_image_that_a_pack_uses_stays(service: Service) -> None:
    pack = service.upload(PackArchive().build()).body

    service.settle()

    assert pack["image_digest"] in service.images()[repository()]
    assert service.registry.shelves.repository(repository()).tags == {"1.4.0": pack["image_digest"]}


def test_an_image_whose_row_is_written_just_before_its_repository_is_taken_stays(service: Service) -> None:
    stopped, goes_on, done = Event(), Event(), Event()
    published: list[Any] = []

    def publish() -> None:
        with service.another_process(), service.wire.sent_by("a slow publisher"):
            published.append(service.upload(PackArchive().build()))
        done.set()

    def stand_still() -> None:
        stopped.set()
        assert goes_on.wait(60)

    def let_it_commit() -> None:
        goes_on.set()
        assert done.wait(60)

    commit, purge = PointName("dynamodb.TransactWriteItems"), PointName("dynamodb.UpdateItem")
    with service.wire.tapped(interrupt=Before(at=commit, what=stand_still)):
        publisher = Thread(target=publish)
        publisher.start()
        assert stopped.wait(60)
        # Its claim has run out, and the cleaner has seen that no row uses the image.
        service.clock.advance(DEADLINE + timedelta(seconds=1))
        service.wire.interrupt = Before(at=purge, what=let_it_commit)
        service.deliver()
        publisher.join(60)

    assert [answer.status for answer in published] == [201]
    assert published[0].body["image_digest"] in service.images()[repository()]


def test_the_tag_of_a_pack_that_is_being_deleted_is_not_set_again(service: Service) -> None:
    pack = service.upload(PackArchive().build()).body
    service.clock.advance(DEADLINE + timedelta(seconds=1))
    cleanup_messages = service.aws.queued()
    being_deleted(service, pack["id"])
    service.registry.shelves.repository(repository()).tags.clear()

    assert service.deliver_bodies(cleanup_messages) == []

    assert service.registry.shelves.repository(repository()).tags == {}


def test_messages_delivered_twice_do_no_harm(service: Service) -> None:
    pack = service.upload(PackArchive().build()).body
    service.clock.advance(DEADLINE + timedelta(seconds=1))
    messages = service.aws.queued()

    assert service.deliver_bodies(messages * 2) == []

    assert service.get(pack["id"]).status == 200
    assert pack["image_digest"] in service.images()[repository()]


def test_a_registry_that_cannot_delete_sends_the_message_back_until_it_can(service: Service) -> None:
    service.registry.moods.append(RefusesTheIndex(status=503))
    service.upload(PackArchive().build())
    assert service.images() != {}
    service.registry.moods[:] = [Refuses(method="DELETE", status=503)]
    service.clock.advance(DEADLINE + timedelta(seconds=1))
    messages = service.aws.queued()

    assert service.deliver_bodies(messages) == ["1"]

    service.registry.moods.clear()
    service.clock.advance(timedelta(minutes=12))
    assert service.deliver_bodies([messages[1]]) == []
    assert service.images() == {}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"kind":"staged_archive","key":"../other","due_at":"2026-01-01T00:00:00Z"}',
        "[" * 3000,
        "x" * 10_000,
    ],
    ids=lambda body: body[:20] or "nothing",
)
def test_a_message_that_is_not_ours_goes_back_and_so_to_the_dead_letters(service: Service, body: str) -> None:
    assert service.deliver_bodies([body]) == ["0"]


def test_one_bad_message_does_not_hold_up_the_others(service: Service) -> None:
    service.upload(PackArchive().build())
    service.clock.advance(DEADLINE + timedelta(seconds=1))

    assert service.deliver_bodies(["{}", *service.aws.queued()]) == ["0"]

    assert service.aws.staged() == []
