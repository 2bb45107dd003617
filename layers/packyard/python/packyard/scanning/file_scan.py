"""Scans one file, window by window."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from packyard.scanning.across_files import FETCHES, RUNS
from packyard.scanning.catalogue import InDocumentation, Rule
from packyard.scanning.collected import Collected
from packyard.scanning.containers import MAX_CONTAINER, is_container, members_of
from packyard.scanning.detectors.code_points import (
    revealed,
    sightings_of_characters,
    sightings_of_escapes,
)
from packyard.scanning.detectors.disguises import undisguised
from packyard.scanning.detectors.names import sightings_of_path
from packyard.scanning.detectors.packages import sightings_of_packages
from packyard.scanning.detectors.payloads import decoded_payloads
from packyard.scanning.documentation import Surroundings
from packyard.scanning.engine import Engine, Match
from packyard.scanning.excerpt import excerpt_of, shown_text
from packyard.scanning.file_kind import FileKind, kind_of
from packyard.scanning.finding import Finding, Severity
from packyard.scanning.matches import OFTEN, matches_that_count, worst_first
from packyard.scanning.sighting import Sighting
from packyard.scanning.windows import LineNumbers, Window, windows_of

_RUNS_SCRIPT: Final = "fact.runs-script"
_INSTALLS: Final = "fact.installs-packages"
_FETCHING: Final = frozenset(
    {"script.fetch-and-run", "script.fetch-and-run-suspicious", "script.decode-and-run"}
)
_SECRET: Final = "secret"  # noqa: S105 - a group of rules
# Matches of one rule and of one severity in one window.
_MAX_MATCHES: Final = 50
# Between two texts that are read together. No rule has it.
_BETWEEN: Final = b"\n\0\n"
# Facts of one kind in one file.
_MAX_PLACES: Final = 20
_SCRIPT_NAME: Final = re.compile(rb"([\w./-]{1,120}\.[A-Za-z0-9]{1,4})\W*$")
_HIDDEN_WORDS: Final = (
    " It is written so that a search for it, or a person who looks at it, does not find it."
)


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
        self._matched_at: set[tuple[str, int]] = set()

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
            text = window
            if self._kind is not FileKind.BINARY and b"\0" in window.data:
                # Shells, and most that read texts, pass over it.
                text = window._replace(data=window.data.replace(b"\0", b""))
            self._window(text, seconds_left)
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
        matches = self._matches(data, seconds_left)
        places = _Places(data, LineNumbers(data, window.line), self._secrets(matches))
        around = Surroundings(self._path, self._kind, data)
        counts: Counter[tuple[str, int]] = Counter()
        for number, match in enumerate(matches, start=1):
            if number % OFTEN == 0:
                seconds_left()
            self._matched(match, places, around, counts)
        if self._kind is FileKind.BINARY:
            return
        installs = [match.start for match in matches if match.rule == _INSTALLS]
        self._sighted(sightings_of_packages(self._path, data, installs, first=window.first), window.line)
        self._payloads(places, around, seconds_left)
        if b"\x1b" in data or b"\b" in data:
            self._sighted(sightings_of_escapes(data.decode("utf-8", "replace")), window.line)
        text = data.decode("utf-8", "replace")
        plain = None
        if not data.isascii():
            there = frozenset(text)
            sightings = sightings_of_characters(text, there, self._kind, first=window.first)
            self._sighted(sightings, window.line)
            plain = revealed(text, there)
        read = undisguised(text if plain is None else plain, self._kind)
        if read != text:
            self._reveal(read.encode("utf-8", "replace"), window, seconds_left)

    def _matches(self, data: bytes, seconds_left: Callable[[], float]) -> list[Match]:
        return matches_that_count(
            data, self._kind, rules=self._rules, engine=self._engine, seconds_left=seconds_left
        )

    def _secrets(self, matches: Iterable[Match]) -> list[tuple[int, int]]:
        """Return the places of secrets, in order."""
        return [(match.start, match.end) for match in matches if self._rules[match.rule].group == _SECRET]

    def _matched(
        self, match: Match, places: "_Places", around: Surroundings, counts: Counter[tuple[str, int]]
    ) -> None:
        rule = self._rules[match.rule]
        line = places.lines.of(match.start)
        self._matched_at.add((rule.id, line))
        if counts[rule.id, 0] >= _MAX_MATCHES:
            return
        steps = 0
        if rule.documentation is InDocumentation.LOWER:
            steps = around.steps_down(match.start, match.end)
        # Places where attacks are described are counted apart, so that they hide none that is one.
        counts[rule.id, steps] += 1
        if counts[rule.id, steps] > _MAX_MATCHES:
            return
        if rule.fact:
            if steps == 0 and rule.id != _INSTALLS:
                self._remember(rule.id, places.data[match.start : match.end], line)
                self._excerpts.setdefault(rule.id, (line, places.excerpt(match)))
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
        self._add(rule, lowered, line, places.excerpt(match), rule.why + also)

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
        """Add what the rules find in a text as it is read, and have not found on the same line as it is written."""
        matches = self._matches(data, seconds_left)
        places = _Places(data, LineNumbers(data, window.line), self._secrets(matches))
        counts: Counter[str] = Counter()
        for match in matches:
            rule, line = self._rules[match.rule], places.lines.of(match.start)
            known = not rule.hidden or (rule.id, line) in self._matched_at
            if not known and counts[rule.id] < _MAX_MATCHES:
                counts[rule.id] += 1
                self._add(
                    rule, rule.severity_for(self._kind), line, places.excerpt(match), rule.why + _HIDDEN_WORDS
                )

    def _payloads(self, places: "_Places", around: Surroundings, seconds_left: Callable[[], float]) -> None:
        rule = self._rules["encoded.payload"]
        if self._kind not in rule.kinds:
            return
        starts, begins, decoded = [], [], bytearray()
        for start, text in decoded_payloads(places.data, self._kind):
            starts.append(start)
            begins.append(len(decoded))
            decoded += text + _BETWEEN
        if not starts:
            return
        # All of them at once: each call of the engine takes longer than most of these texts.
        matches = self._matches(bytes(decoded), seconds_left)
        inside = _Places(bytes(decoded), places.lines, self._secrets(matches))
        worst: dict[int, Match] = {}
        for match in sorted(matches, key=lambda match: worst_first(match, self._rules, self._kind)):
            if not self._rules[match.rule].fact:
                worst.setdefault(bisect_right(begins, match.start) - 1, match)
        counts: Counter[int] = Counter()
        for number, match in sorted(worst.items()):
            start = starts[number]
            steps = around.steps_down(start, start + 1)
            counts[steps] += 1
            if counts[steps] <= _MAX_MATCHES:
                also = f" Decoded, {match.rule} finds something in it."
                line = places.lines.of(start)
                self._add(rule, rule.severity.lowered(steps), line, inside.excerpt(match), rule.why + also)

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


class _Places(NamedTuple):
    """A text, and what is known of its places."""

    data: bytes
    lines: LineNumbers
    secrets: list[tuple[int, int]]

    def excerpt(self, match: Match) -> str:
        """Return the line of a match, without its secrets."""
        return excerpt_of(self.data, match.start, match.end, self.secrets)
