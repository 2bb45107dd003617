"""Looks at the table behind a running service, and puts it into states that no request reaches at once."""

from tests.service import Service

from packyard.packs.pack import PackStatus
from packyard.store.keys import REVISION_PREFIX, pack_key, pack_partition
from packyard.store.table import Item, Query, Update


def row_of(service: Service, pack_id: str) -> Item:
    """Return a pack's row."""
    item = service.aws.table.get(pack_key(pack_id))
    assert item is not None
    return item


def ledger_of(service: Service, pack_id: str) -> list[Item]:
    """Return a pack's ledger, the oldest entry first."""
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
