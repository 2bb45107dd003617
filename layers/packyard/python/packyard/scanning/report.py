"""The outcome of a scan (API contract, section 11, "Scans")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from packyard.scanning.finding import Finding


class ScanStatus(StrEnum):
    """How a scan ended. What a policy makes of it is not known to the scanner."""

    PASSED = "passed"
    FINDINGS = "findings"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerIdentity:
    """Which scanner, and which rules.

    Attributes:
        name: The scanner.
        version: Its version.
        rules: The version of its rules (`rules_version`).
    """

    name: str
    version: str
    rules: str

    def view(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"name": self.name, "version": self.version, "rules": self.rules}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """The outcome of a scan.

    Attributes:
        status: `incomplete` where a bound was reached, with what was found until then.
        scanner: Which scanner, and which rules.
        findings: The worst first; those of equal severity by path and line.
        left_off: How many findings more there were.
        incomplete: Why the scan is incomplete, as a sentence; None where it is not.
        facts: What files do that matters for other files, by path. A later scan of some files of the same pack takes
            those of the files that have not changed (`Scanner.scan`, `known`).
    """

    status: ScanStatus
    scanner: ScannerIdentity
    findings: Sequence[Finding] = ()
    left_off: int = 0
    incomplete: str | None = None
    facts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """Return the report as JSON, without the facts."""
        document: dict[str, Any] = {
            "status": str(self.status),
            "scanner": self.scanner.view(),
            "findings": [finding.view() for finding in self.findings],
            "left_off": self.left_off,
        }
        return document if self.incomplete is None else {**document, "incomplete": self.incomplete}
