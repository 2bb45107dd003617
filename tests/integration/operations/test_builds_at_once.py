"""Staged archives wait for their turn while their organisation has as many builds under way as it may have."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.aws import Aws
from tests.fake_registry.moods import Refuses
from tests.packs import NOW, ORG, OTHER_ORG
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.staged_uploads import arrive, deliver, look, start
from tests.usage import limit, usage

from packyard.packs.usage import Quota
from packyard.store.build_slots import BuildSlots, NoSlot, Slot
from packyard.tenants.caller import Caller

SOON = NOW + timedelta(minutes=16)


def take(slots: BuildSlots, lease: str, org_id: str = ORG, *, later: timedelta = timedelta()) -> Slot:
    return slots.take(org_id, lease=lease, now=NOW + later, until=SOON + later)


@pytest.fixture
def slots(aws: Aws) -> BuildSlots:
    return BuildSlots(table=aws.table, default=2)


def test_no_more_places_are_given_than_there_are(slots: BuildSlots) -> None:
    first, _ = take(slots, "a"), take(slots, "b")

    with pytest.raises(NoSlot) as none:
        take(slots, "c")

    assert (none.value.limit, none.value.used) == (2, 2)
    take(slots, "c", OTHER_ORG)
    for _ in range(2):
        slots.release(first)
    take(slots, "c")


def test_a_place_is_taken_once_however_often_its_request_is_sent(slots: BuildSlots) -> None:
    for _ in range(3):
        take(slots, "a")

    take(slots, "b")
    with pytest.raises(NoSlot):
        take(slots, "c")


def test_the_place_of_a_dead_builder_is_free_when_its_lease_has_expired(slots: BuildSlots) -> None:
    take(slots, "a"), take(slots, "b")

    with pytest.raises(NoSlot):
        take(slots, "c", later=timedelta(minutes=15, seconds=59))
    take(slots, "c", later=timedelta(minutes=16))
    take(slots, "d", later=timedelta(minutes=16))
    with pytest.raises(NoSlot):
        take(slots, "e", later=timedelta(minutes=16))


def test_without_a_limit_builds_are_counted_all_the_same(aws: Aws) -> None:
    slots = BuildSlots(table=aws.table, default=None)

    for lease in "abcdefghijkl":
        take(slots, lease)

    with pytest.raises(NoSlot) as none:
        take(BuildSlots(table=aws.table, default=3), "m")
    assert (none.value.limit, none.value.used) == (3, 12)


class Occupied:
    """A service where one organisation has as many builds under way as it may have."""

    def __init__(self, service: Service) -> None:
        self.service = service
        limit(service, Quota.BUILDS_AT_ONCE, 1)
        self.delays: list[int] = []
        service.aws.sqs.meta.events.register("provide-client-params.sqs.SendMessage", self._at_once)
        self.slot = self.occupy()

    def occupy(self) -> Slot:
        now = self.service.clock()
        return self.service.services.build_slots.take(
            ACME.org_id, lease="other", now=now, until=now + timedelta(minutes=16)
        )

    def _at_once(self, params: dict[str, Any], **_: object) -> None:
        """Take down how long a message is to wait, and do not wait."""
        self.delays.append(params["DelaySeconds"])
        params["DelaySeconds"] = 0

    def arrived(self, name: str, caller: Caller = ACME) -> tuple[str, str]:
        upload_id = start(self.service, caller).body["upload_id"]
        return upload_id, arrive(self.service, upload_id, PackArchive(name=name).build())

    def sent_again(self) -> list[dict[str, str]]:
        answer = self.service.aws.sqs.receive_message(
            QueueUrl=self.service.aws.build_queue_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        return [
            {"body": message["Body"], "group": message["Attributes"]["MessageGroupId"]}
            for message in answer.get("Messages", [])
        ]


@pytest.fixture
def occupied(service: Service) -> Occupied:
    return Occupied(service)


def test_an_archive_waits_for_its_turn_and_is_built_then(service: Service, occupied: Occupied) -> None:
    upload_id, message = occupied.arrived("one")

    assert deliver(service, message) == []

    waiting = look(service, upload_id).body
    assert (waiting["status"], "error" in waiting) == ("building", False)
    (again,) = occupied.sent_again()
    assert (json.loads(again["body"]), again["group"]) == (
        {"Records": [{"s3": {"object": {"key": f"uploads/{upload_id}.tar.gz"}}}]},
        ACME.org_id,
    )
    assert usage(service) == {"packs": 0, "stored_bytes": 0, "publishes_a_day": 0, "builds_at_once": 1}
    service.services.build_slots.release(occupied.slot)
    assert deliver(service, again["body"]) == []
    assert look(service, upload_id).body["status"] == "done"
    assert usage(service)["builds_at_once"] == 0


def test_others_are_built_meanwhile(service: Service, occupied: Occupied) -> None:
    upload_id, message = occupied.arrived("one", GLOBEX)

    deliver(service, message)

    assert look(service, upload_id, GLOBEX).body["status"] == "done"
    assert occupied.sent_again() == []


def test_an_archive_that_never_gets_its_turn_fails_and_says_why(service: Service, occupied: Occupied) -> None:
    upload_id, message = occupied.arrived("one")
    waits = 0
    while look(service, upload_id).body["status"] != "failed":
        if usage(service)["builds_at_once"] == 0:
            occupied.occupy()
        assert deliver(service, message) == []
        service.clock.advance(timedelta(minutes=5))
        waits += 1
        assert waits < 30

    error = look(service, upload_id).body["error"]
    assert error["code"] == "rate_limited"
    assert error["details"] == {"quota": "builds_at_once", "limit": 1, "used": 1}
    assert "GET /usage" in error["message"]


def test_the_place_is_given_back_however_the_build_ends(service: Service) -> None:
    limit(service, Quota.BUILDS_AT_ONCE, 1)
    endings = {
        "done": PackArchive(name="one").build(),
        "refused": b"no archive",
    }
    for archive in endings.values():
        upload_id = start(service).body["upload_id"]
        deliver(service, arrive(service, upload_id, archive))
        assert usage(service)["builds_at_once"] == 0
    service.registry.moods.append(Refuses(method="POST", status=500))
    upload_id = start(service).body["upload_id"]

    assert deliver(service, arrive(service, upload_id, PackArchive(name="two").build())) == ["0"]

    assert usage(service)["builds_at_once"] == 0


def test_builds_wait_longer_the_more_often_they_have_waited(service: Service, occupied: Occupied) -> None:
    _, message = occupied.arrived("one")
    for _ in range(7):
        deliver(service, message)
        service.clock.advance(timedelta(seconds=1))

    delays = occupied.delays[-7:]
    for delay, longest in zip(delays, (5, 10, 20, 40, 60, 60, 60), strict=True):
        assert longest / 2 <= delay <= longest
