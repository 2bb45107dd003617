"""Letters of other scripts that look like Latin ones (Unicode UTS #39, "confusables"): `lists/look_alikes.txt`."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

_LISTS: Final = Path(__file__).parents[1] / "lists"
LATIN_LOOKALIKES: Final = str.maketrans(
    {
        line[0]: line[2]
        for line in _LISTS.joinpath("look_alikes.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    }
)
_STRANGE: Final = frozenset(map(chr, LATIN_LOOKALIKES))
_SCRIPTS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
_WORD: Final = re.compile(r"[^\W\d_]{3,64}")
# Greek letters stand beside Latin ones in formulas, as in "dt" with a delta. A word is longer.
_SHORTEST: Final = 3


def mixed_words(text: str, letters: frozenset[str] | None = None) -> Iterator[tuple[str, int]]:
    """Yield each different word whose letters are of several scripts and look alike, with the line of its first place.

    Args:
        text: The text.
        letters: The set of its characters, where the caller has it.
    """
    if not _STRANGE & (frozenset(text) if letters is None else letters):
        return
    for word in dict.fromkeys(_WORD.findall(text)):
        if not word.isascii() and is_mixed(word):
            yield word, text.count("\n", 0, text.find(word)) + 1


def is_mixed(word: str) -> bool:
    """Return whether a word has Latin letters and, of another script, letters that all look Latin."""
    others = [letter for letter in word if _script(letter) != "LATIN"]
    if not others or len(word) < _SHORTEST or len(others) == len(word):
        return False
    if any(_script(letter) not in _SCRIPTS for letter in word):
        return False
    return all(ord(letter) in LATIN_LOOKALIKES for letter in others)


def looks_latin(word: str) -> bool:
    """Return whether a word of another script looks like a Latin one, letter by letter."""
    return len(word) >= _SHORTEST and all(ord(letter) in LATIN_LOOKALIKES for letter in word)


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    # Python's database has no script property; names begin with it.
    return unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
