"""Words by which packs are found (API contract, section 2, `search`): those of a text, and where a pack has them.

Two texts match if their words are equal after both are folded: case, accents and compatibility forms do not count
(Unicode Standard, section 3.13, "Default Caseless Matching", and UAX #15). Scripts that put no spaces between words
have one word for each character, so that a part of a sentence is found.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

# The most words of one query.
MAX_WORDS: Final = 8
# The most words of a pack that are indexed. A description of 2,000 characters has about 250 different words in English.
MAX_INDEXED_WORDS: Final = 500
# Longer words count up to here, so that a key of the index stays short.
MAX_WORD_BYTES: Final = 48

# Scripts without spaces: Thai to Myanmar, Khmer, kana, Han.
_ALONE: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# In the scripts of India, vowel signs are marks, which `\w` leaves out. A danda ends a sentence.
_WORD: Final = re.compile(
    rf"[{_ALONE}]|(?:[^\W_{_ALONE}]|[\u0900-\u0963\u0966-\u0dff])+",
)
_ACCENTS: Final = re.compile("[\u0300-\u036f]+")


class Place(IntEnum):
    """Where a pack has a word, the best place first."""

    NAME = 0
    DISPLAY_NAME = 1
    CATEGORY = 2
    DESCRIPTION = 3


class Wanted(NamedTuple):
    """The words of a query, of which a pack has all.

    Attributes:
        whole: Words that a pack has as they are.
        start: The start of a word that it has.
    """

    whole: tuple[str, ...]
    start: str

    @property
    def words(self) -> tuple[str, ...]:
        """All of them, the start last."""
        return (*self.whole, self.start)

    def matches(self, places: Mapping[str, Place]) -> bool:
        """Return whether a pack with these words is wanted."""
        return all(word in places for word in self.whole) and any(
            word.startswith(self.start) for word in places
        )


def words_of(text: str) -> Sequence[str]:
    """Return the folded words of a text, in their order."""
    return [_shortened(word) for word in _WORD.findall(_folded(text))]


def parse_search(text: str) -> Wanted:
    """Return the words of a query. The last one is a start.

    Raises:
        ValueError: There is none, or there are too many.
    """
    *whole, start = words_of(text) or [""]
    if not start:
        raise ValueError("must have a word: letters or digits to look for")
    different = tuple(dict.fromkeys(whole))
    if len(different) >= MAX_WORDS:
        raise ValueError(f"has more than {MAX_WORDS} words; use those that tell most")
    return Wanted(different, start)


def places_of(
    *, name: str, display_name: str, category: str | None, description: str | None
) -> dict[str, Place]:
    """Return the words of a pack, each with the best place in which the pack has it; at most `MAX_INDEXED_WORDS`."""
    places: dict[str, Place] = {}
    texts = (name, display_name, category, description)
    for place, text in zip(Place, texts, strict=True):
        for word in words_of(text or ""):
            if len(places) == MAX_INDEXED_WORDS:
                return places
            places.setdefault(word, place)
    return places


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    # Folding case can decompose a character, and decomposing one can show a capital letter.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))


def _shortened(word: str) -> str:
    if len(word) <= MAX_WORD_BYTES // 4:
        return word
    return word.encode()[:MAX_WORD_BYTES].decode(errors="ignore")
