from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.packs import pack_id

from packyard.store.keys import COMMUNITY_SHARDS, community_shard, listing_key, listing_range

SLUGS = st.lists(st.text("ab01", min_size=1, max_size=3), min_size=1, max_size=3).map("-".join)
NAMED = st.tuples(SLUGS, st.integers(0, 99).map(pack_id))


@given(st.lists(NAMED))
def test_keys_sort_by_name_and_then_by_id(packs: list[tuple[str, str]]) -> None:
    assert sorted(packs, key=lambda pack: listing_key(*pack)) == sorted(packs)


@given(st.lists(NAMED, min_size=1), SLUGS | st.just(""))
def test_a_range_holds_the_names_of_a_prefix(packs: list[tuple[str, str]], prefix: str) -> None:
    low, high = listing_range(prefix, None)

    held = [pack for pack in packs if low <= listing_key(*pack) <= high]

    assert held == [pack for pack in packs if pack[0].startswith(prefix)]


@given(st.lists(NAMED, min_size=1), SLUGS | st.just(""))
def test_a_range_goes_on_just_behind_a_position(packs: list[tuple[str, str]], prefix: str) -> None:
    low, high = listing_range(prefix, listing_key(*packs[0]))

    held = [pack for pack in packs if low <= listing_key(*pack) <= high]

    assert held == [pack for pack in packs if pack > packs[0] and pack[0].startswith(prefix)]


def test_community_packs_spread_evenly() -> None:
    counts = Counter(community_shard(pack_id(number)) for number in range(4000))

    assert set(counts) == set(range(COMMUNITY_SHARDS))
    assert all(900 < count < 1100 for count in counts.values())
