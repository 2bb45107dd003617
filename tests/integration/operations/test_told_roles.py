"""Which roles are told that a pin of theirs is stale, or that its image is withdrawn (API contract, section 9)."""

import json
from datetime import timedelta
from typing import Any, Final

import pytest
from tests import revisions
from tests.engine.taps import Crash, Failure, Killed, Log, PointName
from tests.gateway import Answer
from tests.integration.operations.test_role_pins import READS, WRITES, made, updated
from tests.service import ACME, GLOBEX, Service, stream_record
from tests.tables import assert_references_are_sound
from tests.webhooks import Hooks, running_receiver

from packyard.packs.image_state import FORCE_AFTER
from packyard.store.keys import reference_key, role_key
from packyard.store.table import Put

DIGEST_OF: Final = "image_digest"


@pytest.fixture
def hooks(service: Service) -> Hooks:
    return Hooks(service)


@pytest.fixture
def pack(service: Service) -> str:
    """A community pack that roles of two organisations pin."""
    pack_id: str = made(service, "shared", visibility="community")
    service.set_role("support", [pack_id])
    service.set_role("support", [pack_id], GLOBEX)
    return pack_id


def tell(service: Service, pack_id: str, digest: str) -> None:
    """Let the table's stream tell that the state of an image has changed."""
    record = stream_record(pack_id, f"IMAGE#{digest}", {}, {})
    assert service.invoke("follow_packs", {"Records": [record]}) == {"batchItemFailures": []}


def pinned_by_many(service: Service, pack_id: str, many: int) -> None:
    """Let many more roles pin a pack as the role `support` does."""
    table = service.aws.table
    role, reference = (
        table.get(key)
        for key in (role_key(ACME.org_id, "support"), reference_key(pack_id, ACME.org_id, "support"))
    )
    assert role is not None
    assert reference is not None
    for number in range(many):
        role_id = f"role-{number:03}"
        keys = {"role_id": role_id, "org_id": ACME.org_id}
        for item in (
            role | role_key(ACME.org_id, role_id) | keys,
            reference | reference_key(pack_id, ACME.org_id, role_id) | keys,
        ):
            table.put(Put(item=item, condition="attribute_not_exists(PK)"))


