"""Where pages begin and end, and what they cost."""

import pytest
from tests.aws import Aws
from tests.listings import Reads, listed, pages, store
from tests.packs import ORG, OTHER_ORG, a_pack

from packyard.packs.manifest.name import PackName
from packyard.packs.pack import PackStatus, Visibility
from packyard.store.listing import Filters, Page, list_packs
from packyard.store.pack_items import to_item
from packyard.store.table import Put


def test_an_organisation_without_packs_sees_the_communitys(aws: Aws) -> None:
    theirs = a_pack(1, org_id=OTHER_ORG, visibility=Visibility.COMMUNITY)
    store(aws, [theirs, a_pack(2, org_id=OTHER_ORG)])

    assert listed(aws) == [theirs.id]


def test_an_empty_table_is_one_empty_page(aws: Aws) -> None:
    assert pages(aws, limit=50) == [Page(packs=(), next_position=None)]


@pytest.mark.parametrize("visibility", list(Visibility))
def test_a_pack_being_deleted_is_listed_and_a_deleted_one_is_not(aws: Aws, visibility: Visibility) -> None:
    deleting = a_pack(1, visibility=visibility, status=PackStatus.DELETING)
    store(aws, [deleting, a_pack(2, visibility=visibility, status=PackStatus.DELETED)])

    assert listed(aws) == [deleting.id]


def test_a_pack_between_two_visibilities_is_listed_once(aws: Aws) -> None:
    pack = a_pack(1, visibility=Visibility.COMMUNITY)
    # GSI1 still has the old visibility where GSI2 has the new one already.
    stale = {**to_item(pack), "GSI1PK": f"ORG#{ORG}#org"}
    aws.table.put(Put(item=stale, condition="attribute_not_exists(PK)"))

    assert listed(aws) == [pack.id]


def test_a_page_goes_on_where_the_last_one_ended_though_packs_came_in_between(aws: Aws) -> None:
    store(aws, [a_pack(number, name=PackName(name)) for number, name in enumerate("bdf")])
    first = list_packs(aws.table, org_id=ORG, filters=Filters(), limit=2)

    store(aws, [a_pack(number, name=PackName(name)) for number, name in enumerate("ace", start=3)])
    second = list_packs(aws.table, org_id=ORG, filters=Filters(), limit=50, position=first.next_position)

    assert [pack.name for pack in first.packs] == ["b", "d"]
    assert [pack.name for pack in second.packs] == ["e", "f"]


def test_a_page_costs_the_same_however_many_packs_there_are(aws: Aws) -> None:
    costs = []
    for batch in range(3):
        store(
            aws,
            [
                a_pack(number, org_id=OTHER_ORG, visibility=Visibility.COMMUNITY)
                for number in range(200 * batch, 200 * (batch + 1))
            ],
        )
        reads = Reads(aws)
        page = list_packs(aws.table, org_id=ORG, filters=Filters(), limit=10)
        assert len(page.packs) == 10
        costs.append((reads.calls, reads.items))

    # Four shards of 11 items each, and nothing in the organisation's own partition.
    assert costs == [(5, 44)] * 3


def test_a_filter_that_passes_nothing_costs_a_bounded_number_of_reads(aws: Aws) -> None:
    store(
        aws,
        [a_pack(number, org_id=OTHER_ORG, visibility=Visibility.COMMUNITY) for number in range(1000)],
    )
    reads = Reads(aws)

    page = list_packs(aws.table, org_id=ORG, filters=Filters(category="nothing"), limit=100)

    assert page.packs == ()
    assert page.next_position is not None
    assert 500 <= reads.items < 550
    assert listed(aws, category="nothing") == []


def test_a_filter_that_passes_no_large_pack_costs_a_bounded_number_of_reads(aws: Aws) -> None:
    theirs = [
        a_pack(number, org_id=OTHER_ORG, visibility=Visibility.COMMUNITY, capabilities="x" * 65_536)
        for number in range(250)
    ]
    store(aws, theirs)
    reads = Reads(aws)

    page = list_packs(aws.table, org_id=ORG, filters=Filters(category="nothing"), limit=100)

    assert page.packs == ()
    assert page.next_position is not None
    assert reads.calls == 12
    assert listed(aws, category="nothing") == []


def test_a_page_ends_before_its_fragments_outgrow_an_answer(aws: Aws) -> None:
    store(aws, [a_pack(number, capabilities="x" * 300_000) for number in range(1, 6)])

    found = pages(aws, limit=100)

    assert [len(page.packs) for page in found] == [2, 2, 1]
