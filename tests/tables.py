"""Looks at the table behind a running service, and puts it into states that no request reaches at once."""

from tests import table_rows
from tests.service import Service

from packyard.packs.pack import PackStatus, Visibility
from packyard.store.keys import REVISION_PREFIX, pack_key, pack_partition
from packyard.store.table import Item, Query, Update


def row_of(service: Service, pack_id: str) -> Item:
    """Return a pack's row."""
    item = service.aws.table.get(pack_key(pack_id))
    assert item is not None
    return item


def history_of(service: Service, pack_id: str) -> list[Item]:
    """Return a pack's history, the oldest entry first."""
    entries = Query(
        condition="PK = :pack AND begins_with(SK, :revision)",
        values={":pack": pack_partition(pack_id), ":revision": REVISION_PREFIX},
    )
    return service.aws.table.query(entries).items


def being_deleted(service: Service, pack_id: str) -> None:
    """Leave a pack as a deletion does whose purge has not succeeded yet."""
    service.aws.table.update(
        Update(
            key=pack_key(pack_id),
            change="SET #status = :deleting",
            condition="attribute_exists(PK)",
            values={":deleting": PackStatus.DELETING.value},
            names={"#status": "status"},
        )
    )


def assert_references_are_sound() -> None:
    """Check that roles, references and counters agree, and that nobody holds a pack which is gone or hidden."""
    items = table_rows.all_items()
    packs = {item["PK"]: item for item in items if item["SK"] == "PACK"}
    held = {
        (f"PACK#{pack_id}", role["org_id"], role["role_id"])
        for role in items
        if role["SK"].startswith("ROLE#")
        for pack_id in role["pack_ids"]
    }
    references = [item for item in items if item["SK"].startswith("REF#")]
    assert {(item["PK"], item["org_id"], item["role_id"]) for item in references} == held
    for key, pack in packs.items():
        holders = [org_id for pack_key, org_id, _ in held if pack_key == key]
        own = holders.count(pack["org_id"])
        assert (pack.get("own_refs", 0), pack.get("foreign_refs", 0)) == (own, len(holders) - own)
        assert not holders or pack["status"] == PackStatus.ACTIVE
        assert own == len(holders) or pack["visibility"] == Visibility.COMMUNITY
