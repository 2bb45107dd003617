"""What searches find, compared with a judge that looks at every pack."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pytest
from tests.aws import Aws, aws_in_memory
from tests.listings import found_ids, searches, store_indexed
from tests.packs import ORG, OTHER_ORG, a_pack

from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack, PackStatus, Tier, Visibility
from packyard.packs.search_words import Place, parse_search
from packyard.store.pack_items import to_item
from packyard.store.search_index import row_places

NAMES = ["slack", "slack-api", "slacker", "jira", "post-office", "cafe-menu", "data-kit", "kit"]
TITLES = ["Slack", "The Slack API", "Jira tickets", "Café", "Post"]
TEXTS = [
    "Posts messages to Slack, and reads them.",
    "A kit of data for teams; posting is off.",
    "Tickets, tickets, TICKETS!",
    "数据 for the café",
    None,
]
CATEGORIES = ["chat", "data-tools", None]
QUERIES = [
    *(
        "slack",
        "sla",
        "s",
        "post",
        "posts",
        "kit",
        "data",
        "cafe",
        "Café",
        "tickets",
        "数",
        "数据",
        "nothing",
    ),
    *("slack post", "post slack", "data kit", "kit data", "the s", "tickets jira", "slack api", "chat sla"),
]


def catalogue() -> Iterator[Pack]:
    for number, (name, title, text) in enumerate(product(NAMES, TITLES, TEXTS)):
        yield a_pack(
            number,
            name=PackName(f"{name}-{number % 3}" if number % 2 else name),
            display_name=title,
            description=text,
            category=CATEGORIES[number % 3],
            tier=Tier.VERIFIED if number % 7 == 0 else Tier.COMMUNITY,
            org_id=OTHER_ORG if number % 4 > 1 else ORG,
            visibility=Visibility.COMMUNITY if number % 2 else Visibility.ORG,
            status=PackStatus.DELETING if number % 11 == 0 else PackStatus.ACTIVE,
        )


PACKS = list(catalogue())


@pytest.fixture(scope="module")
def stocked() -> Iterator[Aws]:
    with aws_in_memory() as aws:
        store_indexed(aws, PACKS)
        yield aws


def judged(query: str, packs: Sequence[Pack] = PACKS, org_id: str = ORG) -> set[str]:
    wanted = parse_search(query)
    return {
        pack.id
        for pack in packs
        if (pack.org_id == org_id or pack.visibility is Visibility.COMMUNITY)
        and wanted.matches(row_places(to_item(pack)))
    }


@pytest.mark.parametrize("query", QUERIES)
def test_a_search_finds_every_visible_pack_that_matches_once_and_no_other(stocked: Aws, query: str) -> None:
    found = found_ids(stocked, query)

    assert set(found) == judged(query)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("query", ["slack", "s", "post slack", "tickets", "数"])
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_joined_are_the_whole_search_in_its_order(stocked: Aws, query: str, limit: int) -> None:
    found = searches(stocked, query, limit=limit)

    assert [pack.id for page in found for pack in page.packs] == found_ids(stocked, query)
    assert all(len(page.packs) <= limit for page in found)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"owned": True}, lambda pack: pack.org_id == ORG),
        ({"owned": False}, lambda pack: pack.org_id != ORG),
        ({"tier": Tier.VERIFIED}, lambda pack: pack.tier is Tier.VERIFIED),
        ({"category": "chat"}, lambda pack: pack.category == "chat"),
        ({"name": "slack-1"}, lambda pack: pack.name == "slack-1"),
        ({"name_prefix": "slack-"}, lambda pack: pack.name.startswith("slack-")),
        (
            {"owned": False, "tier": Tier.VERIFIED},
            lambda pack: pack.org_id != ORG and pack.tier is Tier.VERIFIED,
        ),
    ],
)
def test_filters_pass_what_they_say(stocked: Aws, filters: dict[str, Any], passes: Any) -> None:
    expected = judged("slack", [pack for pack in PACKS if passes(pack)])

    assert expected
    assert set(found_ids(stocked, "slack", limit=5, **filters)) == expected


def test_names_come_before_display_names_categories_and_texts_and_whole_words_before_their_beginnings(
    stocked: Aws,
) -> None:
    found = [pack for page in searches(stocked, "slack") for pack in page.packs]

    def rank(pack: Pack) -> tuple[bool, bool, Place, str, str]:
        places = row_places(to_item(pack))
        at = places.get("slack", min((place for word, place in places.items() if word.startswith("slack"))))
        in_text = at is Place.DESCRIPTION and not pack.name.startswith("slack")
        longer = "slack" not in places or (in_text is False and at is Place.DESCRIPTION)
        return in_text, longer, at if not longer else Place.NAME, pack.name, pack.id

    assert [pack.id for pack in found] == [pack.id for pack in sorted(found, key=rank)]


def test_another_organisation_finds_its_own_packs_and_the_community_s(stocked: Aws) -> None:
    assert set(found_ids(stocked, "slack", org_id=OTHER_ORG)) == judged("slack", org_id=OTHER_ORG)
    nobody = "org_01hzzzzzzzzzzzzzzzzzzzzzz9"
    assert set(found_ids(stocked, "slack", org_id=nobody)) == judged("slack", org_id=nobody)
