"""Characters that people do not see, or see as others (Unicode Standard, chapter 23; UTS #39; CVE-2021-42574).

Emoji, flags, and the joiners of scripts that need them are not findings.
"""

import re
import unicodedata
from collections.abc import Iterator
from heapq import nlargest
from itertools import islice
from typing import Final

from packyard.scanning.detectors.confusables import LATIN_LOOKALIKES, mixed_words
from packyard.scanning.excerpt import shown_text
from packyard.scanning.file_kind import FileKind
from packyard.scanning.finding import MAX_EXCERPT, Severity
from packyard.scanning.sighting import Sighting

# A flag in tags: a black flag, a region, the end (UTS #51, section ED-14a).
_TAGS: Final = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)|(?P<tags>[\U000e0000-\U000e007f]+)"
)
# The only ones that are emoji (UTS #51, emoji-sequences.txt): England, Scotland, Wales. Others can carry any text.
_EMOJI_FLAGS: Final = frozenset(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}")
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OVERRIDES: Final = frozenset("\u202d\u202e")
_INVISIBLE: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f"
    "\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
)
# Fillers that programming languages take as letters of a name.
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
_RUNS: Final = re.compile(f"[{_INVISIBLE}]+")
_ALL_HIDDEN: Final = re.compile(
    f"[{_INVISIBLE}\u202a-\u202e\u2066-\u2069\ufe00-\ufe0f\U000e0000-\U000e007f\U000e0100-\U000e01ef]+"
)
# Letters that NFKC replaces by those of ASCII: full width, mathematical, enclosed.
_FOLDED: Final = "\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff\u24b6-\u24e9\U0001f130-\U0001f189"


def _characters(ranges: str) -> frozenset[str]:
    """Return the characters of what stands between the brackets of a regular expression."""
    return frozenset(
        chr(number)
        for first, last in re.findall("(.)(?:-(.))?", ranges)
        for number in range(ord(first), ord(last or first) + 1)
    )


# Looking for these in the set of a text's characters tells at once that an expression finds nothing.
_TAG_SET: Final = _characters("\U000e0000-\U000e007f")
_SELECTOR_SET: Final = _characters("\ufe00-\ufe0f\U000e0100-\U000e01ef")
_BIDI_SET: Final = _characters("\u202a-\u202e\u2066-\u2069")
_INVISIBLE_SET: Final = _characters(_INVISIBLE)
# Spaces that NFKC replaces by that of ASCII. Patterns look for that one.
_SPACES: Final = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
_HIDING_SET: Final = _TAG_SET | _BIDI_SET | _INVISIBLE_SET | _characters(_FOLDED + _SPACES)
_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Scripts that need joiners: Arabic, Syriac, N'Ko, those of India and South-East Asia, Mongolian, Tibetan.
_NEEDS_JOINERS: Final = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefe]"
)
_JOINERS: Final = frozenset("\u200c\u200d")
_WORD_AROUND: Final = re.compile(r"[A-Za-z0-9_]")
_ESCAPES: Final = re.compile("\x1b\\[[0-9;]*[A-Za-z]|\x1b\\]|\x08|\x9b")
_LONG_RUN: Final = 8
_SHORT_RUN: Final = 3
_MAX_DECODED: Final = 4096
# Places of one kind in one window.
_MAX_PLACES: Final = 50
# Look-alike words that are replaced before the rules read the text.
_MAX_MIXED: Final = 200


def sightings_of_characters(
    text: str, there: frozenset[str], kind: FileKind, *, first: bool
) -> Iterator[Sighting]:
    """Yield the places of a text that has characters outside of ASCII.

    Args:
        text: The text.
        there: The set of its characters.
        kind: The kind of its file.
        first: Whether the file begins with it; a byte order mark there is none of ours.
    """
    if there & _TAG_SET:
        yield from _tag_runs(text)
    for match in _longest(_SELECTORS, text) if there & _SELECTOR_SET else ():
        count = len(match[0])
        severity = None if count >= _LONG_RUN else Severity.MEDIUM
        excerpt = f"{count} selectors in a row: {shown_text(_selectors(match[0]))}"[:MAX_EXCERPT]
        yield Sighting("hidden.variation-selectors", _line(text, match), excerpt, severity)
    if there & _BIDI_SET:
        yield from _directions(text, kind)
    if there & _INVISIBLE_SET:
        yield from _invisible(text, kind, first=first)
    for word, line in islice(mixed_words(text, there), _MAX_PLACES):
        severity = None if kind is FileKind.SCRIPT else Severity.MEDIUM
        yield Sighting("hidden.mixed-script-word", line, _with_code_points(word), severity)


