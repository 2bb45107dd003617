"""What is stored for a pack is counted no more once it is deleted (API contract, section 9; decision 131)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest
from tests.engine.taps import Crash, Failure, Killed, PointName
from tests.fake_registry.moods import Refuses
from tests.gateway import Answer
from tests.integration.operations.test_retention import keep, sweep
from tests.revisions import cleaned_up, delete_revision, made, overtaken, reupload, roll_back, statuses
from tests.service import ACME, Service
from tests.tables import row_of
from tests.usage import limit, usage

from packyard.packs.usage import Quota
from packyard.store.keys import REVISION_PREFIX, pack_partition
from packyard.store.pack_counts import PackCounts
from packyard.store.table import Query

SECRET: Final = b"password\n"
# When the message of a deletion is due, and a process that died holds the repository no more.
LATER: Final = timedelta(minutes=6)


@pytest.fixture
def pack(service: Service) -> str:
    """Return a pack with three revisions, of which no two have the same layer."""
    identity = made(service, secret=SECRET)
    for version in ("2.0.0", "3.0.0"):
        assert reupload(service, identity, version, secret=SECRET).status == 200
    return identity


def stored(service: Service, pack: str) -> int:
    """Return the bytes of the layers and configs of a pack's images that are not deleted, by its history."""
    query = Query(
        condition="PK = :pack AND begins_with(SK, :revision)",
        values={":pack": pack_partition(pack), ":revision": REVISION_PREFIX},
    )
    there = {number for number, status in statuses(service, pack).items() if status != "deleted"}
    blobs: dict[str, int] = {}
    for entry in service.aws.table.query(query).items:
        if int(entry["revision"]) in there:
            layers = {layer["digest"]: int(layer["size"]) for layer in entry["layers"]}
            blobs |= layers | {entry["image_digest"]: int(entry["size_bytes"]) - sum(layers.values())}
    return sum(blobs.values())


def assert_counted(service: Service, pack: str) -> None:
    """Assert that the row and the organisation count exactly what is stored for its only pack."""
    row = row_of(service, pack)
    assert row is not None
    assert int(row["stored_bytes"]) == usage(service)["stored_bytes"] == stored(service, pack)


def test_a_deleted_revision_is_counted_no_more(service: Service, pack: str) -> None:
    before = usage(service)

    for _ in range(2):
        assert delete_revision(service, pack, 1).status == 200

    assert_counted(service, pack)
    assert usage(service)["stored_bytes"] < before["stored_bytes"]
    assert usage(service) == before | {"stored_bytes": usage(service)["stored_bytes"]}


def test_layers_that_another_revision_has_are_still_counted(service: Service) -> None:
    # Content over 8 MiB is in layers of its own, and the same in both.
    noise = bytes(range(256)) * (40 << 12)
    pack = made(service, noise=noise)
    assert reupload(service, pack, "2.0.0", noise=noise).status == 200

    assert delete_revision(service, pack, 1).status == 200

    assert_counted(service, pack)
    assert usage(service)["stored_bytes"] == service.get(pack).body["size_bytes"]


def test_what_retention_removes_is_counted_no_more(service: Service, pack: str) -> None:
    assert keep(service, pack, 1).status == 200
    sweep(service, pack)

    assert_counted(service, pack)
    assert usage(service)["stored_bytes"] == service.get(pack).body["size_bytes"]


def test_a_deletion_that_the_cleanup_message_finishes_is_counted(service: Service, pack: str) -> None:
    before = usage(service)
    service.registry.moods.append(Refuses(method="DELETE", status=503))
    assert delete_revision(service, pack, 1).status == 502
    assert usage(service) == before
    service.registry.moods.clear()
    service.clock.advance(LATER)

    assert cleaned_up(service)

    assert statuses(service, pack)[1] == "deleted"
    assert_counted(service, pack)


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_the_last_write_counts_once(service: Service, pack: str, after: bool) -> None:
    crash = Crash(at=PointName("dynamodb.TransactWriteItems", 2), after=after)
    with service.wire.tapped(crash), pytest.raises(Killed):
        delete_revision(service, pack, 1)
    service.new_process()
    service.clock.advance(LATER)

    assert cleaned_up(service)
    assert delete_revision(service, pack, 1).status == 200

    assert_counted(service, pack)


