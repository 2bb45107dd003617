"""GET and PUT /packs/{id}/retention, and what follows from a policy, through the real handlers."""

from dataclasses import replace
from typing import Any, Final

import pytest
from tests.gateway import Answer
from tests.revisions import (
    cleaned_up,
    delete_revision,
    events_of,
    made,
    overtaken,
    refusal,
    reupload,
    statuses,
    withdraw,
)
from tests.service import ACME, GLOBEX, Service, stream_record
from tests.tables import being_deleted, row_of

from packyard.tenants.caller import Caller

VERSIONS: Final = ("2.0.0", "3.0.0", "4.0.0", "5.0.0")


@pytest.fixture
def pack(service: Service) -> str:
    """Return a community pack with five revisions."""
    identity = made(service, visibility="community")
    for version in VERSIONS:
        assert reupload(service, identity, version).status == 200
    return identity


def keep(service: Service, pack: str, number: object, caller: Caller = ACME, **headers: str) -> Answer:
    path = f"/packs/{pack}/retention"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.send("retention", "PUT", path, caller=caller, json={"keep": number}, headers=sent)


def kept(service: Service, pack: str, caller: Caller = ACME) -> Answer:
    return service.send("retention", "GET", f"/packs/{pack}/retention", caller=caller)


def sweep(service: Service, pack: str) -> None:
    """Let the table's stream tell of the policy, and settle what follows."""
    row: Any = row_of(service, pack)
    before = {name: value for name, value in row.items() if name != "keep_revisions"}
    record = stream_record(pack, "PACK", before, row)
    assert service.invoke("follow_packs", {"Records": [record]})["batchItemFailures"] == []
    assert cleaned_up(service)


def test_all_revisions_are_kept_by_default_and_a_policy_is_shown(service: Service, pack: str) -> None:
    assert kept(service, pack).body == {"keep": None}

    assert keep(service, pack, 2).body == {"keep": 2}

    answer = kept(service, pack)
    assert (answer.body, answer.headers["ETag"]) == ({"keep": 2}, '"keep-2"')
    assert keep(service, pack, None).body == {"keep": None}
    assert kept(service, pack).headers["ETag"] == '"keep-all"'


def test_old_revisions_go_and_the_newest_stay(service: Service, pack: str) -> None:
    keep(service, pack, 2)

    sweep(service, pack)

    assert statuses(service, pack) == {1: "deleted", 2: "deleted", 3: "deleted", 4: "active", 5: "active"}
    told = events_of(service, "revision.deleted")
    assert sorted((event["revision"], event["actor"]) for event in told) == [
        (1, "retention"),
        (2, "retention"),
        (3, "retention"),
    ]


def test_what_a_role_of_any_organisation_pins_stays_until_it_is_let_go(service: Service, pack: str) -> None:
    service.pin("ours", [{"id": pack, "revision": 1}])
    service.pin("theirs", [{"id": pack, "revision": 2}], GLOBEX)
    withdraw(service, pack, 1)
    keep(service, pack, 1)

    sweep(service, pack)
    assert statuses(service, pack) == {1: "withdrawn", 2: "active", 3: "deleted", 4: "deleted", 5: "active"}

    service.delete_role("theirs", GLOBEX)
    sweep(service, pack)
    assert statuses(service, pack)[2] == "deleted"


def test_an_image_that_a_newer_revision_has_stays(service: Service, pack: str) -> None:
    service.send("replace_pack", "PUT", f"/packs/{pack}", json={"revision": 1})
    keep(service, pack, 1)

    sweep(service, pack)

    assert statuses(service, pack) == {
        1: "active",
        2: "deleted",
        3: "deleted",
        4: "deleted",
        5: "deleted",
        6: "active",
    }


def test_a_new_revision_lets_the_oldest_go(service: Service, pack: str) -> None:
    keep(service, pack, 5)
    sweep(service, pack)
    assert set(statuses(service, pack).values()) == {"active"}
    reupload(service, pack, "6.0.0")
    row: Any = row_of(service, pack)

    record = stream_record(pack, "PACK", row | {"image_digest": "old"}, row)
    service.invoke("follow_packs", {"Records": [record]})
    assert cleaned_up(service)

    assert statuses(service, pack) == {1: "deleted", **dict.fromkeys(range(2, 7), "active")}


def test_a_pin_in_the_middle_of_a_sweep_is_seen_or_refused(service: Service, pack: str) -> None:
    keep(service, pack, 4)

    with overtaken(service, lambda: service.pin("r", [{"id": pack, "revision": 1}])) as pinned:
        sweep(service, pack)

    assert pinned[0].status == 200
    assert statuses(service, pack)[1] == "active"


def test_nothing_is_swept_without_a_policy_or_of_a_pack_that_is_being_deleted(
    service: Service, pack: str
) -> None:
    service.services.enqueue_sweep(pack)
    assert cleaned_up(service)
    keep(service, pack, 1)
    being_deleted(service, pack)
    service.services.enqueue_sweep(pack)
    assert cleaned_up(service)

    assert set(statuses(service, pack).values()) == {"active"}


def test_a_policy_that_is_so_already_is_no_event(service: Service, pack: str) -> None:
    keep(service, pack, 3)
    keep(service, pack, 3)
    keep(service, pack, 3.0)

    (event,) = events_of(service, "policy.updated")
    assert (event["pack_id"], event["data"]) == (pack, {"policy": "retention", "name": "slack", "keep": 3})


def test_a_policy_stays_when_the_pack_changes(service: Service, pack: str) -> None:
    keep(service, pack, 9)
    service.update(pack, "org")
    reupload(service, pack, "6.0.0")

    assert kept(service, pack).body == {"keep": 9}


def test_if_match_takes_the_tag_of_the_policy(service: Service, pack: str) -> None:
    assert refusal(keep(service, pack, 3, If_Match='"keep-2"')) == (412, "precondition_failed")
    assert keep(service, pack, 3, If_Match='"keep-all"').status == 200


def test_of_two_policies_at_once_one_wins(service: Service, pack: str) -> None:
    with overtaken(service, lambda: keep(service, pack, 3)) as others:
        answer = keep(service, pack, 4)

    assert (others[0].status, refusal(answer)) == (200, (409, "pack_modified"))
    assert kept(service, pack).body == {"keep": 3}


@pytest.mark.parametrize("number", [0, -1, 10_001, 1.5, "2", True, [1]])
def test_a_policy_is_a_number_of_revisions(service: Service, pack: str, number: object) -> None:
    answer = keep(service, pack, number)

    assert (answer.status, list(answer.body["error"]["details"]["fields"])) == (400, ["keep"])


def test_refusals(service: Service, pack: str) -> None:
    assert refusal(kept(service, pack, GLOBEX)) == (404, "pack_not_found")
    assert refusal(keep(service, pack, 1, GLOBEX)) == (404, "pack_not_found")
    assert refusal(keep(service, pack, 1, replace(ACME, scopes=frozenset({"caps:write"})))) == (
        403,
        "permission_denied",
    )
    assert refusal(keep(service, pack, 1, replace(ACME, may_create=False))) == (423, "billing_inactive")
    assert refusal(kept(service, "slack")) == (404, "pack_not_found")
    being_deleted(service, pack)
    assert refusal(keep(service, pack, 1)) == (409, "pack_deleting")
    assert delete_revision(service, pack, 1).status == 409
