from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.aws import Aws
from tests.packs import NOW, ORG, a_pack

from packyard.packs.manifest.name import PackName
from packyard.packs.timestamp import format_timestamp
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import Claim, NameHeld, NameLost, Purge, RepositoryBusy
from packyard.store.table import Item

PACK = a_pack(name=PackName("slack"))
SOON = NOW + timedelta(minutes=5)
LATER = NOW + timedelta(minutes=10)
KEY = {"PK": f"ORG#{ORG}", "SK": "NAME#slack"}


@pytest.fixture
def repositories(aws: Aws) -> RepositoryStore:
    return RepositoryStore(table=aws.table)


def claim(repositories: RepositoryStore, token: str, *, until: datetime = SOON, now: datetime = NOW) -> Claim:
    return repositories.claim_for_create(org_id=ORG, name=PACK.name, until=until, now=now, token=token)


def begin(repositories: RepositoryStore, token: str, *, until: datetime = SOON, now: datetime = NOW) -> Purge:
    return repositories.begin_purge(org_id=ORG, name=PACK.name, until=until, now=now, token=token)


def stored(aws: Aws) -> Item:
    return aws.table.get(KEY) or {}


def test_publishers_share_a_repository(repositories: RepositoryStore) -> None:
    assert claim(repositories, "t1").epoch == claim(repositories, "t2").epoch == "t1"


def test_a_name_that_a_pack_holds_cannot_be_claimed(aws: Aws, repositories: RepositoryStore) -> None:
    PackStore(table=aws.table, events=aws.events).create(
        PACK, actor="a", operation="upload", claim=claim(repositories, "t1")
    )

    with pytest.raises(NameHeld) as held:
        claim(repositories, "t2")

    assert held.value.pack_id == PACK.id


def test_a_cleaner_waits_for_publishers(repositories: RepositoryStore) -> None:
    claim(repositories, "t1", until=SOON)

    with pytest.raises(RepositoryBusy) as busy:
        begin(repositories, "p1", now=SOON, until=LATER)

    assert busy.value.until == SOON


def test_a_cleaner_does_not_wait_for_publishers_that_must_be_dead(repositories: RepositoryStore) -> None:
    claim(repositories, "t1", until=SOON)

    purge = begin(repositories, "p1", now=SOON + timedelta(seconds=1), until=LATER)

    assert purge.holder is None


def test_publishers_wait_for_a_cleaner(repositories: RepositoryStore) -> None:
    begin(repositories, "p1", until=SOON)

    with pytest.raises(RepositoryBusy) as busy:
        claim(repositories, "t1", now=SOON, until=LATER)

    assert busy.value.until == SOON


def test_cleaners_wait_for_one_another(repositories: RepositoryStore) -> None:
    begin(repositories, "p1", until=SOON)

    with pytest.raises(RepositoryBusy) as busy:
        begin(repositories, "p2", now=SOON, until=LATER)

    assert busy.value.until == SOON


def test_publishers_come_in_when_the_cleaner_is_done(repositories: RepositoryStore) -> None:
    repositories.end_purge(begin(repositories, "p1"))

    claim(repositories, "t1")


def test_publishers_come_in_when_the_cleaner_must_be_dead(repositories: RepositoryStore) -> None:
    begin(repositories, "p1", until=SOON)

    claim(repositories, "t1", now=SOON + timedelta(seconds=1), until=LATER)


def test_a_cleanup_learns_which_pack_holds_the_name(aws: Aws, repositories: RepositoryStore) -> None:
    PackStore(table=aws.table, events=aws.events).create(
        PACK, actor="a", operation="upload", claim=claim(repositories, "t1")
    )

    assert begin(repositories, "p1", now=LATER).holder == PACK.id


def test_a_repeat_of_a_purge_whose_answer_was_lost_succeeds(repositories: RepositoryStore) -> None:
    assert begin(repositories, "p1") == begin(repositories, "p1")


def test_a_purge_without_a_holder_leaves_nothing_for_good(aws: Aws, repositories: RepositoryStore) -> None:
    claim(repositories, "t1", until=NOW - timedelta(seconds=1))

    purge = begin(repositories, "p1", until=SOON)
    during = stored(aws)
    repositories.end_purge(purge)
    after = stored(aws)

    assert "expires_at" not in during
    assert after["expires_at"] == int((SOON + timedelta(days=1)).timestamp())
    assert "purging_until" not in after


def test_a_purge_leaves_a_held_name_for_good(aws: Aws, repositories: RepositoryStore) -> None:
    PackStore(table=aws.table, events=aws.events).create(
        PACK, actor="a", operation="upload", claim=claim(repositories, "t1")
    )

    repositories.end_purge(begin(repositories, "p1", now=LATER))

    assert stored(aws).keys() == {"PK", "SK", "pack_id", "epoch", "claimed_until"}


def test_a_cleaner_that_lost_its_hold_ends_nothing(aws: Aws, repositories: RepositoryStore) -> None:
    late = begin(repositories, "p1", until=SOON)
    begin(repositories, "p2", now=SOON + timedelta(seconds=1), until=LATER)
    before = stored(aws)

    repositories.end_purge(late)

    assert stored(aws) == before


def test_a_cleaner_that_lost_its_hold_to_a_publisher_ends_nothing(
    aws: Aws, repositories: RepositoryStore
) -> None:
    late = begin(repositories, "p1", until=SOON)
    claim(repositories, "t1", now=SOON + timedelta(seconds=1), until=LATER)
    before = stored(aws)

    repositories.end_purge(late)

    assert stored(aws) == before


def claim_for_change(repositories: RepositoryStore, token: str, *, now: datetime = NOW) -> Claim:
    return repositories.claim_for_change(PACK, until=LATER, now=now, token=token)


def test_a_new_image_for_a_pack_shares_the_repository_in_the_same_epoch(
    aws: Aws, repositories: RepositoryStore
) -> None:
    PackStore(table=aws.table, events=aws.events).create(
        PACK, actor="a", operation="upload", claim=claim(repositories, "t1")
    )

    assert claim_for_change(repositories, "t2") == Claim(org_id=ORG, name=PACK.name, epoch="t1")
    assert stored(aws)["claimed_until"] == format_timestamp(LATER)
    assert "expires_at" not in stored(aws)


def test_a_pack_that_has_lost_its_name_gets_no_new_image(aws: Aws, repositories: RepositoryStore) -> None:
    with pytest.raises(NameLost):
        claim_for_change(repositories, "t1")

    other = replace(PACK, id=a_pack(2).id)
    PackStore(table=aws.table, events=aws.events).create(
        other, actor="a", operation="upload", claim=claim(repositories, "t1")
    )
    with pytest.raises(NameLost):
        claim_for_change(repositories, "t2")


def test_a_new_image_for_a_pack_waits_for_a_cleaner(aws: Aws, repositories: RepositoryStore) -> None:
    PackStore(table=aws.table, events=aws.events).create(
        PACK, actor="a", operation="upload", claim=claim(repositories, "t1")
    )
    purge = begin(repositories, "p1", now=LATER, until=LATER + timedelta(minutes=5))

    with pytest.raises(RepositoryBusy):
        claim_for_change(repositories, "t2", now=LATER)
    repositories.end_purge(purge)

    assert claim_for_change(repositories, "t2", now=LATER).epoch == "p1"
