"""Which findings a policy blocks."""

import pytest

from packyard.scanning.finding import Confidence, Finding, Severity
from packyard.scanning.policy import ScanPolicy, Treatment, parse_policy


def finding(rule: str, severity: Severity, confidence: Confidence = Confidence.HIGH) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        confidence=confidence,
        path="a",
        line=1,
        excerpt="",
        why="",
        advice="",
    )


KEY = finding("secret.aws-access-key", Severity.CRITICAL)
MAYBE_KEY = finding("secret.assigned", Severity.LOW, Confidence.LOW)
ORDER = finding("instruct.ignore-previous", Severity.HIGH)
HINT = finding("instruct.conceal-weak", Severity.LOW)
EVERYTHING = (KEY, MAYBE_KEY, ORDER, HINT)


@pytest.mark.parametrize(
    ("policy", "blocked"),
    [
        (ScanPolicy(), [KEY]),
        (ScanPolicy(block=Severity.HIGH), [KEY, ORDER]),
        (ScanPolicy(block=Severity.LOW), [KEY, MAYBE_KEY, ORDER, HINT]),
        (ScanPolicy(rules={"secret.*": Treatment.WARN}), []),
        (ScanPolicy(rules={"instruct.*": Treatment.BLOCK}), [KEY, ORDER, HINT]),
        (
            ScanPolicy(rules={"instruct.*": Treatment.BLOCK, "instruct.conceal-weak": Treatment.IGNORE}),
            [KEY, ORDER],
        ),
    ],
)
def test_a_policy_blocks_by_rule_then_by_group_then_by_severity(
    policy: ScanPolicy, blocked: list[Finding]
) -> None:
    assert policy.blocked(EVERYTHING) == blocked


def test_a_policy_is_read_from_json() -> None:
    document = {"block": "high", "rules": {"instruct.*": "warn"}, "incomplete": "block"}

    assert parse_policy(document) == ScanPolicy(
        block=Severity.HIGH, rules={"instruct.*": Treatment.WARN}, incomplete=True
    )
    assert parse_policy({}) == parse_policy({"block": "none"}) == ScanPolicy()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"block": "severe"}, "block: must be one of: low, medium, high, critical, none"),
        ({"rules": []}, "rules: must be an object of rule ids"),
        (
            {"rules": {"instruct.*": "deny"}},
            r"rules.instruct.\*: must be one of: block, warn, ignore",
        ),
        (
            {"rules": {"secret.github-tokn": "block"}},
            "rules.secret.github-tokn: is not a rule of the scanner; did you mean secret.github-token?",
        ),
        ({"incomplete": "ignore"}, "incomplete: must be one of: block, warn"),
        ({"blocks": "high"}, "blocks: is not a field of a policy; known are block, incomplete, rules"),
        ({"block": ["high"]}, "block: must be one of: low, medium, high, critical, none"),
    ],
)
def test_a_policy_of_another_form_is_refused_with_its_field(
    document: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        parse_policy(document)
