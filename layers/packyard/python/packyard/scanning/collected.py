"""Keeps the worst findings of a scan."""

from collections import Counter
from collections.abc import Iterable

from packyard.scanning.finding import Finding

# Of one rule in one file, the worst. A file that repeats itself leaves room for others.
_OF_ONE_RULE = 10
_Place = tuple[str, str, int | None]


class Collected:
    """The findings of a scan, of which the worst are kept.

    Args:
        most: How many are kept.

    Attributes:
        left_off: How many are not.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[_Place, Finding] = {}
        self._of_rule: dict[tuple[str, str], list[_Place]] = {}
        self.left_off = 0

    def add(self, finding: Finding) -> None:
        """Take a finding. Of one rule and one line, the worst one counts."""
        place = (finding.rule, finding.path, finding.line)
        there = self._kept.get(place)
        if there is not None:
            if there.severity.rank < finding.severity.rank:
                self._kept[place] = finding
            return
        places = self._of_rule.setdefault(place[:2], [])
        if len(places) >= _OF_ONE_RULE:
            self.left_off += 1
            # Of equal ones, the last.
            mildest = min(reversed(places), key=lambda other: self._kept[other].severity.rank)
            if self._kept[mildest].severity.rank >= finding.severity.rank:
                return
            places.remove(mildest)
            del self._kept[mildest]
        places.append(place)
        self._kept[place] = finding
        # Sorting at every finding would take long, and keeping all would need unbounded memory.
        if len(self._kept) >= 2 * self._most + 100:
            self._cut()

    def worst(self) -> tuple[Finding, ...]:
        """Return what is kept, the worst first, then by path and line."""
        self._cut()
        return tuple(self._kept.values())

    def _cut(self) -> None:
        kept = worst_of(self._kept.values(), self._most)
        self.left_off += len(self._kept) - len(kept)
        self._kept = {}
        self._of_rule = {}
        for finding in kept:
            place = (finding.rule, finding.path, finding.line)
            self._kept[place] = finding
            self._of_rule.setdefault(place[:2], []).append(place)


def worst_of(findings: Iterable[Finding], most: int) -> list[Finding]:
    """Return the worst findings, at most so many, the worst first.

    Policies treat rules differently, and overrides differ by file. So rules take turns, and in a turn of one rule
    another file comes first: many findings of one rule hide no other rule.
    """
    ordered = sorted(findings, key=_worst_first)
    if len(ordered) <= most:
        return ordered
    in_file: Counter[tuple[str, str]] = Counter()
    turns: Counter[str] = Counter()
    ranked = []
    for finding in ordered:
        ranked.append((in_file[finding.rule, finding.path], finding))
        in_file[finding.rule, finding.path] += 1
    taking_turns = []
    for _, finding in sorted(ranked, key=lambda entry: entry[0]):
        taking_turns.append((turns[finding.rule], finding))
        turns[finding.rule] += 1
    kept = [finding for _, finding in sorted(taking_turns, key=lambda entry: entry[0])[:most]]
    return sorted(kept, key=_worst_first)


def _worst_first(finding: Finding) -> tuple[int, str, int, str]:
    return -finding.severity.rank, finding.path, finding.line or 0, finding.rule
