"""What becomes of searches when packs change, and what a search reads."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from tests.aws import TABLE, Aws, aws_in_memory
from tests.listings import found_ids, store, store_indexed
from tests.packs import ORG, OTHER_ORG, a_pack

from packyard.packs.pack import Pack, PackStatus, Tier, Visibility
from packyard.packs.search_words import Wanted
from packyard.store.listing import Filters
from packyard.store.pack_items import to_item
from packyard.store.search import search_packs
from packyard.store.search_index import index_row, row_places


@pytest.fixture
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services


def rewritten(aws: Aws, old: Pack, new: Pack, *, indexed: bool = True) -> None:
    aws.dynamodb.delete_item(TableName=TABLE, Key={"PK": {"S": f"PACK#{old.id}"}, "SK": {"S": "PACK"}})
    store(aws, [new])
    if indexed:
        index_row(aws.table, to_item(old), to_item(new))


SHARED = a_pack(
    1,
    org_id=OTHER_ORG,
    visibility=Visibility.COMMUNITY,
    display_name="Weather",
    description="Forecasts of rain and snow",
)


def test_what_a_change_takes_away_is_not_found_any_more_and_what_it_brings_is(aws: Aws) -> None:
    store_indexed(aws, [SHARED])
    rewritten(aws, SHARED, replace(SHARED, description="Forecasts of hail and snow"))

    assert found_ids(aws, "rain") == []
    assert found_ids(aws, "hail snow") == found_ids(aws, "weather") == [SHARED.id]


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        {"visibility": Visibility.ORG},
        {"status": PackStatus.DELETED},
        {"description": "Forecasts of wind", "display_name": "Wind"},
    ],
)
def test_a_pack_that_is_hidden_gone_or_other_than_the_index_says_is_not_shown(
    aws: Aws, change: dict[str, Any], indexed: bool
) -> None:
    """Also while the index does not know it yet: the row decides."""
    store_indexed(aws, [SHARED])
    rewritten(aws, SHARED, replace(SHARED, **change), indexed=indexed)

    assert found_ids(aws, "rain") == found_ids(aws, "weather") == []


def test_a_change_of_what_is_not_searched_writes_nothing(aws: Aws) -> None:
    store_indexed(aws, [SHARED])
    written: list[object] = []
    aws.dynamodb.meta.events.register("before-call.dynamodb.BatchWriteItem", lambda **_: written.append(1))

    index_row(aws.table, to_item(SHARED), {**to_item(SHARED), "own_refs": 3, "revision": 9})

    assert written == []


def test_a_deleted_pack_leaves_nothing_in_the_index(aws: Aws) -> None:
    store_indexed(aws, [SHARED])
    index_row(aws.table, to_item(SHARED), to_item(replace(SHARED, status=PackStatus.DELETED)))

    items = aws.dynamodb.scan(TableName=TABLE)["Items"]
    assert [item["PK"]["S"] for item in items] == [f"PACK#{SHARED.id}"]


def test_records_that_come_twice_end_in_the_same_index(aws: Aws) -> None:
    """The stream repeats a batch from the record that failed on, in order."""
    rows: list[dict[str, Any]] = [
        {},
        to_item(SHARED),
        to_item(replace(SHARED, description="Snow only")),
        to_item(replace(SHARED, visibility=Visibility.ORG)),
    ]
    steps = list(pairwise(rows))
    store(aws, [replace(SHARED, visibility=Visibility.ORG)])

    for old, new in (*steps, *steps[1:], *steps):
        index_row(aws.table, old, new)

    assert found_ids(aws, "snow", org_id=OTHER_ORG) == [SHARED.id]
    items = aws.dynamodb.scan(TableName=TABLE)["Items"]
    words = {(item["PK"]["S"], item["SK"]["S"]) for item in items if item["PK"]["S"].startswith("WORD#")}
    assert {at.split("#")[1] for at, _ in words} == {OTHER_ORG}
    assert len(words) == len(row_places(rows[-1]))


def test_what_the_rarest_word_finds_is_read_and_not_what_the_common_ones_do(aws: Aws) -> None:
    many = [a_pack(number, description="common words") for number in range(120)]
    store_indexed(aws, [*many, a_pack(500, description="common words, and a rarity")])
    rows = 0

    def count(params: dict[str, Any], **_: Any) -> None:
        nonlocal rows
        rows += sum(len(asked["Keys"]) for asked in params["RequestItems"].values())

    aws.dynamodb.meta.events.register("provide-client-params.dynamodb.BatchGetItem", count)

    assert found_ids(aws, "common words rarity") == found_ids(aws, "rarity common") == [a_pack(500).id]
    assert rows <= 4


def test_a_page_ends_after_so_many_rows_however_few_match(aws: Aws) -> None:
    store_indexed(aws, [a_pack(number, description="common words") for number in range(350)])
    wanted = Wanted(("common",), "words")
    found = search_packs(
        aws.table,
        org_id=ORG,
        filters=Filters(tier=Tier.VERIFIED),
        wanted=wanted,
        limit=10,
        position=None,
    )

    assert (found.packs, found.next_position is None) == ((), False)
    assert found_ids(aws, "common words", tier=Tier.VERIFIED) == []
