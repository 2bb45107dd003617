"""What the scanner found at one place (API contract, section 11, "Scans")."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

# Characters of an excerpt, at most.
MAX_EXCERPT: Final = 160


class Severity(StrEnum):
    """How bad it is if the finding is right."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical. As texts, severities have no useful order."""
        return _RANKS[self]

    def lowered(self, steps: int) -> "Severity":
        """Return the severity that is so many steps lower, `low` at least."""
        return _ORDER[max(0, self.rank - steps)]


_ORDER: Final = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_RANKS: Final = {severity: rank for rank, severity in enumerate(_ORDER)}


class Confidence(StrEnum):
    """How often a finding of a rule is right."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place at which a rule applies.

    Attributes:
        rule: The rule's id, such as `secret.github-token`.
        severity: Of this finding. It is lower than the rule's where the place is clearly documentation.
        confidence: Of the rule.
        path: The file, as it was given.
        line: From 1; None where the finding is about the file as a whole or its name.
        excerpt: The place, at most `MAX_EXCERPT` characters of printable text. Secrets in it are masked.
        why: What this is, and what can happen, in a sentence or two.
        advice: What to do about it.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    path: str
    line: int | None
    excerpt: str
    why: str
    advice: str

    def view(self) -> dict[str, Any]:
        """Return the finding as JSON, without `line` where there is none."""
        fields = {
            "rule": self.rule,
            "severity": str(self.severity),
            "confidence": str(self.confidence),
            "path": self.path,
            "line": self.line,
            "excerpt": self.excerpt,
            "why": self.why,
            "advice": self.advice,
        }
        return {name: value for name, value in fields.items() if value is not None}


def parse_finding(fields: Mapping[str, Any]) -> Finding:
    """Return the finding that `Finding.view` made these fields of."""
    line = fields.get("line")
    return Finding(
        rule=fields["rule"],
        severity=Severity(fields["severity"]),
        confidence=Confidence(fields["confidence"]),
        path=fields["path"],
        line=None if line is None else int(line),
        excerpt=fields["excerpt"],
        why=fields["why"],
        advice=fields["advice"],
    )
