"""`packyard scan`: what the service's scanner finds in files of this machine, without the service."""

import argparse
import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result, counted
from packyard_cli.scanned_paths import files_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packyard.scanning.finding import Finding
    from packyard.scanning.policy import ScanPolicy
    from packyard.scanning.report import ScanReport

_COMPILED: Final = "scan-rules.bin"


def scan(options: argparse.Namespace, context: Context) -> Result:
    """Scan each path, and say what a policy would block.

    Raises:
        Failure: A path does not exist, an archive or the policy is not valid, or the extra is not installed.
    """
    from packyard.scanning.compiled_rules import engine_from  # noqa: PLC0415 - scans only
    from packyard.scanning.engine import EngineMissing  # noqa: PLC0415
    from packyard.scanning.scanner import Scanner  # noqa: PLC0415

    policy = _policy(options)
    scanner = Scanner(engine=lambda: engine_from(context.cache() / _COMPILED, keep=True))
    try:
        scanner.prepare()
    except EngineMissing:
        raise Failure(
            Exit.EXTRA_MISSING,
            "Scans need the extra scan, which is not installed.",
            "Install it, in a clone: pipx install --force '.[scan]'.",
        ) from None
    outcomes = []
    for path in map(Path, options.paths):
        with ExitStack() as held:
            outcomes.append(_Outcome.of(path, scanner.scan(files_of(path, held)), policy))
    return _result(outcomes)


class _Outcome(NamedTuple):
    """The report of one path, and what of it is blocked."""

    path: Path
    report: "ScanReport"
    blocked: "Sequence[Finding]"
    unfinished: bool

    @classmethod
    def of(cls, path: Path, report: "ScanReport", policy: "ScanPolicy") -> "_Outcome":
        """Return what a policy makes of a report."""
        unfinished = report.incomplete is not None and policy.incomplete
        return cls(path, report, policy.blocked(report.findings), unfinished)

    def document(self) -> dict[str, Any]:
        """Return it as JSON: the form of the service's scans, with the path and what is blocked."""
        blocked = set(map(id, self.blocked))
        view = self.report.view()
        view["findings"] = [
            {**finding.view(), "blocked": id(finding) in blocked} for finding in self.report.findings
        ]
        return {"path": str(self.path), "blocked": bool(blocked) or self.unfinished, **view}

    def lines(self) -> list[str]:
        """Return it for people."""
        blocked = set(map(id, self.blocked))
        lines = []
        for finding in self.report.findings:
            place = f"{self.path}: {_on_a_line(finding.path)}" + (f":{finding.line}" if finding.line else "")
            mark = ", blocked" if id(finding) in blocked else ""
            lines += [
                f"{place}: {finding.severity}{mark} ({finding.rule})",
                f"    {finding.excerpt}",
                f"    {finding.why} {finding.advice}",
            ]
        if self.report.left_off:
            lines.append(f"{self.path}: {counted(self.report.left_off, 'finding')} more, not shown")
        if self.report.incomplete is not None:
            lines.append(f"{self.path}: incomplete: {self.report.incomplete}")
        return lines


def _result(outcomes: "Sequence[_Outcome]") -> Result:
    found = sum(len(outcome.report.findings) + outcome.report.left_off for outcome in outcomes)
    blocked = sum(len(outcome.blocked) for outcome in outcomes)
    refused = any(outcome.blocked or outcome.unfinished for outcome in outcomes)
    summary = f"{counted(found, 'finding')}, {blocked} of them blocked." if found else "Nothing was found."
    return Result(
        document={"blocked": refused, "scans": [outcome.document() for outcome in outcomes]},
        lines=[*(line for outcome in outcomes for line in outcome.lines()), summary],
        essence=[
            f"{outcome.path}: {_on_a_line(finding.path)}:{finding.line or ''} {finding.rule}"
            for outcome in outcomes
            for finding in outcome.blocked
        ],
        exit_code=Exit.BLOCKED if refused else Exit.DONE,
    )


def _on_a_line(path: str) -> str:
    """Return a path without line breaks: a name with one would look like another line of the answer."""
    return path.replace("\n", "\\n")


def _policy(options: argparse.Namespace) -> "ScanPolicy":
    from packyard.scanning.finding import Severity  # noqa: PLC0415
    from packyard.scanning.policy import ScanPolicy, parse_policy  # noqa: PLC0415

    policy = ScanPolicy()
    if options.policy is not None:
        try:
            document = json.loads(Path(options.policy).read_bytes())
            if not isinstance(document, dict):
                raise ValueError("must be an object")  # noqa: TRY004, TRY301 - as every other fault of the file
            policy = parse_policy(document)
        except FileNotFoundError:
            raise Failure(Exit.USAGE, f"There is no file {options.policy}.") from None
        except (ValueError, RecursionError) as error:
            reason = (
                "is not JSON" if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)) else str(error)
            )
            raise Failure(Exit.INVALID, f"{options.policy}: {reason}.") from None
    if options.block is not None:
        policy = ScanPolicy(block=Severity(options.block), rules=policy.rules, incomplete=policy.incomplete)
    return policy
