"""Which findings are a reason to refuse (API contract, section 11, "Scans", `scan-policy`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from packyard.scanning.finding import Confidence, Finding, Severity

_SECRETS: Final = "secret."
_NONE: Final = "none"
_SHOWN: Final = 64


class Treatment(StrEnum):
    """What a policy does with the findings of one rule."""

    BLOCK = "block"
    WARN = "warn"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPolicy:
    """A policy. By default, secrets of high confidence are blocked, and the rest is a warning.

    Attributes:
        block: Findings of this severity and above are blocked; None for none of them.
        rules: By rule id, or by a group such as `instruct.*`, what is done instead. An id counts before a group.
        incomplete: Whether a scan that did not end is blocked.
    """

    block: Severity | None = None
    rules: Mapping[str, Treatment] = field(default_factory=dict)
    incomplete: bool = False

    def treatment(self, finding: Finding) -> Treatment:
        """Return what the policy does with a finding."""
        group = f"{finding.rule.partition('.')[0]}.*"
        stated = self.rules.get(finding.rule, self.rules.get(group))
        if stated is not None:
            return stated
        if finding.rule.startswith(_SECRETS) and finding.confidence is Confidence.HIGH:
            return Treatment.BLOCK
        blocked = self.block is not None and finding.severity.rank >= self.block.rank
        return Treatment.BLOCK if blocked else Treatment.WARN

    def blocked(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that are a reason to refuse."""
        return [finding for finding in findings if self.treatment(finding) is Treatment.BLOCK]


def parse_policy(document: Mapping[str, object]) -> ScanPolicy:
    """Return a policy from its JSON: `{"block": "high", "rules": {"instruct.*": "warn"}, "incomplete": "block"}`.

    Raises:
        ValueError: It has another form. The message names the field and what it may be.
    """
    from packyard.scanning.catalogue import unknown_rule  # noqa: PLC0415 - few callers of this module need the rules

    if unknown := sorted(set(document) - {"block", "rules", "incomplete"}):
        raise ValueError(f"{unknown[0]}: is not a field of a policy; known are block, incomplete, rules")
    block = document.get("block", _NONE)
    if block != _NONE and block not in list(Severity):
        raise ValueError(f"block: must be one of: {', '.join([*Severity, _NONE])}")
    rules = document.get("rules", {})
    if not isinstance(rules, Mapping):
        raise ValueError("rules: must be an object of rule ids")  # noqa: TRY004 - a fault of the value
    for name, treatment in rules.items():
        if (fault := unknown_rule(str(name), groups=True)) is not None:
            raise ValueError(f"rules.{str(name)[:_SHOWN]}: {fault}")
        if treatment not in list(Treatment):
            raise ValueError(f"rules.{name}: must be one of: {', '.join(Treatment)}")
    incomplete = document.get("incomplete", Treatment.WARN)
    if incomplete not in (Treatment.BLOCK, Treatment.WARN):
        raise ValueError(f"incomplete: must be one of: {Treatment.BLOCK}, {Treatment.WARN}")
    return ScanPolicy(
        block=None if block == _NONE else Severity(str(block)),
        rules={str(name): Treatment(str(treatment)) for name, treatment in rules.items()},
        incomplete=incomplete == Treatment.BLOCK,
    )
