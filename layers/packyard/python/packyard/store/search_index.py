"""The index of words: one small item for each word of a pack, in its organisation's part and in the community's.

The index only says which packs may match. Whoever searches reads the rows of the packs that it names and compares
them (`store/search.py`). So an item that is left over costs a read, and never shows a pack to anybody. The items follow
from the rows, by the table's stream and by `packyard admin search rebuild`.

A sort key is the rank of a word's place, the word, the place, the pack's name and its id. So the items of one word, or
of words with one start, lie together and are in the order in which a search shows them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from packyard.packs.search_words import Place, places_of
from packyard.store.keys import Key, search_partition
from packyard.store.table import Item, Table

# The part of the index that holds the packs of all organisations that everybody sees.
COMMUNITY: Final = "COMMUNITY"
# Whether a word is in a heading or in the text. A search looks through all headings first.
RANKS: Final = (0, 1)
_RANK: Final = {Place.NAME: 0, Place.DISPLAY_NAME: 0, Place.CATEGORY: 0, Place.DESCRIPTION: 1}


def row_places(row: Item) -> dict[str, Place]:
    """Return the words of a pack's row, each with its best place."""
    return places_of(
        name=row["name"],
        display_name=row["display_name"],
        category=row.get("category"),
        description=row.get("description"),
    )


def search_key(word: str, place: Place, row: Item) -> str:
    """Return the sort key of a pack's word."""
    return f"{_RANK[place]}{word}#{place.value}{row['name']}#{row['id']}"


def best_key(places: Mapping[str, Place], wanted: str, row: Item, *, whole: bool) -> str | None:
    """Return the first sort key by which a word, or the start of one, finds a pack; None if it does not.

    Args:
        places: The words of the pack.
        wanted: The word.
        row: The pack's row.
        whole: Whether it is a word; otherwise the start of one.
    """
    found = [wanted] if whole else [word for word in places if word.startswith(wanted)]
    return min((search_key(word, places[word], row) for word in found if word in places), default=None)


def items_of(row: Item) -> Iterator[Key]:
    """Yield the items of a pack's row. A row that stands in no listing has none.

    It has those of a part if it has the keys of that part's listing, so that whatever leaves a listing cannot be
    found either.
    """
    parts = [
        *([row["org_id"]] if "GSI1PK" in row else ()),
        *([COMMUNITY] if "GSI2PK" in row else ()),
    ]
    if not parts:
        return
    for word, place in row_places(row).items():
        for part in parts:
            yield {"PK": search_partition(part, word), "SK": search_key(word, place, row)}


def index_row(table: Table, old: Item, new: Item) -> None:
    """Let the index say what a row says. Twice does no harm. One write for each 25 items that differ.

    Args:
        table: The table.
        old: The row as it was; empty if there was none.
        new: The row as it is.

    Raises:
        ServiceUnavailable: DynamoDB did not answer, or did not take all of the items.
    """
    before, after = ({tuple(key.items()): key for key in items_of(row)} for row in (old, new))
    put = [key for at, key in after.items() if at not in before]
    delete = [key for at, key in before.items() if at not in after]
    table.write_many(put=put, delete=delete)
