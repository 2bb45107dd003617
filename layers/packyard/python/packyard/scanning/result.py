"""The result of scanning an image, as it is kept (API contract, section 11, "Scans").

A result is put together from reports: of the parts of a pack that were scanned one after the other, and, where only
some files changed, of the result of the image before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from packyard.scanning.budget import MAX_FINDINGS
from packyard.scanning.collected import worst_of
from packyard.scanning.finding import Finding
from packyard.scanning.report import ScannerIdentity, ScanReport, ScanStatus

# What files do that matters for other files is kept of this many files.
MAX_FACTS: Final = 500
_NEVER_SCANNED: Final = "the image before has no result, so the files that did not change were not scanned"


class ResultStatus(StrEnum):
    """What is known of an image."""

    PASSED = "passed"
    FINDINGS = "findings"
    # A later scan found what the policy of the organisation refuses, and the image was withdrawn.
    BLOCKED = "blocked"
    # Some of it was not scanned. A later scan is due.
    INCOMPLETE = "incomplete"
    # There is no result: a registered image, or one from when scanning was off.
    NOT_SCANNED = "not_scanned"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What scanning an image gave.

    Attributes:
        status: What is known.
        at: When it was scanned, in UTC.
        scanner: Which scanner, and which rules; None if no scanner answered.
        findings: The worst first, at most `MAX_FINDINGS`.
        left_off: How many findings more there were.
        incomplete: Why it is incomplete, as a sentence without a full stop; None where it is not.
        facts: By path, what files do that matters for other files (`ScanReport.facts`).
    """

    status: ResultStatus
    at: datetime
    scanner: ScannerIdentity | None = None
    findings: tuple[Finding, ...] = ()
    left_off: int = 0
    incomplete: str | None = None
    facts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def rules(self) -> str:
        """The version of the rules; empty if no scanner answered."""
        return "" if self.scanner is None else self.scanner.rules

    def summary(self) -> dict[str, Any]:
        """Return what events say of it: the status, and how many findings of each severity there are."""
        counts: dict[str, int] = {}
        for finding in self.findings:
            counts[str(finding.severity)] = counts.get(str(finding.severity), 0) + 1
        return {"status": str(self.status), "findings": counts}


def result_of(reports: Sequence[ScanReport], *, at: datetime, incomplete: str | None = None) -> ScanResult:
    """Return the result of the reports of all parts of a pack.

    Args:
        reports: In the order of the scans. Where a file was scanned in overlapping parts, a finding may be in two.
        at: When the scans ended, in UTC.
        incomplete: Why some parts have no report; None if all have one.
    """
    findings = list(dict.fromkeys(finding for report in reports for finding in report.findings))
    why = incomplete or next((report.incomplete for report in reports if report.incomplete is not None), None)
    if why is None and any(report.status is ScanStatus.INCOMPLETE for report in reports):
        why = "the scanner reached one of its limits"
    facts = {path: tuple(known) for report in reports for path, known in report.facts.items()}
    return _result(
        findings,
        at=at,
        scanner=reports[-1].scanner if reports else None,
        left_off=sum(report.left_off for report in reports),
        incomplete=why,
        facts=facts,
    )


def with_unchanged(result: ScanResult, before: ScanResult | None, unchanged: Collection[str]) -> ScanResult:
    """Return the result of an image of which only some files were scanned.

    Args:
        result: Of the files that were scanned.
        before: Of the image that had the others; None if it has no result.
        unchanged: The paths of the others.
    """
    if not unchanged:
        return result
    if before is None or before.scanner is None:
        return replace(result, status=ResultStatus.INCOMPLETE, incomplete=result.incomplete or _NEVER_SCANNED)
    kept = set(unchanged)
    findings = [*result.findings, *(finding for finding in before.findings if finding.path in kept)]
    facts = {path: known for path, known in before.facts.items() if path in kept}
    return _result(
        findings,
        at=result.at,
        # Of other rules, so that the image is soon scanned with the present ones.
        scanner=result.scanner if result.scanner == before.scanner else before.scanner,
        left_off=result.left_off + before.left_off,
        incomplete=result.incomplete or before.incomplete,
        facts={**facts, **result.facts},
    )


def with_known(result: ScanResult, before: ScanResult) -> ScanResult:
    """Return the result of a later scan of the same image. One that did not end takes nothing away from what is known.

    Args:
        result: Of the later scan.
        before: What was known.
    """
    if result.incomplete is None:
        return result
    return _result(
        list(dict.fromkeys([*result.findings, *before.findings])),
        at=result.at,
        scanner=result.scanner or before.scanner,
        left_off=max(result.left_off, before.left_off),
        incomplete=result.incomplete,
        facts={**before.facts, **result.facts},
    )


def with_finished(result: ScanResult, before: ScanResult, *, rules: str) -> ScanResult:
    """Return what is known of an image after a scan that may not have ended, and an earlier one of the same image.

    Args:
        result: Of the later scan.
        before: Of the earlier one.
        rules: The present version of the rules.
    """
    if result.incomplete is None or before.incomplete is not None or before.rules != rules:
        return with_known(result, before)
    # That it is `blocked` is what an earlier policy has made of it.
    return replace(before, status=ResultStatus.FINDINGS) if before.findings else before


def _result(  # noqa: PLR0913 - the parts of a result
    findings: Sequence[Finding],
    *,
    at: datetime,
    scanner: ScannerIdentity | None,
    left_off: int,
    incomplete: str | None,
    facts: Mapping[str, Sequence[str]],
) -> ScanResult:
    kept = worst_of(findings, MAX_FINDINGS)
    status = ResultStatus.FINDINGS if kept or left_off else ResultStatus.PASSED
    return ScanResult(
        status=status if incomplete is None else ResultStatus.INCOMPLETE,
        at=at,
        scanner=scanner,
        findings=tuple(kept),
        left_off=left_off + len(findings) - len(kept),
        incomplete=incomplete,
        facts=dict(sorted(facts.items())[:MAX_FACTS]),
    )
