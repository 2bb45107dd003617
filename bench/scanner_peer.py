"""One scanner over folders of skills, in a process of its own: `python scanner_peer.py NAME FOLDER…` prints JSON.

It runs in two environments, so it imports what it measures where that is measured, and nothing else of this repository.
"""

import importlib
import json
import logging
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_MARKER: Final = "SKILL.md"


def main() -> None:
    """Scan each skill of the folders once, and print what it took."""
    name, *folders = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    skills = [skill for folder in folders for skill in _skills(Path(folder))]
    size = sum(file.stat().st_size for skill in skills for file in skill.rglob("*") if file.is_file())
    began = time.process_time()
    scan = {"packyard": _packyard, "cisco": _cisco}[name]()
    prepared = time.process_time()
    flagged = {str(skill): worst for skill in skills if (worst := scan(skill)) in ("high", "critical")}
    done = time.process_time()
    json.dump(
        {
            "skills": len(skills),
            "bytes": size,
            "seconds_to_prepare": round(prepared - began, 3),
            "seconds": round(done - prepared, 3),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "skills_with_high_or_critical": len(flagged),
        },
        sys.stdout,
    )


def _skills(folder: Path) -> list[Path]:
    found: list[Path] = []
    for marker in sorted(folder.rglob(_MARKER)):
        if not any(above in marker.parents for above in found):
            found.append(marker.parent)
    return found


def _packyard() -> Callable[[Path], str | None]:
    budget: Any = importlib.import_module("packyard.scanning.budget")
    scanner = importlib.import_module("packyard.scanning.scanner").Scanner()
    scanner.prepare()

    def scan(skill: Path) -> str | None:
        files = (
            budget.ScannedFile(file.relative_to(skill).as_posix(), file.read_bytes())
            for file in sorted(skill.rglob("*"))
            if file.is_file()
        )
        findings = scanner.scan(files).findings
        return str(findings[0].severity) if findings else None

    return scan


def _cisco() -> Callable[[Path], str | None]:
    scanner = importlib.import_module("skill_scanner.core.scanner").SkillScanner()

    def scan(skill: Path) -> str | None:
        worst = scanner.scan_skill(skill, lenient=True).max_severity
        return str(getattr(worst, "value", worst)).lower()

    return scan


if __name__ == "__main__":
    main()
