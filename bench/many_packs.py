"""Packs of one organisation by the thousand, the same each time. A quarter is shared.

Their words are drawn as in real text, where a word's frequency is about inverse to its rank (Zipf's law).
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from tests.packs import a_pack

from bench.table_emulator import Dynalite
from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack, Tier, Visibility
from packyard.store.pack_items import to_item
from packyard.store.search_index import items_of
from packyard.store.wire import Item

_VOCABULARY: Final = 5_000
_WORDS_EACH: Final = 24


def _vocabulary() -> Sequence[str]:
    """Return words, the most frequent first."""
    draw = random.Random(1)  # noqa: S311 - the same each time
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    words: dict[str, None] = {}
    while len(words) < _VOCABULARY:
        words["".join(draw.choices(syllables, k=draw.randint(2, 4)))] = None
    return list(words)


WORDS: Final = _vocabulary()
_WEIGHTS: Final = list(accumulate(1 / (rank + 3) for rank in range(_VOCABULARY)))


def packs(org_id: str) -> Iterator[Pack]:
    """Yield packs of an organisation, without end."""
    draw, number = random.Random(2), 0  # noqa: S311 - the same each time
    while True:
        words = draw.choices(WORDS, cum_weights=_WEIGHTS, k=_WORDS_EACH)
        name = PackName(f"{words[0]}-{words[1]}-{number}")
        yield a_pack(
            number,
            org_id=org_id,
            name=name,
            display_name=f"{words[0]} {words[1]}".title(),
            description=" ".join(words[2:]).capitalize() + ".",
            category=WORDS[100 + draw.randrange(12)],
            tier=Tier.VERIFIED if number % 100 == 0 else Tier.COMMUNITY,
            visibility=Visibility.COMMUNITY if number % 4 == 0 else Visibility.ORG,
        )
        number += 1


def write(table: Dynalite, some: Iterable[Pack], *, sought: Callable[[str], bool]) -> int:
    """Write rows, and of the index of their words what is looked for. Return how many items the index has got.

    The other words lie elsewhere, so that they cost a search nothing.

    Args:
        table: The table.
        some: The packs.
        sought: Whether a word may be looked for.
    """
    written = 0

    def items() -> Iterator[Item]:
        nonlocal written
        for pack in some:
            row = to_item(pack)
            yield row
            # A key begins with the rank of the word's place.
            index = [item for item in items_of(row) if sought(item["SK"][1:].partition("#")[0])]
            written += len(index)
            yield from index

    table.write(items())
    return written
