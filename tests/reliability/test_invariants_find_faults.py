"""The invariants themselves: each finds the fault that it is there for, and nothing in a service that is in order."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from tests.aws import BUCKET, TABLE
from tests.reliability.invariants import assert_sound, observe, violations
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service

from packyard.packs.manifest.version import Version
from packyard.store.api_key_items import to_item
from packyard.store.keys import (
    Key,
    event_key,
    name_key,
    pack_key,
    reference_key,
    revision_key,
    role_revision_key,
    version_key,
)
from packyard.store.table import Put, Query
from packyard.store.wire import to_wire
from packyard.tenants.api_key import ApiKey
from packyard.tenants.caller import OPERATE

REPOSITORY = f"packs/{ACME.org_id}/slack"
OPERATES_BY_A_CALLER = ApiKey(
    key_hash="0" * 64,
    org_id=ACME.org_id,
    label="too much",
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    granted=frozenset({OPERATE}),
    created_by=ACME.principal,
)


class Scene:
    """A service with a pack that two organisations' roles hold; everything about it is settled."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.pack_id: str = service.upload(PackArchive().build(), visibility="community").body["id"]
        for caller in (ACME, GLOBEX):
            assert service.set_role("support", [self.pack_id], caller).status == 200
        service.settle()
        self.shelf = service.registry.shelves.repository(REPOSITORY)

    def put(self, key: Key, **changes: object) -> None:
        """Write attributes of an item as no code of ours does; None removes one."""
        item = self.service.aws.table.get(key)
        assert item is not None
        kept = {name: value for name, value in {**item, **changes}.items() if value is not None}
        self.service.aws.dynamodb.put_item(TableName=TABLE, Item=to_wire(kept))

    def remove(self, key: Key) -> None:
        """Remove an item."""
        self.service.aws.dynamodb.delete_item(TableName=TABLE, Key=to_wire(key))

    def newest_event(self) -> Key:
        """Return the key of the newest event of the pack's owner."""
        events = Query(
            condition="PK = :events",
            values={":events": event_key(ACME.org_id, "")["PK"]},
            limit=1,
            backwards=True,
        )
        (event,) = self.service.aws.table.query(events).items
        return event_key(ACME.org_id, event["id"])


@pytest.fixture
def scene() -> Iterator[Scene]:
    with running_service() as service:
        yield Scene(service)


FAULTS: dict[str, Callable[[Scene], object]] = {
    "images": lambda scene: scene.shelf.blobs.clear(),
    "orphans": lambda scene: scene.remove(pack_key(scene.pack_id)),
    "tags": lambda scene: scene.shelf.tags.clear(),
    "archives": lambda scene: scene.service.aws.s3.put_object(
        Bucket=BUCKET, Key="inline/x.tar.gz", Body=b"x"
    ),
    "history": lambda scene: scene.put(revision_key(scene.pack_id, 1), operation="update"),
    "versions": lambda scene: scene.remove(version_key(ACME.org_id, "slack", Version("1.4.0"))),
    "rows": lambda scene: scene.put(pack_key(scene.pack_id), GSI2PK=None),
    "names": lambda scene: scene.put(name_key(ACME.org_id, "slack"), pack_id=None),
    "references": lambda scene: scene.remove(reference_key(scene.pack_id, GLOBEX.org_id, "support")),
    "roles": lambda scene: scene.remove(role_revision_key(GLOBEX.org_id, "support", 1)),
    "events": lambda scene: scene.remove(scene.newest_event()),
    "keys": lambda scene: scene.service.aws.table.put(
        Put(item=to_item(OPERATES_BY_A_CALLER), condition="attribute_not_exists(PK)")
    ),
    "nothing_stuck": lambda scene: scene.put(
        pack_key(scene.pack_id), status="deleting", deleting_at="2026-03-01T12:00:00.000000Z"
    ),
}


def test_a_service_in_order_violates_nothing(scene: Scene) -> None:
    assert_sound(scene.service, settled=True)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_the_invariant_that_is_about_it(scene: Scene, name: str) -> None:
    FAULTS[name](scene)

    found = violations(observe(scene.service, settled=True))

    assert name in {fault.partition(":")[0] for fault in found}, found


def test_what_is_enqueued_is_no_orphan_until_everything_is_settled(scene: Scene) -> None:
    service = scene.service
    service.upload(PackArchive(name="other").build())
    enqueued = service.aws.queued()

    assert_sound(service, pending=enqueued)
    assert len(violations(observe(service))) == 1, "its archive"
    assert [
        fault for fault in violations(observe(service, pending=enqueued, settled=True)) if "pending" in fault
    ]
