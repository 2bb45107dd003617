"""What is found of harmless imitations of attacks, and in what only looks like one.

Rules were tuned to `TUNING`. `HELD_OUT` was written before the rules were first run on it (docs/scanner.md).
"""

import pytest
from tests.scanning import (
    benign,
    hidden,
    instructions,
    later,
    reported_again,
    reported_guides,
    reported_scripts,
    reported_settings,
    scripts,
)
from tests.scanning.imitation import Imitation

from packyard.scanning.budget import ScannedFile
from packyard.scanning.finding import Severity
from packyard.scanning.scanner import Scanner

TUNING = [*instructions.TUNING, *scripts.TUNING, *hidden.TUNING]
HELD_OUT = [
    *instructions.HELD_OUT,
    *scripts.HELD_OUT,
    *hidden.HELD_OUT,
    *later.SECOND,
    *later.THIRD,
    *later.FOURTH,
    *reported_guides.FIFTH,
    *reported_scripts.FIFTH,
    *reported_settings.FIFTH,
    *reported_again.SIXTH,
]


def is_found(imitation: Imitation, scanner: Scanner) -> bool:
    report = scanner.scan(imitation.scanned())
    return any(
        finding.severity.rank >= Severity.MEDIUM.rank
        and not imitation.groups.isdisjoint({finding.rule, finding.rule.partition(".")[0]})
        for finding in report.findings
    )


@pytest.mark.parametrize("imitation", [*TUNING, *HELD_OUT], ids=lambda imitation: imitation.technique)
def test_an_imitation_of_an_attack_is_found(imitation: Imitation, scanner: Scanner) -> None:
    assert is_found(imitation, scanner)


def test_there_are_enough_imitations_of_different_techniques() -> None:
    techniques = [imitation.technique for imitation in (*TUNING, *HELD_OUT)]

    assert len(techniques) == len(set(techniques))
    assert len(techniques) >= 120
    assert len(HELD_OUT) >= 60


@pytest.mark.parametrize(("technique", "sample"), benign.BENIGN.items(), ids=lambda value: str(value)[:40])
def test_what_only_looks_like_an_attack_is_at_most_a_hint(
    technique: str, sample: tuple[str, str], scanner: Scanner
) -> None:
    path, text = sample
    report = scanner.scan([ScannedFile(path, text.encode())])

    assert [finding for finding in report.findings if finding.severity.rank > Severity.LOW.rank] == [], (
        technique
    )
