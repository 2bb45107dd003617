"""Results of scans, put together of reports and of the result before."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from packyard.scanning.budget import MAX_FINDINGS
from packyard.scanning.finding import Confidence, Finding, Severity
from packyard.scanning.report import ScannerIdentity, ScanReport, ScanStatus
from packyard.scanning.result import ResultStatus, ScanResult, result_of, with_unchanged

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
SCANNER: Final = ScannerIdentity(name="packyard", version="1.0.0", rules="2")
OLDER: Final = replace(SCANNER, rules="1")


def finding(path: str = "a.md", line: int = 1, severity: Severity = Severity.LOW) -> Finding:
    return Finding(
        rule="x.y",
        severity=severity,
        confidence=Confidence.HIGH,
        path=path,
        line=line,
        excerpt="…",
        why="Why.",
        advice="Advice.",
    )


def report(*findings: Finding, **more: Any) -> ScanReport:
    status = ScanStatus.FINDINGS if findings else ScanStatus.PASSED
    fields: dict[str, Any] = {"status": status, "scanner": SCANNER, "findings": findings}
    return ScanReport(**fields | more)


def test_reports_of_all_parts_are_one_result_the_worst_first_and_nothing_twice() -> None:
    worst = finding("b.md", severity=Severity.CRITICAL)

    result = result_of([report(finding(), finding(line=2)), report(finding(line=2), worst)], at=NOW)

    assert result.status is ResultStatus.FINDINGS
    assert result.findings == (worst, finding(), finding(line=2))
    assert result.summary() == {"status": "findings", "findings": {"critical": 1, "low": 2}}


def test_more_findings_than_are_kept_are_counted() -> None:
    many = [finding(line=number) for number in range(1, MAX_FINDINGS + 4)]

    result = result_of([report(*many, left_off=5)], at=NOW)

    assert (len(result.findings), result.left_off) == (MAX_FINDINGS, 8)


def test_of_many_findings_each_rule_and_each_file_keeps_one() -> None:
    worst = [finding(line=number, severity=Severity.CRITICAL) for number in range(1, MAX_FINDINGS + 1)]
    other_file = finding("z.md", severity=Severity.CRITICAL)
    other_rule = replace(finding("z.md"), rule="x.z")

    result = result_of([report(*worst, other_rule, other_file)], at=NOW)

    assert {other_file, other_rule} <= set(result.findings)
    assert (len(result.findings), result.left_off) == (MAX_FINDINGS, 2)


@pytest.mark.parametrize(
    ("reports", "incomplete", "why"),
    [
        ([], "no answer", "no answer"),
        ([report(finding())], "no answer", "no answer"),
        ([report(status=ScanStatus.INCOMPLETE, incomplete="too large")], None, "too large"),
        ([report(status=ScanStatus.INCOMPLETE)], None, "the scanner reached one of its limits"),
    ],
)
def test_a_result_is_incomplete_if_any_part_of_it_is(
    reports: list[ScanReport], incomplete: str | None, why: str
) -> None:
    result = result_of(reports, at=NOW, incomplete=incomplete)

    assert (result.status, result.incomplete) == (ResultStatus.INCOMPLETE, why)
    assert len(result.findings) == sum(len(each.findings) for each in reports)


def test_files_that_did_not_change_bring_what_was_found_in_them() -> None:
    before = result_of(
        [report(finding("a.md"), finding("b.md"), facts={"a.md": ("f",), "c.md": ("g",)})], at=NOW
    )
    now = result_of([report(finding("b.md", 7))], at=NOW)

    result = with_unchanged(now, before, ["a.md"])

    assert [(each.path, each.line) for each in result.findings] == [("a.md", 1), ("b.md", 7)]
    assert result.facts == {"a.md": ("f",)}
    assert result.rules == "2"


def test_a_result_of_two_rules_counts_as_one_of_the_older() -> None:
    before = result_of([report(finding("a.md"), scanner=OLDER)], at=NOW)

    assert with_unchanged(result_of([report()], at=NOW), before, ["a.md"]).rules == "1"
    assert with_unchanged(result_of([report()], at=NOW), before, []).rules == "2"


def test_deletions_alone_need_no_scan() -> None:
    before = result_of([report(finding("a.md"), finding("b.md"))], at=NOW)

    result = with_unchanged(result_of([], at=NOW), before, ["b.md"])

    assert (result.status, result.rules) == (ResultStatus.FINDINGS, "2")
    assert [each.path for each in result.findings] == ["b.md"]


@pytest.mark.parametrize(
    "before", [None, ScanResult(status=ResultStatus.INCOMPLETE, at=NOW, incomplete="no answer")]
)
def test_without_a_result_before_it_the_files_that_did_not_change_are_not_scanned(
    before: ScanResult | None,
) -> None:
    result = with_unchanged(result_of([report()], at=NOW), before, ["a.md"])

    assert result.status is ResultStatus.INCOMPLETE
