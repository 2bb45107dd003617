"""Scanning what the functions that publish send: bytes in, a report out, and nothing else (decision 126)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from packyard.oci.build.compression import inflate_pieces
from packyard.scanning.budget import ScanBudget, ScannedFile
from packyard.scanning.messages import ScanRequest, answer_to_json, parse_request
from packyard.scanning.report import ScanReport
from packyard.scanning.scanner import Scanner

# What one request inflates to, at most. Callers send less (`scanning.parts`).
_MAX_RAW_BYTES: Final = 40 << 20


def make_scanner() -> Scanner:
    """Return the scanner, with its rules compiled."""
    scanner = Scanner()
    scanner.prepare()
    return scanner


def scan_content(event: Mapping[str, Any], *, scanner: Scanner) -> dict[str, Any]:
    """Return the report about the parts of files that an event has, as JSON.

    Args:
        event: As `scan_messages.request_to_json` makes it.
        scanner: What scans.

    Raises:
        KeyError, TypeError, ValueError: The event is no request, or is too large.
    """
    request = parse_request(event)
    if sum(part.raw_size for part in request.parts) > _MAX_RAW_BYTES:
        raise ValueError("the content is too large for one request")
    budget = ScanBudget(seconds=request.seconds, bytes=_MAX_RAW_BYTES)
    report = scanner.scan(_files(request), budget=budget, known=request.known)
    return answer_to_json(_at_their_lines(report, request))


def _files(request: ScanRequest) -> Iterator[ScannedFile]:
    for part in request.parts:
        content = inflate_pieces(part.compressed, size=part.raw_size) if part.raw_size else b""
        yield ScannedFile(part.path, content[: part.size])


def _at_their_lines(report: ScanReport, request: ScanRequest) -> ScanReport:
    """Return a report whose lines are those of the files, of which a part may begin further down."""
    first = {part.path: part.first_line - 1 for part in request.parts if part.first_line > 1}
    if not first:
        return report
    findings = [
        finding
        if finding.line is None or finding.path not in first
        else replace(finding, line=finding.line + first[finding.path])
        for finding in report.findings
    ]
    return replace(report, findings=tuple(findings))
