"""Results of scans as items: what is kept, when the next scan is due, and how large an item gets."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from tests.packs import a_pack

from packyard.scanning.finding import Confidence, Finding, Severity
from packyard.scanning.report import ScannerIdentity
from packyard.scanning.result import ResultStatus, ScanResult
from packyard.scanning.rules_version import rules_version
from packyard.store.scan_items import WAITS, StoredScan, from_item, to_item

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
PACK: Final = a_pack()
FOUND: Final = Finding(
    rule="secret.github-token",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    path="guides/ä.md",
    line=None,
    excerpt="ghp_…",
    why="Why.",
    advice="Advice.",
)
RESULT: Final = ScanResult(
    status=ResultStatus.FINDINGS,
    at=NOW,
    scanner=ScannerIdentity(name="packyard", version="1.0.0", rules="7"),
    findings=(FOUND, replace(FOUND, line=3)),
    left_off=2,
    facts={"a.md": ("runs", "b.sh")},
)


def stored(result: ScanResult, attempts: int = 0) -> StoredScan:
    return StoredScan(
        pack_id=PACK.id, org_id=PACK.org_id, digest=PACK.image_digest, result=result, attempts=attempts
    )


@pytest.mark.parametrize(
    "result",
    [
        RESULT,
        ScanResult(status=ResultStatus.PASSED, at=NOW, scanner=RESULT.scanner),
        ScanResult(status=ResultStatus.INCOMPLETE, at=NOW, incomplete="no answer"),
        replace(RESULT, status=ResultStatus.BLOCKED),
    ],
)
def test_an_item_has_all_of_a_result(result: ScanResult) -> None:
    assert from_item(to_item(stored(result, 2))) == stored(result, 2)


def test_a_result_is_due_when_the_rules_are_others() -> None:
    assert to_item(stored(RESULT))["GSI3SK"].startswith("1#7#")


@pytest.mark.parametrize(("attempts", "hours"), [(0, 0), (1, 1), (2, 6), (3, 24)])
def test_an_incomplete_result_waits_for_an_instant(attempts: int, hours: int) -> None:
    item = to_item(stored(replace(RESULT, status=ResultStatus.INCOMPLETE, incomplete="x"), attempts))
    due = (NOW + timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    assert item["GSI3SK"].startswith(f"0#{due}#")


def test_after_the_last_attempt_it_waits_for_other_rules() -> None:
    incomplete = ScanResult(status=ResultStatus.INCOMPLETE, at=NOW, incomplete="x")

    assert to_item(stored(incomplete, len(WAITS)))["GSI3SK"].startswith(f"1#{rules_version()}#")


def test_an_item_has_room_for_the_worst_findings_only() -> None:
    long = replace(FOUND, path="a/" * 500, why="W" * 600, advice="A" * 600)
    many = replace(RESULT, findings=tuple(replace(long, line=number) for number in range(1, 101)))

    item = to_item(stored(many))
    kept = from_item(item).result

    assert len(json.dumps(item)) < 100_000
    assert kept.findings == many.findings[: len(kept.findings)]
    assert len(kept.findings) + kept.left_off == 102
