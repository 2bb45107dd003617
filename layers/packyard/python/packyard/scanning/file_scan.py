"""Scans one file, window by window."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from packyard.scanning.across_files import FETCHES, RUNS
from packyard.scanning.catalogue import InDocumentation, Rule
from packyard.scanning.collected import Collected
from packyard.scanning.containers import MAX_CONTAINER, is_container, members_of
from packyard.scanning.detectors.code_points import (
    revealed,
    sightings_of_characters,
    sightings_of_escapes,
)
from packyard.scanning.detectors.names import sightings_of_path
from packyard.scanning.detectors.packages import sightings_of_packages
from packyard.scanning.detectors.payloads import decoded_payloads
from packyard.scanning.documentation import Surroundings
from packyard.scanning.engine import Engine, Match
from packyard.scanning.excerpt import excerpt_of, shown_text
from packyard.scanning.file_kind import FileKind, kind_of
from packyard.scanning.finding import Finding, Severity
from packyard.scanning.randomness import entropy
from packyard.scanning.sighting import Sighting
from packyard.scanning.windows import Window, windows_of

_RUNS_SCRIPT: Final = "fact.runs-script"
_INSTALLS: Final = "fact.installs-packages"
_FETCHING: Final = frozenset(
    {"script.fetch-and-run", "script.fetch-and-run-suspicious", "script.decode-and-run"}
)
_SECRET: Final = "secret"  # noqa: S105 - a group of rules
# Matches of one rule in one window.
_MAX_MATCHES: Final = 50
# Facts of one kind in one file.
_MAX_PLACES: Final = 20
_SCRIPT_NAME: Final = re.compile(rb"([\w./-]{1,120}\.[A-Za-z0-9]{1,4})\W*$")
_HIDDEN_WORDS: Final = " It is written with invisible or look-alike characters, so that people do not see it."


class FileScan:
    """One file.

    Args:
        path: Its path.
        rules: All rules.
        engine: Finds their patterns.
        collected: Takes what is found.
        shown: What findings call the file; its path otherwise.
    """

    def __init__(
        self,
        path: str,
        rules: Mapping[str, Rule],
        engine: Engine,
        collected: Collected,
        shown: str | None = None,
    ) -> None:
        self._path = path
        self._shown = path if shown is None else shown
        self._rules = rules
        self._engine = engine
        self._collected = collected
        self._kind = FileKind.DATA
        self._places: dict[str, list[str]] = {}
        self._excerpts: dict[str, tuple[int, str]] = {}
        self._added: set[str] = set()

    def windows(
        self,
        content: bytes | Iterable[bytes],
        seconds_left: Callable[[], float],
        *,
        look_inside: bool = True,
    ) -> Iterator[int]:
        """Scan the content, and yield the size of each window after it.

        Args:
            content: All bytes, or pieces of them.
            seconds_left: Says how long this may still take, and raises `ScanTimeout`.
            look_inside: Whether files inside of a ZIP are scanned too.

        Raises:
            ScanTimeout: The time is over.
        """
        self._sighted(sightings_of_path(self._path), 1)
        container: bytearray | None = None
        for window in windows_of(content):
            if window.first:
                self._kind = kind_of(self._path, window.data)
                container = bytearray() if look_inside and is_container(window.data) else None
            if container is not None:
                container += window.data[window.repeated :]
                container = container if len(container) <= MAX_CONTAINER else None
            self._window(window, seconds_left)
            yield len(window.data) - window.repeated
        self._combine()
        if container is not None:
            yield from self._inside(bytes(container), seconds_left)

    def _inside(self, container: bytes, seconds_left: Callable[[], float]) -> Iterator[int]:
        """Scan what is inside, each as a file of its own. What is inside of that is not looked into."""
        for name, data in members_of(container):
            # The archive of a pack bounds paths. A ZIP does not: 64 KiB of any characters are possible.
            shown = f"{self._path}!{shown_text(name)}"
            inner = FileScan(f"{self._path}!{name}", self._rules, self._engine, self._collected, shown)
            yield from inner.windows(data, seconds_left, look_inside=False)

    def facts(self) -> list[str]:
        """Return what this file does that matters for other files."""
        return [f"{name}:{place}" for name, places in self._places.items() for place in dict.fromkeys(places)]

    def _window(self, window: Window, seconds_left: Callable[[], float]) -> None:
        data = window.data
        matches = self._applicable(data, self._engine.find(data, seconds=seconds_left()))
        secrets = [(match.start, match.end) for match in matches if self._rules[match.rule].group == _SECRET]
        around = Surroundings(self._path, self._kind, data)
        for match in matches:
            self._matched(match, window, around, secrets)
        if self._kind is FileKind.BINARY:
            return
        installs = [match.start for match in matches if match.rule == _INSTALLS]
        self._sighted(sightings_of_packages(self._path, data, installs, first=window.first), window.line)
        for start, decoded in decoded_payloads(data, self._kind):
            self._payload(window, around, start, decoded, seconds_left)
        if b"\x1b" in data or b"\b" in data:
            self._sighted(sightings_of_escapes(data.decode("utf-8", "replace")), window.line)
        if not data.isascii():
            text = data.decode("utf-8", "replace")
            there = frozenset(text)
            sightings = sightings_of_characters(text, there, self._kind, first=window.first)
            self._sighted(sightings, window.line)
            plain = revealed(text, there)
            if plain is not None:
                self._reveal(plain.encode("utf-8", "replace"), window, seconds_left)

    def _applicable(self, data: bytes, matches: Iterable[Match]) -> list[Match]:
        """Return the matches that count, the worst of those of one group that overlap."""
        kept: dict[str, list[Match]] = {}
        counts: Counter[str] = Counter()
        for match in sorted(matches, key=self._worst_first):
            rule = self._rules[match.rule]
            group = rule.id if rule.fact else rule.group
            if (
                self._kind in rule.kinds
                and counts[rule.id] < _MAX_MATCHES
                and not any(
                    match.start < other.end and other.start < match.end for other in kept.get(group, ())
                )
                and not _is_harmless(rule, data, match)
            ):
                kept.setdefault(group, []).append(match)
                counts[rule.id] += 1
        return [match for of_group in kept.values() for match in of_group]

    def _worst_first(self, match: Match) -> tuple[int, int]:
        return -self._rules[match.rule].severity_for(self._kind).rank, match.start

    def _matched(
        self, match: Match, window: Window, around: Surroundings, secrets: list[tuple[int, int]]
    ) -> None:
        rule = self._rules[match.rule]
        line = window.line + window.data.count(b"\n", 0, match.start)
        steps = 0
        if rule.documentation is InDocumentation.LOWER:
            steps = around.steps_down(match.start, match.end)
        if rule.fact:
            if steps == 0 and rule.id != _INSTALLS:
                self._remember(rule.id, window.data[match.start : match.end], line)
                self._excerpts.setdefault(
                    rule.id, (line, excerpt_of(window.data, match.start, match.end, secrets))
                )
            return
        if rule.id in _FETCHING and self._kind is FileKind.SCRIPT and steps == 0:
            self._places.setdefault(FETCHES, []).append(str(line))
        severity = rule.severity_for(self._kind)
        lowered = severity.lowered(steps)
        also = (
            f" It stands where attacks are described, so its severity is not {severity}."
            if lowered != severity
            else ""
        )
        excerpt = excerpt_of(window.data, match.start, match.end, secrets)
        self._add(rule, lowered, line, excerpt, rule.why + also)

    def _remember(self, name: str, matched: bytes, line: int) -> None:
        place = str(line)
        if name == _RUNS_SCRIPT:
            script = _SCRIPT_NAME.search(matched)
            if script is None:
                return
            name, place = RUNS, f"{script[1].decode('utf-8', 'replace').removeprefix('./')}:{line}"
        places = self._places.setdefault(name, [])
        if len(places) < _MAX_PLACES:
            places.append(place)

    def _reveal(self, data: bytes, window: Window, seconds_left: Callable[[], float]) -> None:
        matches = self._applicable(data, self._engine.find(data, seconds=seconds_left()))
        there = set(self._added)
        secrets = [(match.start, match.end) for match in matches if self._rules[match.rule].group == _SECRET]
        for match in matches:
            rule = self._rules[match.rule]
            if rule.hidden and rule.id not in there:
                line = window.line + data.count(b"\n", 0, match.start)
                excerpt = excerpt_of(data, match.start, match.end, secrets)
                self._add(rule, rule.severity_for(self._kind), line, excerpt, rule.why + _HIDDEN_WORDS)

    def _payload(
        self,
        window: Window,
        around: Surroundings,
        start: int,
        text: bytes,
        seconds_left: Callable[[], float],
    ) -> None:
        rule = self._rules["encoded.payload"]
        if self._kind not in rule.kinds:
            return
        matches = self._applicable(text, self._engine.find(text, seconds=seconds_left()))
        inside = [match for match in matches if not self._rules[match.rule].fact]
        secrets = [(match.start, match.end) for match in inside if self._rules[match.rule].group == _SECRET]
        if inside:
            worst = min(inside, key=self._worst_first)
            line = window.line + window.data.count(b"\n", 0, start)
            excerpt = excerpt_of(text, worst.start, worst.end, secrets)
            also = f" Decoded, {worst.rule} finds something in it."
            steps = around.steps_down(start, start + 1)
            self._add(rule, rule.severity.lowered(steps), line, excerpt, rule.why + also)

    def _combine(self) -> None:
        for rule in self._rules.values():
            if (
                rule.needs
                and rule.within == "file"
                and self._kind in rule.kinds
                and rule.needs <= self._excerpts.keys()
            ):
                places = sorted(self._excerpts[name] for name in rule.needs)
                excerpt = " and ".join(f"line {line}: {text[:60]}" for line, text in places)
                self._add(rule, rule.severity_for(self._kind), places[0][0], excerpt[:160], rule.why)

    def _sighted(self, sightings: Iterable[Sighting], first_line: int) -> None:
        for sighting in sightings:
            rule = self._rules[sighting.rule]
            if sighting.line is not None and self._kind not in rule.kinds:
                continue
            line = None if sighting.line is None else sighting.line + first_line - 1
            severity = sighting.severity or rule.severity_for(self._kind)
            why = f"{rule.why} {sighting.also}" if sighting.also else rule.why
            self._add(rule, severity, line, sighting.excerpt, why)

    def _add(self, rule: Rule, severity: Severity, line: int | None, excerpt: str, why: str) -> None:
        self._added.add(rule.id)
        self._collected.add(
            Finding(
                rule=rule.id,
                severity=severity,
                confidence=rule.confidence,
                path=self._shown,
                line=line,
                excerpt=excerpt,
                why=why,
                advice=rule.advice,
            )
        )


def _is_harmless(rule: Rule, data: bytes, match: Match) -> bool:
    matched = data[match.start : match.end]
    if rule.unless and re.search(rule.unless.encode(), matched, re.IGNORECASE):
        return True
    if rule.unless_line:
        start = data.rfind(b"\n", 0, match.start) + 1
        end = data.find(b"\n", match.end)
        line = data[max(start, match.start - 300) : min(len(data) if end < 0 else end, match.end + 300)]
        if re.search(rule.unless_line.encode(), line, re.IGNORECASE):
            return True
    return rule.min_entropy > 0 and entropy(matched) < rule.min_entropy
