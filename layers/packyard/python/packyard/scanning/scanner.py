"""Scans the files of a pack (API contract, section 11, "Scans")."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from packyard.scanning.across_files import across_files
from packyard.scanning.budget import ScanBudget, ScannedFile
from packyard.scanning.catalogue import load_rules
from packyard.scanning.collected import Collected
from packyard.scanning.compiled_rules import engine_from
from packyard.scanning.engine import Engine, ScanTimeout
from packyard.scanning.file_scan import FileScan
from packyard.scanning.report import ScannerIdentity, ScanReport, ScanStatus
from packyard.scanning.rules_version import SCANNER_NAME, SCANNER_VERSION, rules_version

# Facts of a report, over all files. A pack with more is scanned as a whole.
MAX_FACTS = 2000


class Scanner:
    """Looks for what a pack must not hold. One can scan many packs, one after the other.

    Args:
        engine: Makes what finds patterns, at the first scan (`compiled_rules.engine_from`).
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        *,
        engine: Callable[[], Engine] = engine_from,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_engine = engine
        self._engine: Engine | None = None
        self._clock = clock

    def prepare(self) -> None:
        """Load the rules and the engine, which a scan does otherwise.

        Raises:
            EngineMissing: yara-x is not installed.
        """
        self._engine = self._engine or self._make_engine()

    def scan(
        self,
        files: Iterable[ScannedFile],
        *,
        budget: ScanBudget | None = None,
        known: Mapping[str, Sequence[str]] | None = None,
    ) -> ScanReport:
        """Scan files.

        Args:
            files: The files; each is read once, in this order.
            budget: What may be used; `ScanBudget`'s defaults otherwise.
            known: The `facts` of the other files of the same pack, where only some of its files are scanned.

        Raises:
            EngineMissing: yara-x is not installed.
        """
        budget = budget or ScanBudget()
        self._engine = engine = self._engine or self._make_engine()
        rules = load_rules()
        collected = Collected(budget.findings)
        deadline = self._clock() + budget.seconds
        facts: dict[str, Sequence[str]] = dict(known or {})
        incomplete = None
        read = number = 0
        try:
            for number, file in enumerate(files, start=1):
                if number > budget.files:
                    raise _BudgetUsed(f"the pack has more than {budget.files} files")
                scan = FileScan(file.path, rules, engine, collected)
                for size in scan.windows(file.content, lambda: deadline - self._clock()):
                    read += size
                    if read > budget.bytes:
                        raise _BudgetUsed(f"the pack has more than {budget.bytes} bytes")
                    if self._clock() > deadline:
                        raise ScanTimeout
                if found := scan.facts():
                    facts[file.path] = found
                else:
                    facts.pop(file.path, None)
        except ScanTimeout:
            incomplete = f"the scan took more than {budget.seconds:g} seconds, at file {number}"
        except _BudgetUsed as used:
            incomplete = str(used)
        for finding in across_files(facts, rules):
            collected.add(finding)
        if sum(map(len, facts.values())) > MAX_FACTS:
            incomplete = (
                incomplete or f"the pack has more than {MAX_FACTS} places that matter for other files"
            )
            facts = {}
        return _report(collected, facts, incomplete)


class _BudgetUsed(Exception):
    pass


def scanner_identity() -> ScannerIdentity:
    """Return which scanner this is, and its rules."""
    return ScannerIdentity(name=SCANNER_NAME, version=SCANNER_VERSION, rules=rules_version())


def _report(collected: Collected, facts: Mapping[str, Sequence[str]], incomplete: str | None) -> ScanReport:
    findings = collected.worst()
    status = ScanStatus.FINDINGS if findings else ScanStatus.PASSED
    return ScanReport(
        status=ScanStatus.INCOMPLETE if incomplete else status,
        scanner=scanner_identity(),
        findings=findings,
        left_off=collected.left_off,
        incomplete=incomplete,
        facts=facts,
    )
