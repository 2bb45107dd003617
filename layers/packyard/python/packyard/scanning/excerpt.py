"""The excerpt of a finding: one line of printable text, in which no secret can be read."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from packyard.scanning.finding import MAX_EXCERPT

_BEFORE: Final = 40
_MASK: Final = "****"
# How much of a secret is shown: the public part that says what it is.
_SHOWN: Final = 4
# What may be a key in a text with any characters: letters, digits and signs, and between them anything foreign.
_RANDOM: Final = re.compile(r"[A-Za-z0-9+_=-](?:[A-Za-z0-9+_=-]|[^\x00-\x7f]){15,}")
_SHORTEST_KEY: Final = 16
_SHORTEST_LETTERS: Final = 30
# What may be a secret that no rule knows: passwords in addresses and of commands, values of telling names, long random
# texts. It begins with something that is none, and of which the first characters are shown.
_MAY_BE_SECRET: Final = (
    re.compile(rb"(?<=:)//[^\s/@:]{0,80}:[^\s/@]{1,200}(?=@)"),
    re.compile(rb"(?<![\w-])(?:-u|--user)[ =][\"']?[^\s:\"']{0,80}:[^\s\"']{1,200}"),
    re.compile(
        rb"(?i)(?:passw(?:or)?d|secret|token|api_?key|authorization)[\"']?\s{0,3}[=:]\s{0,3}"
        rb"(?:\"[^\"\n]{4,200}\"|'[^'\n]{4,200}'|[\"']?(?:bearer |basic )?[A-Za-z0-9+/=_.~-]{8,})"
    ),
    re.compile(rb"(?=[A-Za-z0-9+_-]{0,200}[0-9])(?=[A-Za-z0-9+_-]{0,200}[A-Za-z])[A-Za-z0-9+_-]{24,}"),
    # With slashes, as base64 and the keys of AWS have them, which paths have too.
    re.compile(
        rb"(?=[A-Za-z0-9+/]{0,200}[0-9])(?=[A-Za-z0-9+/]{0,200}[A-Z])(?=[A-Za-z0-9+/]{0,200}[a-z])[A-Za-z0-9+/]{32,}"
    ),
)


def excerpt_of(data: bytes, start: int, end: int, secrets: Sequence[tuple[int, int]]) -> str:
    """Return the line of a match, cut around it.

    Args:
        data: The bytes around it.
        start: The offset of the match.
        end: The offset after it.
        secrets: The offsets of what is known to be secret, in order; none overlaps another.
    """
    line_start = data.rfind(b"\n", max(0, start - _BEFORE), start) + 1 or max(0, start - _BEFORE)
    stop = min(len(data), max(start, min(end, start + MAX_EXCERPT)) + MAX_EXCERPT)
    line_end = data.find(b"\n", max(start, min(end, start + MAX_EXCERPT)), stop)
    line_end = stop if line_end < 0 else line_end
    return _printable(_masked(data, line_start, line_end, secrets).decode("utf-8", "replace"))


def shown_text(text: str) -> str:
    """Return a text in one line of printable characters, cut to the length of an excerpt.

    What may be a key is masked, also where invisible characters divide it.
    """
    masked = _RANDOM.sub(_masked_key, text[: 4 * MAX_EXCERPT]).encode("utf-8", "replace")
    return _printable(_masked(masked, 0, len(masked), ()).decode("utf-8", "replace"))


def _masked_key(match: re.Match[str]) -> str:
    run = match[0]
    plain = "".join(character for character in run if character.isascii())
    digits = any(character.isdigit() for character in plain)
    letters = any(character.isalpha() for character in plain)
    mixed = plain != plain.lower() and plain != plain.upper()
    if (
        len(plain) < _SHORTEST_KEY
        or not letters
        or not (digits or (mixed and len(plain) >= _SHORTEST_LETTERS))
    ):
        return run
    return f"{plain[:_SHOWN]}{_MASK}"


def _printable(text: str) -> str:
    flat = " ".join(text.split())
    out = "".join(
        character if character.isprintable() else f"<U+{ord(character):04X}>"
        for character in flat[: 2 * MAX_EXCERPT]
    )
    return out if len(out) <= MAX_EXCERPT else f"{out[: MAX_EXCERPT - 1]}…"


def _masked(data: bytes, start: int, end: int, secrets: Sequence[tuple[int, int]]) -> bytes:
    """Return a part of the data with its secrets masked. What is masked is found in the whole, not in the part."""
    around = data[max(0, start - 2 * MAX_EXCERPT) : end + 2 * MAX_EXCERPT]
    offset = max(0, start - 2 * MAX_EXCERPT)
    spans = [
        *secrets[max(0, bisect_left(secrets, (start,)) - 1) : bisect_left(secrets, (end,))],
        *(
            (offset + match.start(), offset + match.end())
            for pattern in _MAY_BE_SECRET
            for match in pattern.finditer(around)
        ),
    ]
    out = bytearray()
    at = start
    for span_start, span_end in sorted(spans):
        if span_end <= at or span_start >= end:
            continue
        shown = max(at, min(span_start + _SHOWN, span_end)) if span_start >= at else at
        out += data[at:shown] + _MASK.encode()
        at = max(at, min(span_end, end))
    return bytes(out + data[at:end])
