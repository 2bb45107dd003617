"""Makes what is derived from packs and their histories, for packs that are older than it.

The table's stream keeps the index of words, and each publication records its version and is scanned. All of it began
with a release, and a table may be older. Here the whole table is read once. Doing it twice does no harm, also while
the service is at work: the index of words is only a hint, and neither a version that was published later nor the
result of a scan is replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from packyard.oci.digest import Digest
from packyard.oci.reference import parse_reference
from packyard.packs.pack import Pack, PackStatus
from packyard.scanning.result import ResultStatus, ScanResult
from packyard.store.actions import Put
from packyard.store.keys import REVISION_PREFIX, pack_key
from packyard.store.pack_items import pack_as_of
from packyard.store.published_versions import publication
from packyard.store.scan_items import StoredScan, to_item
from packyard.store.search_index import index_row
from packyard.store.table import ConditionFailed, Item, Table
from packyard.store.wire import from_wire
from packyard.tenants.version_policy import VersionPolicy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What writes a new image, or the same one anew. Going back to one publishes nothing, but `replace` is also how a
# registered pack gets its next version.
_PUBLISHES: Final = frozenset({"create", "upload", "clone", "reupload", "put_file", "changes", "replace"})

_NEVER: Final = "it was published before there was a scanner"


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild has done.

    Attributes:
        packs: How many packs can be found by their words.
        versions: How many publications were looked at.
        skipped: How many publications are of packs whose name is not known any more: deleted, with images elsewhere.
        scans: How many images the scheduled walk is to scan, because they have never been.
    """

    packs: int = 0
    versions: int = 0
    skipped: int = 0
    scans: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilder:
    """Makes the index of words and the records of published versions, and has images scanned that never were.

    Attributes:
        table: The table.
        table_name: Its name.
        dynamodb: Reads all of it.
        prefix: The prefix of the repositories of built packs.
        clock: The present instant, UTC.
    """

    table: Table
    table_name: str
    dynamodb: "DynamoDBClient"
    prefix: str
    clock: Callable[[], datetime]

    def rebuild(self) -> Rebuilt:
        """Make them.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        done = Rebuilt()
        for item in self._items():
            if item["SK"] == "PACK":
                index_row(self.table, {}, item)
                done.packs += "GSI1PK" in item
                continue
            done.scans += self._await_scan(item)
            if item["operation"] in _PUBLISHES:
                done.versions += 1
                done.skipped += not self._record(item)
        return done

    def _items(self) -> Iterator[Item]:
        """Yield the rows of packs and the entries of their histories."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table_name,
            FilterExpression="begins_with(PK, :pack) AND (SK = :row OR begins_with(SK, :revision))",
            ExpressionAttributeValues={
                ":pack": {"S": "PACK#"},
                ":row": {"S": "PACK"},
                ":revision": {"S": REVISION_PREFIX},
            },
        )
        for page in pages:
            for item in page["Items"]:
                yield from_wire(item)

    def _record(self, entry: Item) -> bool:
        """Record the version of an entry, unless it was published again later. Return False if it cannot be known."""
        pack = self._pack(entry)
        if pack is None:
            return False
        record = publication(pack, VersionPolicy.FREE)
        with suppress(ConditionFailed):
            self.table.update(replace(record, condition="attribute_not_exists(PK) OR published_at < :at"))
        return True

    def _await_scan(self, entry: Item) -> bool:
        """Let the next walk scan the image of an entry. Return False if it has a result, or its pack is gone."""
        pack_id, digest = entry["PK"].removeprefix("PACK#"), entry.get("image_digest")
        row = self.table.get(pack_key(pack_id))
        if digest is None or row is None or row["status"] != PackStatus.ACTIVE:
            return False
        never = ScanResult(status=ResultStatus.INCOMPLETE, at=self.clock(), incomplete=_NEVER)
        stored = StoredScan(pack_id=pack_id, org_id=row["org_id"], digest=Digest(digest), result=never)
        try:
            # If the image is gone by now, the walk removes the result.
            self.table.put(Put(item=to_item(stored), condition="attribute_not_exists(PK)"))
        except ConditionFailed:
            return False
        return True

    def _pack(self, entry: Item) -> Pack | None:
        """Return the pack as of an entry of its history; None if its row is gone and its image does not name it."""
        if "image_ref" not in entry:
            return None
        pack_id = entry["PK"].removeprefix("PACK#")
        row = self.table.get(pack_key(pack_id))
        place = self._place(entry["image_ref"]) if row is None else (row["org_id"], row["name"])
        if place is None:
            return None
        org_id, name = place
        known = {"id": pack_id, "org_id": org_id, "name": name, "created_at": entry["at"]}
        # At another revision than the entry's, so that what the entry says counts.
        return pack_as_of({**known, "revision": 0, "status": PackStatus.DELETED.value}, entry)

    def _place(self, image_ref: str) -> tuple[str, str] | None:
        repository = parse_reference(image_ref).repository
        org_id, _, name = repository.removeprefix(f"{self.prefix}/").partition("/")
        ours = repository.startswith(f"{self.prefix}/org_") and name and "/" not in name
        return (org_id, name) if ours else None