def test_room_that_a_deletion_makes_can_be_used(service: Service, pack: str) -> None:
    limit(service, Quota.STORED_BYTES, usage(service)["stored_bytes"])
    refused = reupload(service, pack, "4.0.0", secret=SECRET)
    assert (refused.status, refused.error["code"]) == (409, "quota_exceeded")
    assert delete_revision(service, pack, 1).status == 200
    assert delete_revision(service, pack, 2).status == 200

    assert reupload(service, pack, "4.0.0", secret=SECRET).status == 200

    assert_counted(service, pack)


def publish(service: Service, pack: str) -> Answer:
    return reupload(service, pack, "4.0.0", secret=SECRET)


def go_back(service: Service, pack: str) -> Answer:
    return roll_back(service, pack, 2)


def delete_another(service: Service, pack: str) -> Answer:
    return delete_revision(service, pack, 2)


def delete_too(service: Service, pack: str) -> Answer:
    return delete_revision(service, pack, 1)


@pytest.mark.parametrize("act", [publish, go_back, delete_another, delete_too])
@pytest.mark.parametrize("number", [1, 2])
def test_of_two_at_once_both_are_counted(
    service: Service, pack: str, act: Callable[[Service, str], Answer], number: int
) -> None:
    """Before the mark of the image, and before the transaction that says that it is gone."""
    with overtaken(service, lambda: act(service, pack), number=number) as answers:
        answer = delete_revision(service, pack, 1)

    assert [answer.status, *(answer.status for answer in answers)] == [200, 200]
    assert_counted(service, pack)


def test_a_publish_that_has_read_the_pack_before_a_correction_counts_what_it_adds(
    service: Service, pack: str
) -> None:
    def recounted() -> Answer:
        count = PackCounts(table=service.aws.table).recount(pack)
        assert count is not None
        assert count.before != count.stored_bytes
        return Answer(200, {}, None)

    # Counts its content a second time, so that there is something to correct.
    assert reupload(service, pack, "1.0.0", secret=SECRET).status == 200
    with overtaken(service, recounted):
        assert publish(service, pack).status == 200

    assert_counted(service, pack)


def test_a_deletion_beside_a_publish_that_it_ends_is_counted(service: Service, pack: str) -> None:
    with overtaken(service, lambda: delete_revision(service, pack, 2)) as answers:
        published = publish(service, pack)

    assert [published.status, *(answer.status for answer in answers)] == [503, 200]
    assert_counted(service, pack)
    assert publish(service, pack).status == 200
    assert_counted(service, pack)


def test_a_pack_of_before_the_counting_is_not_counted_by_a_deletion(service: Service, pack: str) -> None:
    key = {"PK": {"S": f"PACK#{pack}"}, "SK": {"S": "PACK"}}
    table = service.services.settings.table
    service.aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE stored_bytes")
    counts = {"PK": {"S": f"USAGE#{ACME.org_id}"}, "SK": {"S": "USAGE"}}
    service.aws.dynamodb.delete_item(TableName=table, Key=counts)

    assert delete_revision(service, pack, 1).status == 200

    assert (usage(service)["packs"], usage(service)["stored_bytes"]) == (0, 0)
    assert PackCounts(table=service.aws.table).recount(pack) is not None
    assert_counted(service, pack)


def test_a_table_that_fails_at_the_end_leaves_the_deletion_to_the_cleanup(
    service: Service, pack: str
) -> None:
    with service.wire.tapped(Failure(at=PointName("dynamodb.TransactWriteItems", 2))):
        assert delete_revision(service, pack, 1).status == 502
    service.clock.advance(LATER)

    assert cleaned_up(service)

    assert_counted(service, pack)
