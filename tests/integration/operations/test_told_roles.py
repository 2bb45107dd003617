"""Which roles are told that a pin of theirs is stale, or that its image is withdrawn (API contract, section 9)."""

import json
from typing import Any, Final

import pytest
from tests.engine.taps import Failure, PointName
from tests.integration.operations.test_role_pins import READS, WRITES, made, updated
from tests.service import ACME, GLOBEX, Service, stream_record
from tests.tables import assert_references_are_sound
from tests.webhooks import Hooks

from packyard.store.keys import pack_partition, reference_key
from packyard.store.table import Put

DIGEST_OF: Final = "image_digest"
# What items have of withdrawals and deletions beside that.
_DECIDED: Final[dict[str, Any]] = {
    "revision": 1,
    "by": "user:ada",
    "force": False,
    "token": "",
    "decided": True,
    "request_id": "",
    "also_in": [],
    "not_compared": 0,
    "clones": 0,
    "documents": [],
    "caches": [],
}


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


def withdraw(service: Service, pack_id: str, revision: int, *, at: str, status: str = "withdrawn") -> None:
    """Let the table say that the image of a revision is withdrawn, and its stream tell of it."""
    read = service.services.pack_revisions.read([pack_id]).now[pack_id]
    assert read.revision == revision
    decision = {"withdrawn": "withdrawal", "deleted": "removal"}.get(status, "withdrawal")
    item: dict[str, Any] = {
        "PK": pack_partition(pack_id),
        "SK": f"IMAGE#{read.image_digest}",
        "image_status": status,
        "pack_id": pack_id,
        "digest": read.image_digest,
        decision: {**_DECIDED, "at": at, "reason": "a secret of the owner"},
    }
    service.aws.table.put(Put(item=item, condition="attribute_not_exists(PK) OR attribute_exists(PK)"))
    told = stream_record(pack_id, item["SK"], {}, item)
    assert service.invoke("follow_packs", {"Records": [told]}) == {"batchItemFailures": []}


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
        assert_references_are_sound(service.aws)

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

    def test_a_hundred_roles_are_told_in_three_transactions_and_a_failure_in_between_tells_none_twice(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        for number in range(98):
            key = reference_key(pack, ACME.org_id, f"role-{number:03}")
            item = {**key, "org_id": ACME.org_id, "role_id": f"role-{number:03}", "revision": 1}
            service.aws.table.put(Put(item=item, condition="attribute_not_exists(PK)"))
        updated(service, pack, "shared", "2.0.0")
        record = [stream_record(pack, "PACK", {DIGEST_OF: "old"}, {DIGEST_OF: "new"})]
        with service.wire.tapped(Failure(at=PointName("dynamodb.TransactWriteItems", 2))):
            failed = service.invoke("follow_packs", {"Records": record})["batchItemFailures"]
        assert len(failed) == 1
        assert len(hooks.told("role.stale")) == 48
        service.invoke("follow_packs", {"Records": record})

        assert len(hooks.told("role.stale")) == 100
        assert len({(item["org_id"], item["role_id"]) for item in hooks.told("role.stale")}) == 100


class TestWithdrawn:
    def test_the_owners_are_told_without_the_words_of_the_packs_owner(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        for _ in range(2):
            withdraw(service, pack, 1, at="2026-03-01T12:00:00.000Z")

        data = {"pack": "shared", "pinned": {"revision": 1, "version": "1.0.0"}, "status": "withdrawn"}
        assert told(hooks, "role.withdrawn_pin") == [
            (ACME.org_id, "support", data),
            (GLOBEX.org_id, "support", data),
        ]

    def test_a_second_withdrawal_and_a_deletion_are_told_too(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        withdraw(service, pack, 1, at="2026-03-01T12:00:00.000Z")
        withdraw(service, pack, 1, at="2026-03-01T13:00:00.000Z", status="active")
        withdraw(service, pack, 1, at="2026-03-01T14:00:00.000Z")
        withdraw(service, pack, 1, at="2026-03-03T12:00:00.000Z", status="deleted")

        statuses = [
            data["status"] for org, _, data in told(hooks, "role.withdrawn_pin") if org == ACME.org_id
        ]
        assert statuses == ["withdrawn", "withdrawn", "deleted"]

    def test_a_role_that_pins_another_image_is_not_told(
        self, service: Service, hooks: Hooks, pack: str
    ) -> None:
        updated(service, pack, "shared", "2.0.0")
        withdraw(service, pack, 2, at="2026-03-01T12:00:00.000Z")

        assert told(hooks, "role.withdrawn_pin") == []
