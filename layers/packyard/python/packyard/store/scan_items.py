"""The results of scans as items of the table.

GSI3 says when an image is to be scanned again: by the version of the rules, or, if the result is incomplete, by the
instant of the next attempt.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from packyard.oci.digest import Digest
from packyard.packs.pack import Pack
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.scanning.collected import worst_of
from packyard.scanning.finding import parse_finding
from packyard.scanning.messages import parse_scanner
from packyard.scanning.result import ResultStatus, ScanResult
from packyard.scanning.rules_version import rules_version
from packyard.store.actions import Put
from packyard.store.keys import scan_index_key, scan_key
from packyard.store.wire import Item

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of the findings of an item, as JSON in UTF-8.
_MAX_BYTES: Final = 64 << 10
# The waits before further attempts at a scan that is incomplete. After the last one, only new rules bring another.
WAITS: Final = (timedelta(0), timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
# In the order of an index key: what waits for an instant, before what waits for other rules.
WAITING: Final = "0"
COMPLETE: Final = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScan:
    """The result of scanning an image, as it is stored.

    Attributes:
        pack_id: The pack.
        org_id: The organisation that owns it.
        digest: The image's.
        result: The result.
        attempts: How many scans since the publish were incomplete.
        version: What names this state of the item.
    """

    pack_id: str
    org_id: str
    digest: Digest
    result: ScanResult
    attempts: int = 0
    version: int = 1


def scan_put(pack: Pack, result: ScanResult) -> Put:
    """Return the action that writes the result of a pack's image, for the transaction that writes the pack.

    An earlier result of the same image is replaced: the later scan counts.

    Args:
        pack: The pack as it is written.
        result: The result.
    """
    stored = StoredScan(pack_id=pack.id, org_id=pack.org_id, digest=pack.image_digest, result=result)
    return Put(item=to_item(stored), condition="attribute_not_exists(PK) OR attribute_exists(PK)")


def to_item(stored: StoredScan) -> Item:
    """Return the item of a result."""
    result = stored.result
    kept, content = _bounded(result)
    item: dict[str, Any] = {
        **scan_key(stored.pack_id, stored.digest),
        **_index_key(stored),
        "pack_id": stored.pack_id,
        "org_id": stored.org_id,
        "digest": stored.digest,
        "scan_status": str(kept.status),
        "scanned_at": format_timestamp(kept.at),
        "scanner": None if kept.scanner is None else kept.scanner.view(),
        "content": content,
        "left_off": kept.left_off,
        "incomplete": kept.incomplete,
        "attempts": stored.attempts,
        "version": stored.version,
    }
    return {name: value for name, value in item.items() if value is not None}


def from_item(item: Item) -> StoredScan:
    """Return the result of an item."""
    content = json.loads(item["content"])
    scanner: Mapping[str, str] | None = item.get("scanner")
    return StoredScan(
        pack_id=item["pack_id"],
        org_id=item["org_id"],
        digest=Digest(item["digest"]),
        result=ScanResult(
            status=ResultStatus(item["scan_status"]),
            at=parse_timestamp(item["scanned_at"]),
            scanner=None if scanner is None else parse_scanner(scanner),
            findings=tuple(parse_finding(finding) for finding in content["findings"]),
            left_off=int(item["left_off"]),
            incomplete=item.get("incomplete"),
            facts={path: tuple(facts) for path, facts in content["facts"].items()},
        ),
        attempts=int(item["attempts"]),
        version=int(item["version"]),
    )


def _bounded(result: ScanResult) -> tuple[ScanResult, str]:
    """Return a result with as many findings as an item has room for, and those findings as JSON text."""
    while True:
        document = {
            "findings": [finding.view() for finding in result.findings],
            "facts": {path: list(facts) for path, facts in result.facts.items()},
        }
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        if len(text.encode()) <= _MAX_BYTES:
            return result, text
        # Facts only save time of later scans.
        if result.facts:
            result = replace(result, facts={})
            continue
        half = tuple(worst_of(result.findings, len(result.findings) // 2))
        left_off = result.left_off + len(result.findings) - len(half)
        result = replace(result, findings=half, left_off=left_off)


def _index_key(stored: StoredScan) -> dict[str, str]:
    result = stored.result
    if result.status is not ResultStatus.INCOMPLETE:
        return scan_index_key(stored.pack_id, stored.digest, f"{COMPLETE}#{result.rules}")
    if stored.attempts >= len(WAITS):
        # Given up, until there are other rules.
        return scan_index_key(stored.pack_id, stored.digest, f"{COMPLETE}#{rules_version()}")
    due_at: datetime = result.at + WAITS[stored.attempts]
    return scan_index_key(stored.pack_id, stored.digest, f"{WAITING}#{format_timestamp(due_at)}")
