"""What listings hold, read from one table of packs of every kind."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.aws import Aws, aws_in_memory
from tests.listings import in_order, listed, pages, store
from tests.packs import OTHER_ORG, a_pack

from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack, Tier, Visibility

NAMES = ["a", "a-b", "a1", "ab", "b", "b-2", "chat", "chat-2", "chatter", "z"]


def a_named_pack(number: int, **changes: Any) -> Pack:
    return a_pack(number, name=PackName(NAMES[number % len(NAMES)]), **changes)


OWN = [a_named_pack(number) for number in range(20)]
OWN_COMMUNITY = [a_named_pack(number, visibility=Visibility.COMMUNITY) for number in range(20, 30)]
FOREIGN = [
    a_named_pack(number, org_id=OTHER_ORG, visibility=Visibility.COMMUNITY) for number in range(30, 70)
]
HIDDEN = [a_named_pack(number, org_id=OTHER_ORG) for number in range(70, 90)]
TIERED = [
    a_named_pack(
        number, org_id=OTHER_ORG, visibility=Visibility.COMMUNITY, tier=Tier.VERIFIED, category="chat"
    )
    for number in range(90, 95)
]
VISIBLE = OWN + OWN_COMMUNITY + FOREIGN + TIERED


@pytest.fixture(scope="module")
def stocked() -> Iterator[Aws]:
    with aws_in_memory() as services:
        store(services, VISIBLE + HIDDEN)
        yield services


@pytest.mark.parametrize("limit", [1, 2, 7, 74, 75, 76, 100])
def test_every_visible_pack_is_listed_once_and_in_order(stocked: Aws, limit: int) -> None:
    found = pages(stocked, limit=limit)

    assert [pack.id for page in found for pack in page.packs] == in_order(VISIBLE)
    assert {len(page.packs) for page in found[:-1]} <= {limit}


@pytest.mark.parametrize("limit", [3, 100])
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"owned": True}, OWN + OWN_COMMUNITY, id="own_packs"),
        pytest.param({"owned": False}, FOREIGN + TIERED, id="packs_of_others"),
        pytest.param({"tier": Tier.VERIFIED}, TIERED, id="a_tier"),
        pytest.param({"category": "chat"}, TIERED, id="a_category"),
        pytest.param({"category": "chat", "tier": Tier.COMMUNITY}, [], id="filters_that_exclude_each_other"),
        pytest.param({"category": "nothing"}, [], id="a_category_of_no_pack"),
    ],
)
def test_filters_pass_what_they_say(
    stocked: Aws, filters: dict[str, Any], expected: Sequence[Pack], limit: int
) -> None:
    assert listed(stocked, limit=limit, **filters) == in_order(expected)


@pytest.mark.parametrize("prefix", ["a", "a-", "chat", "chatter", "q"])
def test_a_prefix_finds_the_names_that_begin_with_it(stocked: Aws, prefix: str) -> None:
    assert listed(stocked, limit=4, name_prefix=prefix) == in_order(
        pack for pack in VISIBLE if pack.name.startswith(prefix)
    )