def told(hooks: Hooks, event_type: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what was told, in its order: the organisation, the role and the data."""
    return [(item["org_id"], item["role_id"], json.loads(item["data"])) for item in hooks.told(event_type)]


class TestStale:
    def test_the_owners_of_all_roles_are_told_of_a_new_image_once(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        updated(service, pack, "shared", "2.0.0")
        for _ in range(2):
            assert service.follow(pack) == []

        data = {
            "pack": "shared",
            "pinned": {"revision": 1, "version": "1.0.0"},
            "current": {"revision": 2, "version": "2.0.0"},
        }
        assert told(hooks, "role.stale") == [(ACME.org_id, "support", data), (GLOBEX.org_id, "support", data)]
        (event, _) = hooks.told("role.stale")
        assert (event["actor"], event["pack_id"]) == ("service", pack)
        assert_references_are_sound()

    def test_each_further_image_is_told(self, service: Service, hooks: Hooks, pack: str) -> None:
        for version in ("2.0.0", "3.0.0"):
            updated(service, pack, "shared", version)
            service.follow(pack)

        told_acme = [data for org, _, data in told(hooks, "role.stale") if org == ACME.org_id]
        assert [data["current"]["version"] for data in told_acme] == ["2.0.0", "3.0.0"]

    def test_a_pin_at_the_present_image_is_not_stale(self, service: Service, hooks: Hooks, pack: str) -> None:
        updated(service, pack, "shared", "2.0.0")
        service.refresh_role("support")
        service.follow(pack)

        assert [org for org, _, _ in told(hooks, "role.stale")] == [GLOBEX.org_id]

    def test_a_pin_that_follows_is_told_only_when_it_waits_for_consent(
        self, service: Service, hooks: Hooks
    ) -> None:
        pack = made(service, "api", capabilities=READS)
        service.pin("support", [{"id": pack, "follow": True}])
        updated(service, pack, "api", "1.1.0", capabilities=READS)
        service.follow(pack)
        assert told(hooks, "role.stale") == []
        updated(service, pack, "api", "2.0.0", capabilities=WRITES)
        service.follow(pack)

        assert [data["current"]["version"] for _, _, data in told(hooks, "role.stale")] == ["2.0.0"]

    def test_a_hundred_roles_are_told_in_two_transactions_and_a_failure_in_between_tells_none_twice(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        pinned_by_many(service, pack, 98)
        updated(service, pack, "shared", "2.0.0")
        record = [stream_record(pack, "PACK", {DIGEST_OF: "old"}, {DIGEST_OF: "new"})]
        with service.wire.tapped(Failure(at=PointName("dynamodb.TransactWriteItems", 2))):
            failed = service.invoke("follow_packs", {"Records": record})["batchItemFailures"]
        assert len(failed) == 1
        assert len(hooks.told("role.stale")) == 50
        service.invoke("follow_packs", {"Records": record})

        assert len(hooks.told("role.stale")) == 100
        assert len({(item["org_id"], item["role_id"]) for item in hooks.told("role.stale")}) == 100


class TestWithdrawn:
    def test_the_owners_are_told_once_without_the_words_of_the_packs_owner(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        digest = service.get(pack).body["image_digest"]
        assert revisions.withdraw(service, pack, 1).status == 200
        for _ in range(2):
            tell(service, pack, digest)

        data = {"pack": "shared", "pinned": {"revision": 1, "version": "1.0.0"}, "status": "withdrawn"}
        assert told(hooks, "role.withdrawn_pin") == [
            (ACME.org_id, "support", data),
            (GLOBEX.org_id, "support", data),
        ]

    def test_a_second_withdrawal_and_a_deletion_are_told_too(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        digest = service.get(pack).body["image_digest"]
        for change in (revisions.withdraw, revisions.restore, revisions.withdraw):
            assert change(service, pack, 1).status == 200
            tell(service, pack, digest)
            service.clock.advance(timedelta(hours=1))
        updated(service, pack, "shared", "2.0.0")
        service.clock.advance(FORCE_AFTER)
        assert revisions.delete_revision(service, pack, 1, force=True).status == 200
        tell(service, pack, digest)

        statuses = [
            data["status"] for org, _, data in told(hooks, "role.withdrawn_pin") if org == ACME.org_id
        ]
        assert statuses == ["withdrawn", "withdrawn", "deleted"]

    def test_a_role_that_pins_another_image_is_not_told(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        updated(service, pack, "shared", "2.0.0")
        assert revisions.withdraw(service, pack, 2).status == 200
        tell(service, pack, service.get(pack).body["image_digest"])

        assert told(hooks, "role.withdrawn_pin") == []

    def test_a_mark_and_its_event_are_one_transaction_for_33_roles(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        pinned_by_many(service, pack, 98)
        digest = service.get(pack).body["image_digest"]
        assert revisions.withdraw(service, pack, 1).status == 200
        log = Log()
        with service.wire.tapped(log):
            tell(service, pack, digest)

        assert [call for call in log.calls if "Get" not in call] == [
            "dynamodb.Query",
            *["dynamodb.TransactWriteItems"] * 4,
        ]
        assert len(hooks.told("role.withdrawn_pin")) == 100
        for role in ("support", "role-000", "role-097"):
            assert service.lock(role).body["packs"][0]["status"] == "withdrawn"

        assert revisions.restore(service, pack, 1).status == 200
        log = Log()
        with service.wire.tapped(log):
            tell(service, pack, digest)
        assert log.calls.count("dynamodb.TransactWriteItems") == 3
        assert "dynamodb.UpdateItem" not in log.calls
        assert service.lock("role-097").body["packs"][0]["status"] == "active"

    def test_ten_deliveries_to_roles_cost_little_more_than_three_calls(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        pinned_by_many(service, pack, 59)
        digest = service.get(pack).body["image_digest"]
        log = Log()
        with running_receiver() as receiver:
            hooks.add(receiver.url, types=["role.withdrawn_pin"])
            hooks.carry()
            with service.wire.tapped(log):
                assert revisions.withdraw(service, pack, 1).status == 200
                tell(service, pack, digest)
                hooks.carry()

        assert len(receiver.got) == 60
        of_aws_itself = ("sqs.ReceiveMessage", "sqs.DeleteMessage", "dynamodb.Scan", "registry")
        calls = [call for call in log.calls if call not in of_aws_itself]
        assert calls.count("dynamodb.UpdateItem") == 0
        assert len(calls) <= 60 * 0.35 + 6

    @pytest.mark.parametrize("after", [False, True])
    def test_a_crash_between_two_transactions_leaves_no_role_marked_and_not_told(
        self, service: Service, hooks: Hooks, pack: str, after: bool
    ) -> None:
        pinned_by_many(service, pack, 48)
        digest = service.get(pack).body["image_digest"]
        assert revisions.withdraw(service, pack, 1).status == 200
        crash = Crash(at=PointName("dynamodb.TransactWriteItems", 2), after=after)
        with service.wire.tapped(crash), pytest.raises(Killed):
            tell(service, pack, digest)
        service.new_process()
        roles = [f"role-{number:03}" for number in range(48)]
        marked = {role for role in roles if service.lock(role).body["packs"][0]["status"] == "withdrawn"}
        assert {item["role_id"] for item in hooks.told("role.withdrawn_pin")} - {"support"} == marked
        tell(service, pack, digest)

        assert len(hooks.told("role.withdrawn_pin")) == 50
        assert len({(item["org_id"], item["role_id"]) for item in hooks.told("role.withdrawn_pin")}) == 50

    def test_a_restoration_within_minutes_of_another_takes_the_marks_away_too(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        digest = service.get(pack).body["image_digest"]
        for _ in range(2):
            for change in (revisions.withdraw, revisions.restore):
                service.clock.advance(timedelta(seconds=1))
                assert change(service, pack, 1).status == 200
                tell(service, pack, digest)

            assert service.lock("support").body["packs"][0]["status"] == "active"
        assert len(hooks.told("role.withdrawn_pin")) == 4

    def test_a_walk_that_is_late_does_not_mark_what_was_restored_meanwhile(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        digest = service.get(pack).body["image_digest"]
        assert revisions.withdraw(service, pack, 1).status == 200

        def restore() -> Answer:
            answer = revisions.restore(service, pack, 1)
            tell(service, pack, digest)
            return answer

        with revisions.overtaken(service, restore) as answers:
            tell(service, pack, digest)

        assert [answer.status for answer in answers] == [200]

        assert service.lock("support").body["packs"][0]["status"] == "active"
        assert told(hooks, "role.withdrawn_pin") == []

    def test_a_role_that_moves_its_pin_meanwhile_is_not_told_and_the_others_are(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        digest = service.get(pack).body["image_digest"]
        updated(service, pack, "shared", "2.0.0")
        assert revisions.withdraw(service, pack, 1).status == 200

        with revisions.overtaken(service, lambda: service.refresh_role("support", GLOBEX)) as answers:
            tell(service, pack, digest)

        assert [answer.status for answer in answers] == [200]
        assert [org for org, _, _ in told(hooks, "role.withdrawn_pin")] == [ACME.org_id]
        assert service.lock("support", GLOBEX).body["packs"][0]["status"] == "active"
        assert_references_are_sound()
