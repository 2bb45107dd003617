"""Deciding and finishing deletions: conditions on the row, on the name and on the hold of the repository."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.aws import Aws
from tests.packs import NOW, ORG, OTHER_ORG, a_pack

from packyard.errors import PackInUse, PackNotFound, PreconditionFailed
from packyard.oci.digest import digest_of
from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack
from packyard.packs.precondition import IfMatch
from packyard.store.deletions import Deletion, DeletionStore
from packyard.store.keys import name_key, pack_key, revision_key
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import NameHeld, NameLost, Purge, RepositoryBusy
from packyard.store.table import Item, Put, TransactionFailed, Update

PACK = a_pack(name=PackName("slack"))
LEASE = timedelta(minutes=5)
SOON = NOW + LEASE
KEY = name_key(ORG, "slack")


@pytest.fixture
def deletions(aws: Aws) -> DeletionStore:
    return DeletionStore(table=aws.table, events=aws.events)


@pytest.fixture
def repositories(aws: Aws) -> RepositoryStore:
    return RepositoryStore(table=aws.table)


@pytest.fixture
def pack(aws: Aws, repositories: RepositoryStore) -> Pack:
    claim = repositories.claim_for_create(org_id=ORG, name=PACK.name, until=NOW, now=NOW, token="t")
    PackStore(table=aws.table, events=aws.events).create(PACK, actor="a", operation="upload", claim=claim)
    return PACK


def begin(
    deletions: DeletionStore,
    pack: Pack,
    *,
    actor: str = "key:1",
    if_match: IfMatch | None = None,
    now: datetime = NOW,
) -> Deletion:
    begun = deletions.begin(pack.id, org_id=ORG, actor=actor, if_match=if_match, now=now)
    assert begun is not None
    return begun


def join(repositories: RepositoryStore, pack: Pack, token: str, *, now: datetime = NOW) -> Purge:
    return repositories.join_purge(pack, until=now + LEASE, now=now, token=token)


def claim(repositories: RepositoryStore, *, now: datetime) -> None:
    repositories.claim_for_create(org_id=ORG, name=PACK.name, until=now + LEASE, now=now, token="new")


def row(aws: Aws, pack: Pack) -> Item:
    return aws.table.get(pack_key(pack.id)) or {}


def set_fields(aws: Aws, pack: Pack, **values: Any) -> None:
    aws.table.update(
        Update(
            key=pack_key(pack.id),
            change="SET " + ", ".join(f"{name} = :{name}" for name in values),
            condition="attribute_exists(PK)",
            values={f":{name}": value for name, value in values.items()},
        )
    )


class TestTheDecision:
    def test_it_marks_the_row_and_nothing_else_of_it(
        self, aws: Aws, deletions: DeletionStore, pack: Pack
    ) -> None:
        before = row(aws, pack)

        begin(deletions, pack)

        assert row(aws, pack) == before | {
            "status": "deleting",
            "deleting_by": "key:1",
            "deleting_at": "2026-01-02T03:04:05.678Z",
            "deleting_request": "request of a test",
            "GSI3PK": "DELETING",
            "GSI3SK": f"2026-01-02T03:04:05.678Z#{pack.id}",
        }

    def test_a_repeat_keeps_who_asked_first(self, deletions: DeletionStore, pack: Pack) -> None:
        first = begin(deletions, pack)

        assert begin(deletions, pack, actor="key:2", now=SOON) == first
        assert deletions.find(pack.id) == first

    def test_only_the_owner_can_take_it(self, aws: Aws, deletions: DeletionStore, pack: Pack) -> None:
        before = row(aws, pack)

        with pytest.raises(PackNotFound):
            deletions.begin(pack.id, org_id=OTHER_ORG, actor="a", if_match=None, now=NOW)

        assert row(aws, pack) == before

    @pytest.mark.parametrize("counter", ["own_refs", "foreign_refs"])
    def test_a_reference_forbids_it_and_none_left_does_not(
        self, aws: Aws, deletions: DeletionStore, pack: Pack, counter: str
    ) -> None:
        set_fields(aws, pack, **{counter: 1})
        with pytest.raises(PackInUse):
            begin(deletions, pack)
        assert deletions.find(pack.id) is None

        set_fields(aws, pack, **{counter: 0})
        begin(deletions, pack)

    def test_the_precondition_comes_before_the_references(
        self, aws: Aws, deletions: DeletionStore, pack: Pack
    ) -> None:
        set_fields(aws, pack, own_refs=1)

        with pytest.raises(PreconditionFailed):
            begin(deletions, pack, if_match=IfMatch(frozenset({"9"})))

    @pytest.mark.parametrize("tags", [frozenset(), frozenset({"x", "01", "9" * 500}), frozenset({"2"})])
    def test_tags_of_other_revisions_forbid_it(
        self, deletions: DeletionStore, pack: Pack, tags: frozenset[str]
    ) -> None:
        with pytest.raises(PreconditionFailed):
            begin(deletions, pack, if_match=IfMatch(tags))

    def test_a_precondition_is_of_no_concern_once_it_is_decided(
        self, deletions: DeletionStore, pack: Pack
    ) -> None:
        begin(deletions, pack)

        begin(deletions, pack, if_match=IfMatch(frozenset({"9"})))

    def test_it_costs_one_write(self, aws: Aws, deletions: DeletionStore, pack: Pack) -> None:
        calls: list[str] = []
        aws.dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))

        begin(deletions, pack)

        assert calls == ["UpdateItem"]


class TestTheEnd:
    def test_the_next_pack_of_the_name_can_come_at_once(
        self, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        begun = begin(deletions, pack)
        purge = join(repositories, pack, "p1")
        with pytest.raises(NameHeld):
            claim(repositories, now=NOW)

        deletions.finish(begun, purge=purge, now=NOW)

        claim(repositories, now=NOW)

    def test_a_second_end_changes_nothing(
        self, aws: Aws, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        begun = begin(deletions, pack)
        purge = join(repositories, pack, "p1")
        deletions.finish(begun, purge=purge, now=NOW)
        claim(repositories, now=NOW)
        before = row(aws, pack), aws.table.get(KEY)

        deletions.finish(begun, purge=purge, now=SOON)

        assert (row(aws, pack), aws.table.get(KEY)) == before
        assert deletions.begin(pack.id, org_id=ORG, actor="a", if_match=None, now=SOON) is None
        assert aws.table.get(revision_key(pack.id, 3)) is None

    def test_the_tombstone_may_have_gone_meanwhile(
        self, aws: Aws, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        begun = begin(deletions, pack)
        purge = join(repositories, pack, "p1")
        deletions.finish(begun, purge=purge, now=NOW)
        aws.dynamodb.delete_item(
            TableName="packyard-test", Key={"PK": {"S": f"PACK#{pack.id}"}, "SK": {"S": "PACK"}}
        )

        deletions.finish(begun, purge=purge, now=SOON)

        assert row(aws, pack) == {}

    def test_a_pack_without_images_of_ours_frees_its_name_under_a_cleaner_s_hold(
        self, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        later = NOW + timedelta(seconds=1)
        repositories.begin_purge(
            org_id=ORG, name=pack.name, until=later + LEASE, now=later, token="the cleaner of an orphan"
        )

        deletions.finish(begin(deletions, pack), purge=None, now=later)

        with pytest.raises(RepositoryBusy):
            claim(repositories, now=later)
        claim(repositories, now=later + LEASE + timedelta(seconds=1))

    def test_what_never_was_decided_cannot_end(
        self, aws: Aws, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        made_up = Deletion(pack=pack, actor="a", asked_at=NOW)

        with pytest.raises(TransactionFailed):
            deletions.finish(made_up, purge=join(repositories, pack, "p1"), now=NOW)

        assert row(aws, pack)["status"] == "active"


class TestTheHold:
    def test_it_does_not_wait_for_a_publisher(self, repositories: RepositoryStore, pack: Pack) -> None:
        repositories.claim_for_change(pack, until=SOON, now=NOW, token="a publisher at work")

        assert not join(repositories, pack, "p1").shared

    def test_publishers_wait_for_it(self, repositories: RepositoryStore, pack: Pack) -> None:
        join(repositories, pack, "p1")

        with pytest.raises(RepositoryBusy):
            repositories.claim_for_change(pack, until=SOON, now=NOW, token="a publisher")

    def test_an_expired_hold_is_not_joined(self, repositories: RepositoryStore, pack: Pack) -> None:
        join(repositories, pack, "of a process that died")

        assert not join(repositories, pack, "p2", now=SOON + timedelta(seconds=1)).shared

    def test_a_repeat_after_a_lost_answer_gets_the_same_hold(
        self, repositories: RepositoryStore, pack: Pack
    ) -> None:
        assert join(repositories, pack, "p1") == join(repositories, pack, "p1")

    def test_two_have_it_until_the_last_must_be_dead(
        self, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        begun = begin(deletions, pack)
        first = join(repositories, pack, "p1")
        second = join(repositories, pack, "p2", now=NOW + timedelta(minutes=1))
        assert (first.shared, second.shared) == (False, True)

        deletions.finish(begun, purge=second, now=NOW)

        with pytest.raises(RepositoryBusy):
            claim(repositories, now=second.until)
        claim(repositories, now=second.until + timedelta(seconds=1))

    def test_the_one_that_was_joined_learns_of_it_when_it_ends(
        self, aws: Aws, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        begun = begin(deletions, pack)
        first = join(repositories, pack, "p1")
        second = join(repositories, pack, "p2", now=NOW + timedelta(minutes=1))

        deletions.finish(begun, purge=first, now=NOW)

        assert row(aws, pack)["status"] == "deleted"
        with pytest.raises(RepositoryBusy) as busy:
            claim(repositories, now=NOW)
        assert busy.value.until == second.until

    def test_a_slow_clock_does_not_shorten_what_another_has(
        self, repositories: RepositoryStore, pack: Pack
    ) -> None:
        first = join(repositories, pack, "p1")

        assert join(repositories, pack, "p2", now=NOW - timedelta(minutes=1)).until == first.until

    def test_a_joined_hold_cannot_be_ended_early(
        self, aws: Aws, repositories: RepositoryStore, pack: Pack
    ) -> None:
        first, second = join(repositories, pack, "p1"), join(repositories, pack, "p2")
        before = aws.table.get(KEY)

        repositories.end_purge(first)
        repositories.end_purge(second)

        assert aws.table.get(KEY) == before

    def test_ending_an_unshared_hold_lets_publishers_in(
        self, repositories: RepositoryStore, pack: Pack
    ) -> None:
        repositories.end_purge(join(repositories, pack, "p1"))

        repositories.claim_for_change(pack, until=SOON, now=NOW, token="a publisher")

    def test_a_name_that_is_not_its_own_any_more_cannot_be_taken(
        self, deletions: DeletionStore, repositories: RepositoryStore, pack: Pack
    ) -> None:
        begun = begin(deletions, pack)
        deletions.finish(begun, purge=join(repositories, pack, "p1"), now=NOW)

        with pytest.raises(NameLost):
            join(repositories, pack, "p2")

    def test_joining_is_given_up_when_others_keep_changing_the_hold(
        self, aws: Aws, repositories: RepositoryStore, pack: Pack
    ) -> None:
        comers = iter(range(1, 100))

        def another(**_: Any) -> None:
            aws.dynamodb.meta.events.unregister("before-call.dynamodb.UpdateItem", unique_id="another")
            join(repositories, pack, f"another {next(comers)}", now=NOW + timedelta(seconds=next(comers)))
            aws.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", another, unique_id="another")

        join(repositories, pack, "another")
        aws.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", another, unique_id="another")

        with pytest.raises(RepositoryBusy):
            join(repositories, pack, "we")


class TestTheLedger:
    def test_every_image_is_named_once_page_by_page(
        self, aws: Aws, deletions: DeletionStore, pack: Pack
    ) -> None:
        # A page of DynamoDB's ends after a megabyte.
        for number in range(2, 8):
            entry = {
                **revision_key(pack.id, number),
                "image_digest": digest_of(f"{number // 2}".encode()),
                "note": "x" * 300_000,
            }
            aws.table.put(Put(item=entry, condition="attribute_not_exists(PK)"))

        digests = list(deletions.image_digests(pack.id))

        assert digests == [pack.image_digest, *(digest_of(b"%d" % n) for n in (1, 2, 3))]
