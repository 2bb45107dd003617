"""`python -m bench.scan_skills FOLDER…`: what the scanner finds in folders of skills or packs, and how fast.

A skill is a folder with a `SKILL.md` or a `pack.yaml`, and what is below it. Nothing is fetched: clone the repositories
that are to be measured, and name their folders. Every skill with a finding of severity high or critical is listed, so
that it can be judged.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from packyard.scanning.budget import ScanBudget, ScannedFile
from packyard.scanning.finding import Severity
from packyard.scanning.scanner import Scanner

_MARKERS: Final = frozenset({"SKILL.md", "pack.yaml"})
_SKIPPED: Final = frozenset({".git", "node_modules"})


def skills_below(folder: Path) -> Iterator[Path]:
    """Yield the folders of skills, the outermost one where they are nested, in the order of their paths."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        if not _MARKERS.isdisjoint(names):
            folders.clear()
            yield Path(root)


def files_of(skill: Path) -> Iterator[ScannedFile]:
    """Yield the files of a skill; links are left out."""
    for root, folders, names in os.walk(skill):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(names):
            location = Path(root, name)
            if location.is_file() and not location.is_symlink():
                yield ScannedFile(location.relative_to(skill).as_posix(), location.read_bytes())


def measure(folders: Sequence[Path], *, least: Severity) -> dict[str, Any]:
    """Return what is found in the skills of some folders.

    Args:
        folders: Where to look.
        least: The least severity of the findings that are listed.
    """
    scanner = Scanner()
    started = time.process_time()
    scanner.prepare()
    prepared = time.process_time() - started
    rules: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    listed: list[dict[str, Any]] = []
    skills = size = 0
    spent = 0.0
    for folder in folders:
        for skill in skills_below(folder):
            files = list(files_of(skill))
            began = time.process_time()
            report = scanner.scan(files, budget=ScanBudget(findings=1000))
            spent += time.process_time() - began
            skills += 1
            size += sum(len(file.content) for file in files if isinstance(file.content, bytes))
            worst = max((finding.severity.rank for finding in report.findings), default=-1)
            severities[list(Severity)[worst] if worst >= 0 else "none"] += 1
            rules.update({finding.rule for finding in report.findings if finding.severity.rank >= least.rank})
            found = [
                f"{finding.severity} {finding.rule} {finding.path}:{finding.line or ''} {finding.excerpt}"
                for finding in report.findings
                if finding.severity.rank >= least.rank
            ]
            if found:
                listed.append({"skill": f"{folder.name}/{skill.relative_to(folder)}", "findings": found})
    return {
        "skills": skills,
        "bytes": size,
        "seconds_to_prepare": round(prepared, 3),
        "seconds": round(spent, 3),
        "skills_by_worst_finding": dict(severities),
        "skills_by_rule": dict(rules.most_common()),
        "listed": listed,
    }


def main() -> None:
    """Measure the folders that the command line names, and print the result as JSON."""
    arguments = argparse.ArgumentParser(prog="bench.scan_skills", description="Scan folders of skills.")
    arguments.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    arguments.add_argument("--least", type=Severity, default=Severity.HIGH, help="the least severity to list")
    options = arguments.parse_args()
    print(json.dumps(measure(options.folders, least=options.least), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
