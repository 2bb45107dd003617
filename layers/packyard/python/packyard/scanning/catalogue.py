"""The rules, as data: `rules/*.toml`.

A rule states patterns in YARA's syntax, or names the detector that applies it. Everything else about it (id, version,
severity, reasons, examples) has one form. `docs/scanner.md` describes the fields.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from packyard.scanning.file_kind import FileKind
from packyard.scanning.finding import Confidence, Severity
from packyard.text.suggestion import closest

_FOLDER: Final = Path(__file__).with_name("rules")
_MAX_NAME: Final = 128
_EVERYTHING_READ: Final = (FileKind.GUIDE, FileKind.SCRIPT, FileKind.CONFIG, FileKind.PAGE, FileKind.DATA)


class InDocumentation(StrEnum):
    """What becomes of a rule's findings where a text is clearly about attacks."""

    LOWER = "lower"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: A group, a dot, and a name.
        version: Raised when the rule may find something else.
        severity: Of its findings, unless `severity_in` has another one for the kind of file.
        severity_in: By kind of file.
        confidence: How often its findings are right.
        why: What this is, and what can happen.
        advice: What to do about it.
        kinds: The kinds of files in which it applies.
        patterns: YARA strings; any of them is enough. Empty for the rule of a detector.
        unless: A regular expression (Python, without case) of matched text that is harmless.
        unless_line: The same of the whole line.
        min_entropy: Bits of Shannon entropy per character that the matched text has at least; 0 for any.
        documentation: What becomes of findings in documentation.
        fact: Whether a match is no finding but a fact of the file, which rules with `needs` use.
        needs: The facts that one file, or one pack, must have all. Such a rule has no patterns.
        within: `file` or `pack`, for `needs`.
        prose: Whether `~` in its patterns stands for what may be between two words.
        hidden: Whether the rule also reads text with invisible characters removed and look-alikes replaced.
        examples: Texts in which the rule finds something, as templates (`tests/unit/scanning/templates.py`).
        harmless: Texts in which it finds nothing.
        example_path: The file's name in which examples are tried.
    """

    id: str
    severity: Severity
    confidence: Confidence
    why: str
    advice: str
    version: int = 1
    severity_in: Mapping[FileKind, Severity]
    kinds: frozenset[FileKind]
    patterns: Sequence[str] = ()
    unless: str | None = None
    unless_line: str | None = None
    min_entropy: float = 0.0
    documentation: InDocumentation = InDocumentation.LOWER
    fact: bool = False
    needs: frozenset[str] = frozenset()
    within: str = "file"
    prose: bool = False
    hidden: bool = False
    examples: Sequence[str] = ()
    harmless: Sequence[str] = ()
    example_path: str = "guides/example.md"

    @property
    def group(self) -> str:
        """What its id begins with, such as `secret`."""
        return self.id.partition(".")[0]

    def severity_for(self, kind: FileKind) -> Severity:
        """Return the severity of a finding in a file of this kind."""
        return self.severity_in.get(kind, self.severity)


@cache
def load_rules() -> Mapping[str, Rule]:
    """Return all rules by id, in the order of the files and of the rules in them.

    Raises:
        ValueError: A rule is not well formed. The tests load all of them.
    """
    rules: dict[str, Rule] = {}
    for file in sorted(_FOLDER.glob("*.toml")):
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        for fields in document["rule"]:
            rule = _parse({**document.get("defaults", {}), **fields})
            if rule.id in rules:
                raise ValueError(f"{rule.id} is stated twice")
            rules[rule.id] = rule
    return rules


def unknown_rule(name: str, *, groups: bool) -> str | None:
    """Return why a name is no rule; None if it is one.

    Args:
        name: What a client names.
        groups: Whether it may be a group, such as `secret.*`.
    """
    rules = [rule.id for rule in load_rules().values() if not rule.fact]
    known = [*rules, *sorted({f"{rule.partition('.')[0]}.*" for rule in rules})] if groups else rules
    if name in known:
        return None
    near = closest(name[:_MAX_NAME], known)
    return f"is not a rule of the scanner; {f'did you mean {near}?' if near else 'a finding names its rule'}"


def _parse(fields: dict[str, Any]) -> Rule:
    known = {**fields}
    kinds = known.pop("kinds", None)
    severity_in = known.pop("severity_in", {})
    for name, parse in (
        ("severity", Severity),
        ("confidence", Confidence),
        ("documentation", InDocumentation),
    ):
        if name in known:
            known[name] = parse(known[name])
    return Rule(
        **{**known, "needs": frozenset(known.get("needs", ()))},
        kinds=frozenset(_EVERYTHING_READ if kinds is None else map(FileKind, kinds)),
        severity_in={FileKind(kind): Severity(severity) for kind, severity in severity_in.items()},
    )
