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
        self._engine = self._engine or self._make_engine()
        running = _Scan(self._engine, budget or ScanBudget(), self._clock, known or {})
        running.read(files)
        return running.report()


class _Scan:
    def __init__(
        self,
        engine: Engine,
        budget: ScanBudget,
        clock: Callable[[], float],
        known: Mapping[str, Sequence[str]],
    ) -> None:
        self._engine = engine
        self._budget = budget
        self._clock = clock
        self._deadline = clock() + budget.seconds
        self._rules = load_rules()
        self._collected = Collected(budget.findings)
        self._facts = dict(known)
        self._bytes = 0
        self._incomplete: str | None = None

    def read(self, files: Iterable[ScannedFile]) -> None:
        """Scan files until all are read, or a bound is reached."""
        for number, file in enumerate(files, start=1):
            if number > self._budget.files:
                self._incomplete = f"there are more than {self._budget.files} files"
                return
            try:
                within = self._file(file)
            except ScanTimeout:
                within = False
                self._incomplete = (
                    f"it took more than {self._budget.seconds:g} seconds; file {number} is not finished"
                )
            if not within:
                return

    def _file(self, file: ScannedFile) -> bool:
        """Scan a file; return whether the scan may go on."""
        scan = FileScan(file.path, self._rules, self._engine, self._collected)
        for size in scan.windows(file.content, self._seconds_left):
            self._bytes += size
            if self._bytes > self._budget.bytes:
                self._incomplete = f"there are more than {self._budget.bytes} bytes"
                return False
        self._facts.pop(file.path, None)
        if found := scan.facts():
            self._facts[file.path] = found
        return True

    def _seconds_left(self) -> float:
        """Return how long the scan may still take.

        Raises:
            ScanTimeout: No longer.
        """
        left = self._deadline - self._clock()
        if left <= 0:
            raise ScanTimeout
        return left

    def report(self) -> ScanReport:
        """Return what was found."""
        for finding in across_files(self._facts, self._rules):
            self._collected.add(finding)
        facts = self._facts
        if sum(map(len, facts.values())) > MAX_FACTS:
            facts = {}
            self._incomplete = self._incomplete or f"more than {MAX_FACTS} places matter for other files"
        findings = self._collected.worst()
        status = ScanStatus.FINDINGS if findings else ScanStatus.PASSED
        return ScanReport(
            status=ScanStatus.INCOMPLETE if self._incomplete else status,
            scanner=scanner_identity(),
            findings=findings,
            left_off=self._collected.left_off,
            incomplete=self._incomplete,
            facts=facts,
        )


def scanner_identity() -> ScannerIdentity:
    """Return which scanner this is, and its rules."""
    return ScannerIdentity(name=SCANNER_NAME, version=SCANNER_VERSION, rules=rules_version())
