"""What is sent to the function that scans, and what it answers, as JSON."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from packyard.scanning.finding import parse_finding
from packyard.scanning.parts import FilePart
from packyard.scanning.report import ScannerIdentity, ScanReport, ScanStatus

Facts = Mapping[str, Sequence[str]]
# What other files do is sent of so many files.
_MAX_KNOWN: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """Some parts of files of one pack.

    Attributes:
        parts: The parts, each of another file.
        known: What other files of the pack do that matters for these, by path.
        seconds: How long the scan may take.
    """

    parts: Sequence[FilePart]
    known: Facts
    seconds: float


def request_to_json(request: ScanRequest) -> dict[str, Any]:
    """Return a request as JSON."""
    return {
        "files": [
            {
                "path": part.path,
                "content": base64.b64encode(part.compressed).decode(),
                "raw_size": part.raw_size,
                "size": part.size,
                "first_line": part.first_line,
            }
            for part in request.parts
        ],
        "known": {path: list(facts) for path, facts in list(request.known.items())[:_MAX_KNOWN]},
        "seconds": request.seconds,
    }


def parse_request(document: Mapping[str, Any]) -> ScanRequest:
    """Return the request that `request_to_json` made a document of.

    Raises:
        KeyError, TypeError, ValueError: It is not one.
    """
    return ScanRequest(
        parts=list(_parts(document["files"])),
        known={path: tuple(facts) for path, facts in document["known"].items()},
        seconds=float(document["seconds"]),
    )


def answer_to_json(report: ScanReport) -> dict[str, Any]:
    """Return a report as JSON, with the facts."""
    return {**report.view(), "facts": {path: list(facts) for path, facts in report.facts.items()}}


def parse_answer(document: Mapping[str, Any]) -> ScanReport:
    """Return the report that `answer_to_json` made a document of.

    Raises:
        KeyError, TypeError, ValueError: It is not one.
    """
    return ScanReport(
        status=ScanStatus(document["status"]),
        scanner=parse_scanner(document["scanner"]),
        findings=tuple(parse_finding(finding) for finding in document["findings"]),
        left_off=int(document["left_off"]),
        incomplete=document.get("incomplete"),
        facts={path: tuple(facts) for path, facts in document["facts"].items()},
    )


def parse_scanner(fields: Mapping[str, str]) -> ScannerIdentity:
    """Return the scanner that `ScannerIdentity.view` made these fields of."""
    return ScannerIdentity(name=fields["name"], version=fields["version"], rules=fields["rules"])


def _parts(files: Sequence[Mapping[str, Any]]) -> Iterator[FilePart]:
    for file in files:
        yield FilePart(
            path=file["path"],
            compressed=base64.b64decode(file["content"], validate=True),
            raw_size=int(file["raw_size"]),
            size=int(file["size"]),
            first_line=int(file["first_line"]),
        )