def _longest(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """Return the longest matches of a pattern, so that many short ones hide no long one."""
    return nlargest(_MAX_PLACES, pattern.finditer(text), key=lambda match: len(match[0]))


def _tag_runs(text: str) -> Iterator[Sighting]:
    flags = [match for match in _TAGS.finditer(text) if match["flag"] and match["flag"] not in _EMOJI_FLAGS]
    # The flag of a region that has no emoji may be meant. Many of them spell something.
    for match in flags[:_MAX_PLACES]:
        severity = Severity.LOW if len(flags) <= _SHORT_RUN else None
        excerpt = f"a flag that is no emoji: {shown_text(_tags(match['flag'][1:]))}"
        yield Sighting("hidden.tag-characters", _line(text, match), excerpt, severity)
    for match in _longest(_TAGS, text):
        if match["tags"]:
            excerpt = f"hidden text: {shown_text(_tags(match['tags']))}"
            yield Sighting("hidden.tag-characters", _line(text, match), excerpt[:MAX_EXCERPT])


def _directions(text: str, kind: FileKind) -> Iterator[Sighting]:
    there = (match for match in _BIDI.finditer(text) if not _is_ordinary_direction(text, match, kind))
    for match in nlargest(_MAX_PLACES, there, key=lambda match: match[0] in _OVERRIDES):
        line = _around(text, match)
        severity = (
            None if kind in (FileKind.SCRIPT, FileKind.CONFIG) or match[0] in _OVERRIDES else Severity.MEDIUM
        )
        yield Sighting("hidden.direction", _line(text, match), shown_text(line), severity)


def _is_ordinary_direction(text: str, match: re.Match[str], kind: FileKind) -> bool:
    """Return whether it is an isolate or an embedding in prose of a script that runs from right to left."""
    return (
        kind is FileKind.GUIDE
        and match[0] not in _OVERRIDES
        and _RIGHT_TO_LEFT.search(_around(text, match)) is not None
    )


def _around(text: str, match: re.Match[str]) -> str:
    before = text[max(0, match.start() - MAX_EXCERPT) : match.start()].rpartition("\n")[2]
    return before + text[match.start() : match.end() + MAX_EXCERPT].partition("\n")[0]


def _invisible(text: str, kind: FileKind, *, first: bool) -> Iterator[Sighting]:
    there = (
        match
        for match in _RUNS.finditer(text)
        if not ((first and match.start() == 0 and match[0] == "\ufeff") or _is_joining(text, match))
    )
    judged = ((_severity_of_run(text, match, kind), match) for match in there)
    for severity, match in nlargest(_MAX_PLACES, judged, key=lambda one: (one[0].rank, len(one[1][0]))):
        around = shown_text(text[max(0, match.start() - 30) : match.end() + 30])
        yield Sighting("hidden.invisible-characters", _line(text, match), around, severity)


def _severity_of_run(text: str, match: re.Match[str], kind: FileKind) -> Severity:
    run = match[0]
    if len(run) >= _LONG_RUN or (kind is FileKind.SCRIPT and not _FILLERS.isdisjoint(run)):
        return Severity.HIGH
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    inside = _WORD_AROUND.match(before) and _WORD_AROUND.match(after) and run != "\u00ad"
    return Severity.MEDIUM if len(run) >= _SHORT_RUN or inside else Severity.LOW


def _is_joining(text: str, match: re.Match[str]) -> bool:
    """Return whether writing needs a run: joiners of a script or of an emoji, marks beside text from the right."""
    around = text[max(0, match.start() - 2) : match.start()] + text[match.end() : match.end() + 1]
    if _JOINERS.issuperset(match[0]) and len(match[0]) == 1:
        return _NEEDS_JOINERS.search(around) is not None or any(
            _is_pictorial(character) for character in around
        )
    if set(match[0]) <= {"\u200e", "\u200f"}:
        return _RIGHT_TO_LEFT.search(text[max(0, match.start() - 60) : match.end() + 60]) is not None
    return match[0] in {"\u180b", "\u180c", "\u180d", "\u180e"} and _NEEDS_JOINERS.search(around) is not None


def _is_pictorial(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sk") or character in "\ufe0f\u2640\u2642\u2695\u2764"


def sightings_of_escapes(text: str) -> Iterator[Sighting]:
    """Yield the places at which a terminal would do something else than show a character."""
    for match in islice(_ESCAPES.finditer(text), _MAX_PLACES):
        around = shown_text(text[max(0, match.start() - 30) : match.end() + 60])
        yield Sighting("hidden.terminal-escape", _line(text, match), around)


def revealed(text: str, there: frozenset[str]) -> str | None:
    """Return a text as people and models would read it: what is hidden is shown or removed, look-alikes are replaced.

    Lines stay lines. None if nothing in it hides or is replaced.

    Args:
        text: The text.
        there: The set of its characters.
    """
    spelled = bool(there & _SELECTOR_SET) and _SELECTORS.search(text) is not None
    mixed = [word for word, _ in islice(mixed_words(text, there), _MAX_MIXED)]
    if not (spelled or mixed or there & _HIDING_SET):
        return None
    text = _TAGS.sub(_spelled, text)
    text = _SELECTORS.sub(lambda match: f" {_selectors(match[0])} ", text)
    folded = unicodedata.normalize("NFKC", _ALL_HIDDEN.sub("", text))
    for word in mixed:
        folded = folded.replace(word, word.translate(LATIN_LOOKALIKES))
    return folded


def _spelled(match: re.Match[str]) -> str:
    text = "" if match["flag"] in _EMOJI_FLAGS else _tags(match["tags"] or match["flag"][1:])
    return f" {text} " if text else ""


def _tags(run: str) -> str:
    """Return the text that tags spell: each is an ASCII character, moved (Unicode Standard, section 23.9)."""
    return "".join(
        chr(ord(tag) - 0xE0000)
        for tag in run[:_MAX_DECODED]
        if 0x20 <= ord(tag) - 0xE0000 < 0x7F  # noqa: PLR2004
    )


def _selectors(run: str) -> str:
    """Return the text that variation selectors spell, each one a byte."""
    spelled = bytes(
        ord(selector) - 0xFE00 if ord(selector) < 0xE0100 else ord(selector) - 0xE0100 + 16  # noqa: PLR2004
        for selector in run[:_MAX_DECODED]
    )
    text = spelled.decode("utf-8", "replace").replace("\n", " ")
    return text if text.isprintable() else ""


def _with_code_points(word: str) -> str:
    strange = [f"U+{ord(character):04X}" for character in dict.fromkeys(word) if not character.isascii()]
    return shown_text(f"{word} has {', '.join(strange)}")


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
