from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.aws import TABLE, Aws
from tests.packs import NOW, ORG, OTHER_ORG, a_pack, pack_id

from packyard.oci.digest import digest_of
from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack
from packyard.store.pack_revisions import PackRevisions, RevisionId
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import Claim, ClaimLost, NameHeld
from packyard.store.table import Put, TransactionFailed

Claims = Callable[[Pack, str], Claim]


@pytest.fixture
def packs(aws: Aws) -> PackStore:
    return PackStore(table=aws.table, events=aws.events)


@pytest.fixture
def claims(aws: Aws) -> Claims:
    repositories = RepositoryStore(table=aws.table)

    def claim(pack: Pack, token: str) -> Claim:
        return repositories.claim_for_create(
            org_id=pack.org_id, name=pack.name, until=NOW + timedelta(minutes=16), now=NOW, token=token
        )

    return claim


def create(packs: PackStore, pack: Pack, claim: Claim) -> None:
    packs.create(pack, actor="key:1", operation="upload", claim=claim)


def everything(aws: Aws) -> object:
    return aws.dynamodb.scan(TableName=TABLE)["Items"]


def test_a_created_pack_is_found_by_id_and_by_name(packs: PackStore, claims: Claims) -> None:
    pack = a_pack(
        description="Talks.", category="chat", capabilities="- name: x\n", suggested_packs=("jira",)
    )

    create(packs, pack, claims(pack, "t"))

    assert packs.get(pack.id) == pack
    assert packs.find_by_name(org_id=ORG, name=pack.name) == pack.id


def test_a_created_pack_has_the_first_entry_of_its_history(
    aws: Aws, packs: PackStore, claims: Claims
) -> None:
    pack = a_pack()

    create(packs, pack, claims(pack, "t"))

    entry = aws.table.get({"PK": f"PACK#{pack.id}", "SK": "REV#0000000001"})
    assert entry is not None
    wanted = {
        "PK": f"PACK#{pack.id}",
        "SK": "REV#0000000001",
        "revision": 1,
        "operation": "upload",
        "version": "1.0.0",
        "image_digest": pack.image_digest,
        "files_digest": pack.content_digest,
        "actor": "key:1",
        "at": "2026-01-02T03:04:05.678Z",
    }
    assert entry == entry | wanted
    # The rest is the pack, so that a role can pin the revision after others have come.
    assert PackRevisions(table=aws.table).read([pack.id], [RevisionId(pack.id, 1)]).earlier == {
        (pack.id, 1): pack
    }


def test_a_pack_costs_two_writes_to_create_and_one_read_to_get(
    aws: Aws, packs: PackStore, claims: Claims
) -> None:
    calls: list[str] = []
    aws.dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    pack = a_pack()

    create(packs, pack, claims(pack, "t"))
    packs.get(pack.id)

    assert calls == ["UpdateItem", "TransactWriteItems", "GetItem"]


def test_a_taken_name_does_not_expire_as_a_claim_does(aws: Aws, packs: PackStore, claims: Claims) -> None:
    pack = a_pack()
    key = {"PK": f"ORG#{ORG}", "SK": f"NAME#{pack.name}"}
    claim = claims(pack, "t")
    claimed = aws.table.get(key)

    create(packs, pack, claim)
    taken = aws.table.get(key)

    assert claimed is not None
    assert claimed["expires_at"] == int((NOW + timedelta(minutes=16, days=1)).timestamp())
    assert taken is not None
    assert "expires_at" not in taken


def test_an_unknown_id_gives_none(packs: PackStore) -> None:
    assert packs.get(pack_id(404)) is None
    assert packs.find_by_name(org_id=ORG, name=PackName("slack")) is None


def test_a_claimed_name_belongs_to_no_pack_yet(packs: PackStore, claims: Claims) -> None:
    claims(a_pack(), "t")

    assert packs.find_by_name(org_id=ORG, name=a_pack().name) is None


def test_of_two_publishers_of_one_name_the_first_to_commit_wins(
    aws: Aws, packs: PackStore, claims: Claims
) -> None:
    first, second = a_pack(1, name=PackName("slack")), a_pack(2, name=PackName("slack"))
    first_claim, second_claim = claims(first, "t1"), claims(second, "t2")

    create(packs, second, second_claim)
    before = everything(aws)
    with pytest.raises(NameHeld) as held:
        create(packs, first, first_claim)

    assert held.value.pack_id == second.id
    assert packs.get(first.id) is None
    assert everything(aws) == before


