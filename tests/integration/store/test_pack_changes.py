"""Changing a pack: one transaction, on the revision that was read, and nothing but what differs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.aws import TABLE, Aws
from tests.packs import NOW, ORG, a_pack, pack_id

from packyard.oci.digest import digest_of
from packyard.packs.manifest.version import Version
from packyard.packs.pack import Pack, PackStatus, Tier, Visibility
from packyard.store.pack_items import from_item, to_item
from packyard.store.packs import Gone, PackStore, Referenced, Stale
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import Claim, ClaimLost
from packyard.store.table import Put, TransactionFailed, Update

LATER = NOW + timedelta(hours=1)
NEW_IMAGE: dict[str, Any] = {
    "version": Version("2.0.0"),
    "image_digest": digest_of(b"new"),
    "content_digest": digest_of(b"new content"),
    "image_ref": "registry.example.com/packs/x:2.0.0",
    "size_bytes": 4321,
    "display_name": "Renewed",
    "description": None,
    "category": "chat",
    "suggested_packs": ("jira",),
}


@pytest.fixture
def packs(aws: Aws) -> PackStore:
    return PackStore(table=aws.table, events=aws.events)


@pytest.fixture
def standing(aws: Aws, packs: PackStore) -> Pack:
    return written(aws, packs, a_pack(description="Talks.", visibility=Visibility.COMMUNITY))


def written(aws: Aws, packs: PackStore, pack: Pack) -> Pack:
    claim = RepositoryStore(table=aws.table).claim_for_create(
        org_id=pack.org_id, name=pack.name, until=LATER, now=NOW, token="t"
    )
    packs.create(pack, actor="key:1", operation="upload", claim=claim)
    return pack


def change(packs: PackStore, before: Pack, after: Pack, **more: Any) -> None:
    packs.change(before, after, actor="key:2", operation="update", **more)


def set_attribute(aws: Aws, pack: Pack, **attributes: Any) -> None:
    for name, value in attributes.items():
        aws.table.update(
            Update(
                key={"PK": f"PACK#{pack.id}", "SK": "PACK"},
                change="SET #name = :value",
                condition="attribute_exists(PK)",
                values={":value": value},
                names={"#name": name},
            )
        )


def row(aws: Aws, pack: Pack) -> dict[str, Any]:
    item = aws.table.get({"PK": f"PACK#{pack.id}", "SK": "PACK"})
    assert item is not None
    return item


def everything(aws: Aws) -> object:
    return aws.dynamodb.scan(TableName=TABLE)["Items"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"visibility": Visibility.ORG}, id="withdrawn"),
        pytest.param({"tier": Tier.VERIFIED}, id="another tier"),
        pytest.param(NEW_IMAGE, id="another image"),
        pytest.param({}, id="nothing but the revision"),
    ],
)
def test_a_changed_pack_is_read_as_it_was_changed(
    aws: Aws, packs: PackStore, standing: Pack, changes: dict[str, Any]
) -> None:
    after = standing.revised(at=LATER, **changes)

    change(packs, standing, after)

    assert packs.get(standing.id) == after
    assert (after.revision, after.updated_at, after.created_at) == (2, LATER, NOW)
    assert row(aws, standing) == to_item(after)


def test_index_keys_follow_visibility_both_ways(aws: Aws, packs: PackStore, standing: Pack) -> None:
    hidden = standing.revised(at=LATER, visibility=Visibility.ORG)
    shared = hidden.revised(at=LATER, visibility=Visibility.COMMUNITY)

    change(packs, standing, hidden)
    assert row(aws, standing)["GSI1PK"] == f"ORG#{ORG}#org"
    assert not {"GSI2PK", "GSI2SK"} & row(aws, standing).keys()

    change(packs, hidden, shared)
    assert row(aws, standing)["GSI1PK"] == f"ORG#{ORG}#community"
    assert row(aws, standing)["GSI2PK"].startswith("COMMUNITY#")


@pytest.mark.parametrize("changes", [{"visibility": Visibility.ORG}, {"tier": Tier.VERIFIED}, NEW_IMAGE])
def test_counters_and_what_later_versions_keep_survive_every_change(
    aws: Aws, packs: PackStore, standing: Pack, changes: dict[str, Any]
) -> None:
    kept = {"own_refs": 3, "foreign_refs": 0, "sharpness": "high"}
    set_attribute(aws, standing, **kept)

    change(packs, standing, standing.revised(at=LATER, **changes))

    assert {name: row(aws, standing)[name] for name in kept} == kept


def test_a_change_enters_the_history_and_leaves_its_older_entries(
    aws: Aws, packs: PackStore, standing: Pack
) -> None:
    change(packs, standing, standing.revised(at=LATER, **NEW_IMAGE))

    entries = [aws.table.get({"PK": f"PACK#{standing.id}", "SK": f"REV#000000000{n}"}) for n in (1, 2)]
    assert [entry and (entry["revision"], entry["operation"], entry["actor"]) for entry in entries] == [
        (1, "upload", "key:1"),
        (2, "update", "key:2"),
    ]
    assert packs.uses_digest(standing.id, standing.image_digest)
    assert packs.uses_digest(standing.id, digest_of(b"new"))


def test_of_two_changes_prepared_before_either_was_written_one_is_refused(
    aws: Aws, packs: PackStore, standing: Pack
) -> None:
    first = standing.revised(at=LATER, tier=Tier.VERIFIED)
    second = standing.revised(at=LATER, tier=Tier.RECOMMENDED)

    change(packs, standing, second)
    before = everything(aws)
    with pytest.raises(Stale) as stale:
        change(packs, standing, first)

    assert stale.value.current == second
    assert everything(aws) == before


def test_a_change_over_a_revision_that_comes_back_to_the_same_content_is_refused(
    packs: PackStore, standing: Pack
) -> None:
    there = standing.revised(at=LATER, visibility=Visibility.ORG)
    back = there.revised(at=LATER, visibility=Visibility.COMMUNITY)
    change(packs, standing, there)
    change(packs, there, back)

    with pytest.raises(Stale):
        change(packs, standing, there)


@pytest.mark.parametrize("status", [PackStatus.DELETING, PackStatus.DELETED])
def test_a_pack_that_is_going_or_gone_does_not_change(
    aws: Aws, packs: PackStore, standing: Pack, status: PackStatus
) -> None:
    set_attribute(aws, standing, status=status.value)
    before = everything(aws)

    with pytest.raises(Gone) as gone:
        change(packs, standing, standing.revised(at=LATER, tier=Tier.VERIFIED))

    assert gone.value.current == replace(standing, status=status)
    assert everything(aws) == before


def test_a_pack_without_a_row_is_gone(aws: Aws, packs: PackStore) -> None:
    with pytest.raises(Gone) as gone:
        change(packs, a_pack(404), a_pack(404).revised(at=LATER))

    assert gone.value.current is None
    assert everything(aws) == []


@pytest.mark.parametrize("changes", [{}, NEW_IMAGE], ids=["alone", "with a new image"])
def test_a_pack_that_roles_of_others_hold_is_not_withdrawn(
    aws: Aws, packs: PackStore, standing: Pack, changes: dict[str, Any]
) -> None:
    set_attribute(aws, standing, own_refs=1, foreign_refs=2)

    with pytest.raises(Referenced) as referenced:
        change(packs, standing, standing.revised(at=LATER, visibility=Visibility.ORG, **changes))

    assert (referenced.value.own, referenced.value.foreign) == (1, 2)
    assert packs.get(standing.id) == standing


@pytest.mark.parametrize(
    ("refs", "changes"),
    [
        pytest.param({"own_refs": 1}, {"visibility": Visibility.ORG}, id="withdrawn, with own roles"),
        pytest.param({"foreign_refs": 0}, {"visibility": Visibility.ORG}, id="withdrawn, after all let go"),
        pytest.param({"foreign_refs": 2}, {"tier": Tier.VERIFIED}, id="another tier"),
        pytest.param({"foreign_refs": 2}, NEW_IMAGE, id="another image"),
    ],
)
def test_nothing_else_is_refused_for_the_roles_that_hold_a_pack(
    aws: Aws, packs: PackStore, standing: Pack, refs: dict[str, int], changes: dict[str, Any]
) -> None:
    set_attribute(aws, standing, **refs)
    after = standing.revised(at=LATER, **changes)

    change(packs, standing, after)

    assert packs.get(standing.id) == after


def test_a_new_image_is_written_under_the_claim_that_it_was_pushed_under(
    aws: Aws, packs: PackStore, standing: Pack
) -> None:
    claim = RepositoryStore(table=aws.table).claim_for_change(standing, until=LATER, now=NOW, token="t2")
    after = standing.revised(at=LATER, **NEW_IMAGE)

    change(packs, standing, after, claim=claim)

    assert packs.get(standing.id) == after


@pytest.mark.parametrize("claimed", [(1, "another"), (2, "t")], ids=["a cleaner came", "of another pack"])
def test_a_new_image_whose_claim_is_lost_is_not_written(
    aws: Aws, packs: PackStore, standing: Pack, claimed: tuple[int, str]
) -> None:
    written(aws, packs, a_pack(2))
    number, epoch = claimed
    claim = Claim(org_id=ORG, name=a_pack(number).name, epoch=epoch)
    before = everything(aws)

    with pytest.raises(ClaimLost):
        change(packs, standing, standing.revised(at=LATER, **NEW_IMAGE), claim=claim)

    assert everything(aws) == before


def test_what_is_written_alongside_is_written_with_the_change_or_not_at_all(
    aws: Aws, packs: PackStore, standing: Pack
) -> None:
    upload = {"PK": "UPLOAD#1", "SK": "UPLOAD"}
    alongside = [Put(item=upload, condition="attribute_not_exists(PK)")]
    second = standing.revised(at=LATER, tier=Tier.VERIFIED)

    change(packs, standing, second, alongside=alongside)
    before = everything(aws)
    with pytest.raises(TransactionFailed):
        change(packs, second, second.revised(at=LATER), alongside=alongside)

    assert aws.table.get({"PK": "UPLOAD#1", "SK": "UPLOAD"}) == upload
    assert everything(aws) == before


OPTIONAL = st.fixed_dictionaries(
    {},
    optional={
        "visibility": st.sampled_from(Visibility),
        "tier": st.sampled_from(Tier),
        "description": st.none() | st.text(min_size=1),
        "category": st.none() | st.just("chat"),
        "capabilities": st.none() | st.text(min_size=1),
        "suggested_packs": st.lists(st.just("jira")).map(tuple),
        "content_digest": st.none() | st.binary().map(digest_of),
        "size_bytes": st.integers(0, 2**53),
    },
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=OPTIONAL, second=OPTIONAL, number=st.integers(1, 10**20))
def test_any_change_leaves_exactly_the_row_of_the_changed_pack(
    aws: Aws, packs: PackStore, first: dict[str, Any], second: dict[str, Any], number: int
) -> None:
    before = replace(a_pack(number), **first)
    aws.dynamodb.delete_item(
        TableName=TABLE, Key={"PK": {"S": f"PACK#{pack_id(number)}"}, "SK": {"S": "REV#0000000002"}}
    )
    aws.table.put(Put(item=to_item(before), condition="attribute_not_exists(nothing)"))
    after = before.revised(at=LATER, **second)

    change(packs, before, after)

    assert row(aws, before) == to_item(after)
    assert from_item(row(aws, before)) == after
