"""The matches in a text that count, wherever they are in it.

The engine tells of the first places of a pattern only. So the text is read on from the place up to which it has told of
all: else many harmless places would hide the one that is not.
"""

import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from packyard.scanning.catalogue import Rule
from packyard.scanning.engine import Engine, Match
from packyard.scanning.file_kind import FileKind
from packyard.scanning.randomness import entropy

# What is read again before the place at which reading goes on, for patterns that look at the character before.
_BEFORE: Final = 64
# After so many matches it is asked whether there is still time.
OFTEN: Final = 500
_LINE: Final = 300


def worst_first(match: Match, rules: Mapping[str, Rule], kind: FileKind) -> tuple[int, int]:
    """Return what sorts matches: those of the worst rules first, then by place."""
    return -rules[match.rule].severity_for(kind).rank, match.start


def matches_that_count(
    data: bytes,
    kind: FileKind,
    *,
    rules: Mapping[str, Rule],
    engine: Engine,
    seconds_left: Callable[[], float],
) -> list[Match]:
    """Return the matches of the rules for a kind of file that are not harmless. Of overlapping ones, the worst counts.

    Matches of several groups may overlap.

    Args:
        data: The text.
        kind: The kind of its file.
        rules: All rules.
        engine: Finds their patterns.
        seconds_left: Says how long this may still take, and raises `ScanTimeout`.

    Raises:
        ScanTimeout: The time is over.
    """
    kept: dict[str, list[tuple[int, int, str]]] = {}
    applying = frozenset(rule.id for rule in rules.values() if kind in rule.kinds)
    for found in _regions(data, applying, engine, seconds_left):
        for number, match in enumerate(sorted(found, key=lambda match: worst_first(match, rules, kind))):
            if number % OFTEN == OFTEN - 1:
                seconds_left()
            rule = rules[match.rule]
            there = kept.setdefault(rule.id if rule.fact else rule.group, [])
            if not _overlaps(match, there) and not _is_harmless(rule, data, match):
                insort(there, (match.start, match.end, match.rule))
    return [Match(rule, start, end) for of_group in kept.values() for start, end, rule in of_group]


def _regions(
    data: bytes, applying: frozenset[str], engine: Engine, seconds_left: Callable[[], float]
) -> Iterator[Iterable[Match]]:
    """Yield all matches of the rules that apply, those of one part of the text after the other."""
    begin: int | None = 0
    while begin is not None:
        offset = max(0, begin - _BEFORE)
        found = engine.find(data[offset:] if offset else data, seconds=seconds_left(), wanted=applying)
        end = None if found.complete_to is None else offset + found.complete_to
        yield (
            Match(match.rule, offset + match.start, offset + match.end)
            for match in found.matches
            if begin <= offset + match.start and (end is None or offset + match.start < end)
        )
        begin = end


def _overlaps(match: Match, there: list[tuple[int, int, str]]) -> bool:
    """Return whether a match overlaps one of others that are sorted and do not overlap each other."""
    after = bisect_left(there, (match.start + 1,))
    return (after > 0 and there[after - 1][1] > match.start) or (
        after < len(there) and there[after][0] < match.end
    )


def _is_harmless(rule: Rule, data: bytes, match: Match) -> bool:
    matched = data[match.start : match.end]
    if rule.unless and re.search(rule.unless.encode(), matched, re.IGNORECASE):
        return True
    if rule.unless_line:
        start = data.rfind(b"\n", max(0, match.start - _LINE), match.start) + 1 or max(0, match.start - _LINE)
        stop = min(len(data), match.end + _LINE)
        end = data.find(b"\n", match.end, stop)
        if re.search(rule.unless_line.encode(), data[start : stop if end < 0 else end], re.IGNORECASE):
            return True
    return rule.min_entropy > 0 and entropy(matched) < rule.min_entropy
