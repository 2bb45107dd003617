"""Overrides: an organisation takes a finding upon itself, for a time and with a reason (API contract, section 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from packyard.scanning.finding import Finding
from packyard.scanning.policy import ScanPolicy

MAX_OVERRIDES: Final = 50
MAX_LIFETIME: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOverride:
    """A rule whose findings in one file of a pack are a reason to refuse no more.

    Attributes:
        rule: The rule's id.
        path: The file, relative to the pack's root.
        reason: Its owner's words, 1 to 1,000 characters. Other organisations do not see them.
        expires_at: From when on it does not count, in UTC.
        by: Who made it, a principal.
        at: When, in UTC.
    """

    rule: str
    path: str
    reason: str
    expires_at: datetime
    by: str
    at: datetime

    def covers(self, finding: Finding, now: datetime) -> bool:
        """Return whether it lets a finding pass at an instant."""
        return now < self.expires_at and (finding.rule, finding.path) == (self.rule, self.path)


def blocking(
    findings: Sequence[Finding], policy: ScanPolicy, overrides: Sequence[ScanOverride], now: datetime
) -> list[Finding]:
    """Return the findings that a policy refuses and no override lets pass."""
    return [
        finding
        for finding in policy.blocked(findings)
        if not any(override.covers(finding, now) for override in overrides)
    ]
