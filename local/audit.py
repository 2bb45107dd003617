"""`make audit`: looks for known vulnerabilities in everything that is locked, for the service and for the tools.

pip-audit asks PyPI, and npm its registry for what the page of the console is made of. If PyPI does not answer,
pip-audit treats a distribution as unknown and succeeds. Here no answer is a separate result, and is printed.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from local import console
from local.command import Command, CommandFailed, run
from local.environments import HERE, PROJECT, UV, node_environment, npm, tool

_VULNERABLE, _UNANSWERED = 1, 3
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Report:
    """The result for one locked set.

    Attributes:
        sound: Distributions without a known vulnerability.
        vulnerable: Those with one: name, version and the vulnerability's id.
        unanswered: Those without an answer: name and reason.
    """

    sound: tuple[str, ...]
    vulnerable: tuple[str, ...]
    unanswered: tuple[str, ...]


def report_of(printed: str, complaint: str) -> Report:
    """Return the report from pip-audit's JSON; without JSON, that there was no answer.

    Args:
        printed: Its standard output.
        complaint: Its standard error.
    """
    try:
        entries = json.loads(printed)["dependencies"]
    except (ValueError, KeyError):
        return Report((), (), (f"all: {complaint.strip()[-500:] or 'no answer'}",))
    sound, vulnerable, unanswered = [], [], []
    for entry in entries:
        name = f"{entry['name']} {entry.get('version', '')}".strip()
        if "skip_reason" in entry:
            unanswered.append(f"{name}: {entry['skip_reason']}")
        elif entry["vulns"]:
            known = ", ".join(
                f"{vuln['id']} (mended in {', '.join(vuln['fix_versions']) or 'nothing yet'})"
                for vuln in entry["vulns"]
            )
            vulnerable.append(f"{name}: {known}")
        else:
            sound.append(name)
    return Report(tuple(sound), tuple(vulnerable), tuple(unanswered))


def npm_report_of(printed: str, complaint: str, locked: Mapping[str, str]) -> Report:
    """Return the report from the JSON of `npm audit`; without one, that there was no answer.

    Args:
        printed: Its standard output.
        complaint: Its standard error.
        locked: The packages of the lock, with their versions.
    """
    try:
        entries = json.loads(printed)["vulnerabilities"]
    except (ValueError, KeyError):
        return Report((), (), (f"all: {complaint.strip()[-500:] or 'no answer'}",))
    vulnerable = {
        name: "; ".join(cause["url"] for cause in entry["via"] if isinstance(cause, dict))
        or f"by {', '.join(entry['via'])}"
        for name, entry in entries.items()
    }
    return Report(
        tuple(f"{name} {version}" for name, version in locked.items() if name not in vulnerable),
        tuple(f"{name} {locked.get(name, '')}: {why}" for name, why in vulnerable.items()),
        (),
    )


def look_up_page() -> Report:
    """Ask about what the page of the console is made of and built with."""
    lock = json.loads((console.SOURCES / "package-lock.json").read_bytes())
    locked = {
        place.rpartition("node_modules/")[2]: package["version"]
        for place, package in lock["packages"].items()
        if place
    }
    command: Command = [*npm(console.TOOL), "audit", "--json", "--package-lock-only"]
    try:
        finished = subprocess.run(
            command,
            cwd=console.SOURCES,
            env=node_environment(),
            check=False,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return npm_report_of("", f"no answer within {_SECONDS} s", locked)
    return npm_report_of(finished.stdout, finished.stderr, locked)


def locked_sets(folder: Path) -> dict[str, Path]:
    """Return the locked sets, by what they are for, as files of pinned and hashed requirements.

    Args:
        folder: For files that are made for this.

    Raises:
        CommandFailed: The lock cannot be read.
    """
    export: Command = [UV, "export", "-q", "--frozen", "--no-emit-project"]
    sets = {"what is shipped": folder / "shipped.txt", "what is developed with": folder / "development.txt"}
    for path, groups in zip(sets.values(), ("--no-dev", "--only-dev"), strict=True):
        path.write_text(run([*export, groups], folder=PROJECT))
    tools = {
        path.stem.removeprefix("requirements-"): path for path in sorted(HERE.glob("requirements-*.txt"))
    }
    return sets | {f"the tool {name}": path for name, path in tools.items()}


def look_up(requirements: Path) -> Report:
    """Ask about one locked set."""
    command: Command = [
        *(tool("audit", "pip-audit"), "--vulnerability-service", "pypi", "--format", "json"),
        *("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--requirement", requirements),
    ]
    try:
        finished = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return report_of("", f"no answer within {_SECONDS} s")
    return report_of(finished.stdout, finished.stderr)


def look_all_up(sets: Mapping[str, Path]) -> dict[str, Report]:
    """Ask about one set after the other, until an answer is missing."""
    reports: dict[str, Report] = {}
    for name, path in sets.items():
        report = reports[name] = look_up(path)
        if report.unanswered and not (report.sound or report.vulnerable):
            break
    return reports


def main() -> int:
    """Look everything up. Return 0 if all is sound, 1 if some is vulnerable, 3 if some could not be looked up."""
    arguments = argparse.ArgumentParser(prog="audit", description="Look for known vulnerabilities.")
    arguments.add_argument(
        "--where-possible", action="store_true", help="say so, but do not fail, when there is no answer"
    )
    options = arguments.parse_args()
    try:
        with TemporaryDirectory() as scratch:
            reports = look_all_up(locked_sets(Path(scratch)))
        reports["the page of the console"] = look_up_page()
    except CommandFailed as error:
        print(f"audit: {error}", file=sys.stderr)
        return _UNANSWERED
    return _told(reports, unanswered_fails=not options.where_possible)


def _told(reports: dict[str, Report], *, unanswered_fails: bool) -> int:
    for name, report in reports.items():
        print(f"audit: {name}: {len(report.sound)} sound, {len(report.vulnerable)} vulnerable", end="")
        print(f", {len(report.unanswered)} NOT LOOKED UP" if report.unanswered else "")
        for line in (*report.vulnerable, *report.unanswered[:1]):
            print(f"  {line}")
    if any(report.vulnerable for report in reports.values()):
        return _VULNERABLE
    if any(report.unanswered for report in reports.values()):
        print("audit: NOT DONE: the records were not to be had; there may be vulnerabilities that are known")
        return _UNANSWERED if unanswered_fails else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
