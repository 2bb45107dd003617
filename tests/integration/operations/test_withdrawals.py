"""POST and DELETE /packs/{id}/revisions/{n}/withdrawal, through the real handler, and what a withdrawal forbids."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from tests.changes import change
from tests.engine.taps import Log
from tests.gateway import Answer, Request
from tests.revisions import (
    REASON,
    archive,
    lock_of,
    made,
    overtaken,
    refusal,
    restore,
    reupload,
    roll_back,
    statuses,
    withdraw,
)
from tests.service import ACME, GLOBEX, Service
from tests.tables import being_deleted

from packyard.tenants.caller import Caller

WITHDRAWN: Final = (409, "revision_withdrawn")
MISSING: Final = "pack_01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def pack(service: Service) -> str:
    """Return a community pack with two revisions."""
    identity = made(service, visibility="community")
    assert reupload(service, identity, "2.0.0").status == 200
    return identity


def listed(service: Service, caller: Caller) -> list[str]:
    return [pack["id"] for pack in service.list_packs(caller).body["packs"]]


def test_a_withdrawn_revision_says_so_and_why_to_its_owner(service: Service, pack: str) -> None:
    answer = withdraw(service, pack, 1)

    assert answer.status == 200
    assert answer.body["revision"] == 1
    assert answer.body["status"] == "withdrawn"
    assert answer.body["withdrawal"] == {
        "reason": REASON,
        "by": ACME.principal,
        "at": "2026-03-01T12:00:00.000Z",
    }
    assert statuses(service, pack) == {1: "withdrawn", 2: "active"}
    assert "status" not in service.get(pack).body


def test_a_pack_whose_current_image_is_withdrawn_says_so_and_leaves_the_listings_of_others(
    service: Service, pack: str
) -> None:
    before = service.get(pack)
    assert withdraw(service, pack, 2).status == 200

    owner, other = service.get(pack), service.get(pack, GLOBEX)

    assert owner.body == before.body | {"status": "withdrawn"}
    assert owner.headers["ETag"] == '"2@withdrawn"' != before.headers["ETag"]
    assert (other.status, other.body["status"]) == (200, "withdrawn")
    assert "reason" not in str(other.body)
    assert (listed(service, ACME), listed(service, GLOBEX)) == ([pack], [])


def test_a_restored_pack_is_as_before(service: Service, pack: str) -> None:
    before = service.get(pack)
    withdraw(service, pack, 2)

    answer = restore(service, pack, 2)

    assert (answer.status, answer.body["status"]) == (200, "active")
    assert "withdrawal" not in answer.body
    assert (service.get(pack).body, service.get(pack).headers["ETag"]) == (
        before.body,
        before.headers["ETag"],
    )
    assert (listed(service, ACME), listed(service, GLOBEX)) == ([pack], [pack])
    assert service.set_role("r", [pack], GLOBEX).status == 200


def test_a_withdrawal_acts_on_every_revision_with_the_image(service: Service, pack: str) -> None:
    service.update(pack, "org")
    assert reupload(service, pack, "3.0.0").status == 200

    withdraw(service, pack, 3)

    assert statuses(service, pack) == {1: "active", 2: "withdrawn", 3: "withdrawn", 4: "active"}


def test_a_change_of_visibility_keeps_a_withdrawn_image_withdrawn(service: Service, pack: str) -> None:
    withdraw(service, pack, 2)

    assert service.update(pack, "org").body["status"] == "withdrawn"
    assert service.update(pack, "community").body["status"] == "withdrawn"

    assert listed(service, GLOBEX) == []


def test_a_new_revision_puts_a_pack_back_into_the_listings(service: Service, pack: str) -> None:
    withdraw(service, pack, 2)

    answer = reupload(service, pack, "3.0.0")

    assert answer.status == 200
    assert "status" not in answer.body
    assert listed(service, GLOBEX) == [pack]


def test_a_repeat_changes_nothing_and_the_first_reason_stays(service: Service, pack: str) -> None:
    first = withdraw(service, pack, 1)
    service.clock.advance(service.services.publisher.deadline)

    assert withdraw(service, pack, 1, reason="Another.").body == first.body
    assert restore(service, pack, 1).body == restore(service, pack, 1).body
    assert restore(service, pack, 2).body["status"] == "active"


def test_what_is_withdrawn_can_still_be_read_by_its_revision(service: Service, pack: str) -> None:
    withdraw(service, pack, 1)

    for caller in (ACME, GLOBEX):
        files = service.send(
            "list_files", "GET", f"/packs/{pack}/files", caller=caller, query={"revision": "1"}
        )
        assert files.status == 200
    assert (
        service.send("download_pack", "GET", f"/packs/{pack}/download", query={"revision": "1"}).status == 200
    )


def test_pins_stay_and_say_that_they_are_withdrawn(service: Service, pack: str) -> None:
    service.pin("support", [{"id": pack, "revision": 1}], GLOBEX)
    tag = service.get_role("support", GLOBEX).headers["ETag"]

    withdraw(service, pack, 1)

    role = service.get_role("support", GLOBEX)
    assert [each["status"] for each in role.body["packs"]] == ["withdrawn"]
    assert role.headers["ETag"] != tag
    assert service.pin("support", [{"id": pack}], GLOBEX).status == 200
    assert service.pin("support", [{"id": pack, "revision": 1}], GLOBEX).body["revision"] == 1


def test_the_lock_document_says_so_when_the_stream_has_told_and_a_poll_stays_one_read(
    service: Service, pack: str
) -> None:
    service.pin("support", [{"id": pack, "revision": 1}])
    before = service.lock("support")
    withdraw(service, pack, 1)

    assert service.follow(pack) == []

    assert lock_of(service, "support") == {pack: "withdrawn"}
    told = service.lock("support")
    assert told.headers["ETag"] != before.headers["ETag"]
    log = Log()
    with service.wire.tapped(log):
        assert service.lock("support", etag=told.headers["ETag"]).status == 304
    assert [point.label for point in log.passed] == ["dynamodb.GetItem"]
    restore(service, pack, 1)
    assert service.follow(pack) == []
    assert service.lock("support").body == before.body
    assert service.get_role("support").body["revision"] == 1


def test_a_role_that_moves_its_pin_forgets_what_it_was_told(service: Service, pack: str) -> None:
    service.pin("support", [{"id": pack, "revision": 1}])
    withdraw(service, pack, 1)
    service.follow(pack)

    assert service.refresh_role("support").status == 200

    assert lock_of(service, "support") == {pack: "active"}


def clone(service: Service, pack: str) -> Answer:
    return service.clone(pack, GLOBEX)


def attach(service: Service, pack: str) -> Answer:
    return service.set_role("new", [pack])


def attach_of_others(service: Service, pack: str) -> Answer:
    return service.set_role("new", [pack], GLOBEX)


def pin(service: Service, pack: str) -> Answer:
    return service.pin("new", [{"id": pack, "revision": 2}])


def begin_to_follow(service: Service, pack: str) -> Answer:
    return service.pin("held", [{"id": pack, "follow": True}])


def refresh(service: Service, pack: str) -> Answer:
    return service.refresh_role("held", pack_ids=[pack])


def publish_again(service: Service, pack: str) -> Answer:
    return reupload(service, pack, "2.0.0")


def upload_again(service: Service, _pack: str) -> Answer:
    return service.upload(archive("2.0.0"), visibility="community")


def try_again(service: Service, pack: str) -> Answer:
    return service.send(
        "replace_pack", "PUT", f"/packs/{pack}", json={"revision": 2}, query={"dry_run": "true"}
    )


def go_to_the_same(service: Service, pack: str) -> Answer:
    return roll_back(service, pack, 2)


@pytest.mark.parametrize(
    "begin",
    [
        clone,
        attach,
        attach_of_others,
        pin,
        begin_to_follow,
        refresh,
        publish_again,
        upload_again,
        go_to_the_same,
        try_again,
    ],
)
def test_nobody_can_begin_to_use_a_withdrawn_current_image(
    service: Service, pack: str, begin: Callable[[Service, str], Answer]
) -> None:
    service.pin("held", [{"id": pack, "revision": 1}])
    withdraw(service, pack, 2)

    answer = begin(service, pack)

    assert refusal(answer) == WITHDRAWN, answer.body
    assert answer.body["error"]["details"]["revisions"] == [
        {"pack_id": pack, "revision": 2, "status": "withdrawn"}
    ]
    assert service.get_role("new").status == 404
    assert [each["revision"] for each in service.get_role("held").body["packs"]] == [1]
    assert max(statuses(service, pack)) == 2


def pin_earlier(service: Service, pack: str) -> Answer:
    return service.pin("new", [{"id": pack, "revision": 1}])


def go_back(service: Service, pack: str) -> Answer:
    return roll_back(service, pack, 1)


def publish_earlier(service: Service, pack: str) -> Answer:
    return reupload(service, pack, "1.0.0")


def edit_back(service: Service, pack: str) -> Answer:
    manifest = b"name: slack\nversion: 1.0.0\n"
    return change(service, pack, {"README.md": b"1.0.0", "pack.yaml": manifest})


def try_earlier(service: Service, pack: str) -> Answer:
    return service.send(
        "replace_pack", "PUT", f"/packs/{pack}", json={"revision": 1}, query={"dry_run": "true"}
    )


@pytest.mark.parametrize("begin", [pin_earlier, go_back, publish_earlier, edit_back, try_earlier])
def test_nobody_can_begin_to_use_a_withdrawn_earlier_image(
    service: Service, pack: str, begin: Callable[[Service, str], Answer]
) -> None:
    withdraw(service, pack, 1)

    answer = begin(service, pack)

    assert refusal(answer) == WITHDRAWN, answer.body
    assert answer.body["error"]["details"]["revisions"] == [
        {"pack_id": pack, "revision": 1, "status": "withdrawn"}
    ]
    assert max(statuses(service, pack)) == 2
    assert begin(service, pack).status == 409
    restore(service, pack, 1)
    assert begin(service, pack).status == 200


def test_a_follower_stays_where_it_is_and_moves_when_the_image_is_restored(service: Service) -> None:
    pack = made(service, "followed")
    assert service.pin("support", [{"id": pack, "follow": True}]).status == 200
    reupload(service, pack, "2.0.0", "followed")
    withdraw(service, pack, 2)

    assert service.follow(pack) == []
    assert [each["revision"] for each in service.get_role("support").body["packs"]] == [1]

    restore(service, pack, 2)
    assert service.follow(pack) == []
    assert [each["revision"] for each in service.get_role("support").body["packs"]] == [2]


@pytest.mark.parametrize(
    ("change_meanwhile", "other"),
    [
        ("visibility", lambda service, pack: service.update(pack, "org")),
        ("reupload", lambda service, pack: reupload(service, pack, "3.0.0")),
        ("roll back", lambda service, pack: roll_back(service, pack, 1)),
    ],
)
def test_a_withdrawal_in_the_middle_of_a_change_has_one_winner(
    service: Service, pack: str, change_meanwhile: str, other: Callable[[Service, str], Answer]
) -> None:
    del change_meanwhile
    with overtaken(service, lambda: withdraw(service, pack, 2)) as answers:
        changed = other(service, pack)

    assert answers[0].status == 200
    assert refusal(changed) == (409, "pack_modified")
    assert service.get(pack).body["status"] == "withdrawn"
    assert listed(service, GLOBEX) == []


def test_a_change_in_the_middle_of_a_withdrawal_is_seen(service: Service, pack: str) -> None:
    with overtaken(service, lambda: reupload(service, pack, "3.0.0")) as answers:
        withdrawn = withdraw(service, pack, 2)

    assert (answers[0].status, withdrawn.status) == (200, 200)
    assert "status" not in service.get(pack).body
    assert statuses(service, pack) == {1: "active", 2: "withdrawn", 3: "active"}


@pytest.mark.parametrize("begin", [attach, attach_of_others, clone, go_back])
def test_a_withdrawal_in_the_middle_of_a_first_use_has_one_winner(
    service: Service, pack: str, begin: Callable[[Service, str], Answer]
) -> None:
    revision = 1 if begin is go_back else 2

    with overtaken(service, lambda: withdraw(service, pack, revision)):
        answer = begin(service, pack)

    assert refusal(answer) == WITHDRAWN
    assert statuses(service, pack)[revision] == "withdrawn"


def test_if_match_takes_the_tag_of_the_pack_also_of_a_withdrawn_one(service: Service, pack: str) -> None:
    stale = withdraw(service, pack, 1, if_match='"1"')
    assert (stale.status, stale.body["error"]["details"]) == (412, {"revision": 2})

    assert withdraw(service, pack, 2, if_match='"2"').status == 200
    tag = service.get(pack).headers["ETag"]
    assert restore(service, pack, 2, if_match=tag).status == 200
    assert service.update(pack, "org", if_match=tag).status == 200


@pytest.mark.parametrize("act", [withdraw, restore])
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((GLOBEX, 1), (403, "permission_denied")),
        ((replace(ACME, scopes=frozenset()), 1), (403, "permission_denied")),
        ((replace(ACME, pack_name="other"), 1), (404, "pack_not_found")),
        ((ACME, 9), (404, "revision_not_found")),
        ((ACME, "one"), (400, "validation_error")),
        ((ACME, 0), (400, "validation_error")),
    ],
)
def test_refusals(
    service: Service,
    pack: str,
    act: Callable[..., Answer],
    asked: tuple[Caller, object],
    expected: tuple[int, str],
) -> None:
    who, revision = asked
    assert refusal(act(service, pack, revision, caller=who)) == expected
    assert statuses(service, pack) == {1: "active", 2: "active"}


@pytest.mark.parametrize("act", [withdraw, restore])
def test_a_pack_that_is_hidden_deleted_or_never_was_is_404(
    service: Service, act: Callable[..., Answer]
) -> None:
    hidden = made(service, "hidden")
    gone = made(service, "gone")
    service.delete(gone)

    for pack_id, caller in ((hidden, GLOBEX), (gone, ACME), (MISSING, ACME), ("slack", ACME)):
        assert refusal(act(service, pack_id, 1, caller=caller)) == (404, "pack_not_found")


def test_a_pack_that_is_being_deleted_stays_as_it_is(service: Service, pack: str) -> None:
    being_deleted(service, pack)

    assert refusal(withdraw(service, pack, 1)) == (409, "pack_deleting")


@pytest.mark.parametrize(
    "reason", ["", "  ", 7, None, "x" * 1001, "a\x1b[31m", "a\u202eb"], ids=lambda reason: repr(reason)[:12]
)
def test_a_reason_is_a_text_for_people(service: Service, pack: str, reason: object) -> None:
    answer = withdraw(service, pack, 1, reason=reason)

    assert answer.status == 400
    assert list(answer.body["error"]["details"]["fields"]) == ["reason"]


def test_a_reason_may_have_lines_in_any_script(service: Service, pack: str) -> None:
    assert (
        withdraw(service, pack, 1, reason=" Ein Kennwort\n…秘密 ").body["withdrawal"]["reason"]
        == "Ein Kennwort\n…秘密"
    )


def test_a_withdrawal_is_not_for_those_who_do_not_pay_but_a_restoration_is(
    service: Service, pack: str
) -> None:
    unpaid = replace(ACME, may_create=False)

    assert refusal(withdraw(service, pack, 1, caller=unpaid)) == (423, "billing_inactive")
    withdraw(service, pack, 1)
    assert restore(service, pack, 1, caller=unpaid).status == 200


def test_a_withdrawal_takes_one_read_and_one_transaction(service: Service, pack: str) -> None:
    log = Log()
    with service.wire.tapped(log):
        withdraw(service, pack, 2)

    assert [point.label for point in log.passed] == ["dynamodb.BatchGetItem", "dynamodb.TransactWriteItems"]


def test_a_conditional_read_sees_a_withdrawal(service: Service, pack: str) -> None:
    tag = service.get(pack).headers["ETag"]
    withdraw(service, pack, 2)

    path = f"/packs/{pack}"
    request = Request(method="GET", resource=path, path=path, headers={"If-None-Match": tag}, caller=ACME)
    assert service.request("get_pack", request).status == 200