def test_two_organisations_can_have_packs_of_one_name(packs: PackStore, claims: Claims) -> None:
    mine, theirs = a_pack(1), replace(a_pack(1), id=pack_id(2), org_id=OTHER_ORG)

    for pack in (mine, theirs):
        create(packs, pack, claims(pack, "t"))

    assert packs.find_by_name(org_id=ORG, name=mine.name) == mine.id
    assert packs.find_by_name(org_id=OTHER_ORG, name=theirs.name) == theirs.id


def test_a_repeat_of_a_commit_whose_answer_was_lost_succeeds(packs: PackStore, claims: Claims) -> None:
    pack = a_pack()
    claim = claims(pack, "t")
    create(packs, pack, claim)

    create(packs, pack, claim)

    assert packs.get(pack.id) == pack


def test_a_commit_without_its_claim_changes_nothing(aws: Aws, packs: PackStore, claims: Claims) -> None:
    pack = a_pack()
    claim = claims(pack, "t")
    before = everything(aws)

    with pytest.raises(ClaimLost):
        create(packs, pack, replace(claim, epoch="another"))

    assert everything(aws) == before


def test_a_commit_under_a_name_never_claimed_changes_nothing(aws: Aws, packs: PackStore) -> None:
    pack = a_pack()

    with pytest.raises(ClaimLost):
        create(packs, pack, Claim(org_id=ORG, name=pack.name, epoch="t"))

    assert everything(aws) == []


def test_an_id_is_never_used_again(packs: PackStore, claims: Claims) -> None:
    standing, intruder = a_pack(1), replace(a_pack(2), id=pack_id(1))
    create(packs, standing, claims(standing, "t1"))

    with pytest.raises(TransactionFailed) as failed:
        create(packs, intruder, claims(intruder, "t2"))

    of_name, of_row, of_history, *_ = (reason.condition_failed for reason in failed.value.reasons)
    assert (of_name, of_row, of_history) == (False, True, True)
    assert packs.get(standing.id) == standing
    assert packs.find_by_name(org_id=ORG, name=intruder.name) is None


def test_a_pack_uses_the_digests_of_its_history_and_no_other(packs: PackStore, claims: Claims) -> None:
    pack = a_pack()
    create(packs, pack, claims(pack, "t"))

    assert packs.uses_digest(pack.id, pack.image_digest)
    assert not packs.uses_digest(pack.id, digest_of(b"another"))
    assert not packs.uses_digest(pack_id(404), pack.image_digest)


def test_a_history_knows_the_manifests_of_images_that_were_pushed(packs: PackStore, claims: Claims) -> None:
    pack = a_pack()
    listed, other, absent = (digest_of(word) for word in (b"listed", b"other", b"absent"))
    packs.create(pack, actor="a", operation="clone", claim=claims(pack, "t"), manifests=(listed, other))

    asked = (absent, listed, pack.image_digest)
    assert packs.used_digests(pack.id, asked) == {listed, pack.image_digest}
    assert packs.uses_digest(pack.id, other)


def test_a_pack_is_found_as_it_was_when_it_last_had_an_image(packs: PackStore, claims: Claims) -> None:
    first = a_pack(layer_digest=digest_of(b"layer"), chain_id=digest_of(b"chain"))
    create(packs, first, claims(first, "t"))
    second = first.revised(at=NOW, image_digest=digest_of(b"second"), layer_digest=digest_of(b"other layer"))
    packs.change(first, second, actor="a", operation="put_file")
    third = second.revised(at=NOW, image_digest=digest_of(b"of others"), layer_digest=None)
    packs.change(second, third, actor="a", operation="replace")

    assert packs.with_image(third, first.image_digest) == first
    assert packs.with_image(third, second.image_digest) == second
    assert packs.with_image(third, third.image_digest) == third
    assert packs.with_image(third, digest_of(b"another")) is None


def test_a_digest_is_found_in_a_history_of_many_pages(aws: Aws, packs: PackStore) -> None:
    # Four entries fill a page, which ends at 1 MB.
    for revision in range(1, 12):
        aws.table.put(
            Put(
                item={
                    "PK": f"PACK#{pack_id(1)}",
                    "SK": f"REV#{revision:010d}",
                    "image_digest": digest_of(str(revision).encode()),
                    "actor": "x" * 300_000,
                },
                condition="attribute_not_exists(PK)",
            )
        )

    pages: list[None] = []
    aws.dynamodb.meta.events.register("before-call.dynamodb.Query", lambda **_: pages.append(None))
    assert packs.uses_digest(pack_id(1), digest_of(b"11"))
    assert len(pages) == 1, (
        "what is asked about has mostly just been pushed, so the newest entries come first"
    )
    assert packs.uses_digest(pack_id(1), digest_of(b"1"))
    assert len(pages) > 2
    assert not packs.uses_digest(pack_id(1), digest_of(b"12"))
