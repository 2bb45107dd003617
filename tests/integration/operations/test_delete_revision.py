"""DELETE /packs/{id}/revisions/{n}, through the real handler and that of the cleanup queue."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fake_registry.moods import Refuses
from tests.revisions import (
    archive,
    cleaned_up,
    delete_revision,
    events_of,
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
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive, Service
from tests.tables import row_of

from packyard.packs.image_state import FORCE_AFTER
from packyard.tenants.caller import Caller

IN_USE: Final = (409, "revision_in_use")


@pytest.fixture
def pack(service: Service) -> str:
    """Return a community pack with three revisions, of which the first two share a file."""
    identity = made(service, visibility="community", secret=b"password\n")
    assert reupload(service, identity, "2.0.0", secret=b"password\n").status == 200
    assert reupload(service, identity, "3.0.0").status == 200
    return identity


def image_of(service: Service, pack: str, revision: int) -> str:
    revisions = service.send("list_revisions", "GET", f"/packs/{pack}/revisions").body["revisions"]
    digest: str = next(each["image_digest"] for each in revisions if each["revision"] == revision)
    return digest


def images(service: Service) -> set[str]:
    return service.images()[f"packs/{ACME.org_id}/slack"]


def keys(service: Service) -> set[str]:
    bucket = service.services.settings.staging_bucket
    return {found["Key"] for found in service.aws.s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def at(service: Service, path: str, pack: str, revision: int, caller: Caller = ACME) -> Any:
    function = {"files": "list_files", "download": "download_pack"}[path]
    query = {"revision": str(revision)}
    return service.send(function, "GET", f"/packs/{pack}/{path}", caller=caller, query=query)


def test_the_content_goes_and_the_entry_stays(service: Service, pack: str) -> None:
    digest, before, indexes = image_of(service, pack, 1), images(service), keys(service)

    answer = delete_revision(service, pack, 1)

    assert (answer.status, answer.body) == (200, {"status": "deleted", "also_in": [2], "clones": 0})
    # The index and its manifests, for two platforms.
    assert len(before - images(service)) == 3
    assert digest not in images(service)
    assert len(indexes - keys(service)) == 1
    assert statuses(service, pack) == {1: "deleted", 2: "active", 3: "active"}
    assert image_of(service, pack, 1) == digest
    for path in ("files", "download"):
        for caller in (ACME, GLOBEX):
            assert refusal(at(service, path, pack, 1, caller)) == (404, "revision_not_found")
            assert at(service, path, pack, 2, caller).status == 200
    assert service.get(pack, GLOBEX).status == 200


def test_layers_that_other_revisions_share_stay(service: Service) -> None:
    pack = made(service)
    service.update(pack, "community")
    # Another version with the same files but for pack.yaml, and back: three images.
    assert reupload(service, pack, "2.0.0").status == 200
    blobs = set(service.registry.shelves.repositories[f"packs/{ACME.org_id}/slack"].blobs)

    assert delete_revision(service, pack, 1).status == 200

    assert statuses(service, pack) == {1: "deleted", 2: "deleted", 3: "active"}
    assert at(service, "download", pack, 3).status == 200
    assert set(service.registry.shelves.repositories[f"packs/{ACME.org_id}/slack"].blobs) == blobs


def test_a_repeat_is_answered_alike(service: Service, pack: str) -> None:
    first = delete_revision(service, pack, 1)

    assert delete_revision(service, pack, 1).body == first.body
    service.clock.advance(timedelta(minutes=6))
    assert cleaned_up(service)
    assert statuses(service, pack)[1] == "deleted"


def test_the_current_image_is_not_deleted(service: Service, pack: str) -> None:
    service.update(pack, "org")

    for revision in (3, 4):
        answer = delete_revision(service, pack, revision)
        assert refusal(answer) == IN_USE
    assert len(images(service)) == 9


def test_a_pinned_image_is_not_deleted_and_its_owner_learns_who_pins_it(service: Service, pack: str) -> None:
    service.pin("support", [{"id": pack, "revision": 1}])
    service.pin("theirs", [{"id": pack, "revision": 1}], GLOBEX)
    service.pin("later", [{"id": pack, "revision": 2}], GLOBEX)

    answer = delete_revision(service, pack, 1)

    assert refusal(answer) == IN_USE
    assert answer.body["error"]["details"]["references"] == {
        "role_ids": ["support"],
        "other_organisations": 1,
    }
    assert statuses(service, pack)[1] == "active"
    assert at(service, "download", pack, 1).status == 200
    assert service.pin("new", [{"id": pack, "revision": 1}]).status == 200


def test_a_refused_deletion_leaves_a_withdrawn_image_withdrawn(service: Service, pack: str) -> None:
    service.pin("support", [{"id": pack, "revision": 1}])
    withdrawn = withdraw(service, pack, 1).body

    answer = delete_revision(service, pack, 1, force=True)

    assert refusal(answer) == IN_USE
    assert "from 2026-03-02T12:00:00.000Z on" in answer.body["error"]["message"]
    assert withdraw(service, pack, 1).body == withdrawn


def test_force_works_a_day_after_the_withdrawal_and_roles_see_it(service: Service, pack: str) -> None:
    service.pin("support", [{"id": pack, "revision": 1}])
    withdraw(service, pack, 1)
    service.clock.advance(FORCE_AFTER)
    assert refusal(delete_revision(service, pack, 1)) == IN_USE

    answer = delete_revision(service, pack, 1, force=True)

    assert answer.status == 200
    assert [each["status"] for each in service.get_role("support").body["packs"]] == ["deleted"]
    service.follow(pack)
    assert lock_of(service, "support") == {pack: "deleted"}
    assert service.lock("support", ACME, files="true").status == 200
    assert service.pin("support", [{"id": pack}]).status == 200
    assert service.refresh_role("support").body["packs"][0]["revision"] == 3


def test_force_does_not_count_without_a_withdrawal(service: Service, pack: str) -> None:
    service.pin("support", [{"id": pack, "revision": 1}])
    withdraw(service, pack, 1)
    service.clock.advance(FORCE_AFTER)
    restore(service, pack, 1)

    assert refusal(delete_revision(service, pack, 1, force=True)) == IN_USE


def test_what_is_deleted_cannot_be_published_pinned_or_gone_back_to(service: Service, pack: str) -> None:
    before = images(service)
    delete_revision(service, pack, 1)
    deleted = before - images(service)

    again = reupload(service, pack, "1.0.0", secret=b"password\n")

    assert refusal(again) == (409, "revision_withdrawn")
    assert "nothing brings it back" in again.body["error"]["message"]
    assert refusal(roll_back(service, pack, 1)) == (409, "revision_withdrawn")
    assert refusal(service.pin("r", [{"id": pack, "revision": 1}])) == (409, "revision_withdrawn")
    assert refusal(withdraw(service, pack, 1)) == (404, "revision_not_found")
    assert refusal(restore(service, pack, 1)) == (404, "revision_not_found")
    # What was pushed for it is removed as an orphan, although the history names it.
    service.clock.advance(DEADLINE + timedelta(minutes=5))
    assert cleaned_up(service)
    assert not deleted & images(service)


def test_the_number_of_clones_is_told(service: Service, pack: str) -> None:
    assert service.clone(pack, GLOBEX, name="ours").status == 201
    assert service.clone(pack, GLOBEX, name="ours").status == 200
    assert service.clone(pack, name="another").status == 201
    assert reupload(service, pack, "4.0.0").status == 200

    assert delete_revision(service, pack, 3).body["clones"] == 2
    clones = service.list_packs(GLOBEX, owned="true").body["packs"]
    assert at(service, "download", clones[0]["id"], 1, GLOBEX).status == 200


def test_a_registry_that_fails_is_502_and_the_queue_goes_on(service: Service, pack: str) -> None:
    digest = image_of(service, pack, 1)
    service.registry.moods.append(Refuses(method="DELETE", status=503))

    answer = delete_revision(service, pack, 1)

    assert refusal(answer) == (502, "registry_cleanup_failed")
    assert statuses(service, pack)[1] == "deleted"
    assert refusal(service.pin("r", [{"id": pack, "revision": 1}])) == (409, "revision_withdrawn")
    service.registry.moods.clear()
    service.clock.advance(timedelta(minutes=6))
    assert cleaned_up(service)
    assert digest not in images(service)
    assert delete_revision(service, pack, 1).status == 200


def test_a_pin_in_the_middle_of_a_deletion_has_one_winner(service: Service, pack: str) -> None:
    with overtaken(service, lambda: service.pin("r", [{"id": pack, "revision": 1}])) as pinned:
        answer = delete_revision(service, pack, 1)

    assert (pinned[0].status, refusal(answer)) == (200, IN_USE)

    service.set_role("r", [])
    with overtaken(service, lambda: delete_revision(service, pack, 1)) as deleted:
        late = service.pin("r", [{"id": pack, "revision": 1}])

    assert (deleted[0].status, refusal(late)) == (200, (409, "revision_withdrawn"))


def test_a_deletion_in_the_middle_of_another_leaves_one_end(service: Service, pack: str) -> None:
    with overtaken(service, lambda: delete_revision(service, pack, 1)) as others:
        mine = delete_revision(service, pack, 1)

    assert (mine.status, others[0].status) == (200, 200)
    assert mine.body == others[0].body


def test_a_rollback_in_the_middle_of_a_deletion_wins(service: Service, pack: str) -> None:
    with overtaken(service, lambda: roll_back(service, pack, 1)) as others:
        answer = delete_revision(service, pack, 1)

    assert (others[0].status, refusal(answer)) == (200, IN_USE)
    assert at(service, "download", pack, 1).status == 200


def test_an_upload_that_is_overtaken_by_a_deletion_is_told_to_repeat(service: Service, pack: str) -> None:
    with overtaken(service, lambda: delete_revision(service, pack, 1)) as others:
        answer = reupload(service, pack, "4.0.0")

    assert (others[0].status, answer.status) == (200, 503)
    assert reupload(service, pack, "4.0.0").status == 200


def test_a_deletion_is_one_event(service: Service, pack: str) -> None:
    delete_revision(service, pack, 1)
    delete_revision(service, pack, 1)

    told = events_of(service, "revision.deleted")
    assert [(event["pack_id"], event["revision"], event["actor"]) for event in told] == [
        (pack, 1, ACME.principal)
    ]
    assert told[0]["data"]["also_in"] == [2]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((GLOBEX, 1), (403, "permission_denied")),
        ((replace(ACME, scopes=frozenset({"caps:write"})), 1), (403, "permission_denied")),
        ((replace(ACME, pack_name="other"), 1), (404, "pack_not_found")),
        ((ACME, 9), (404, "revision_not_found")),
        ((ACME, "one"), (400, "validation_error")),
    ],
)
def test_refusals(
    service: Service, pack: str, asked: tuple[Caller, object], expected: tuple[int, str]
) -> None:
    assert refusal(delete_revision(service, pack, asked[1], caller=asked[0])) == expected
    assert set(statuses(service, pack).values()) == {"active"}


def test_if_match_takes_the_tag_of_the_pack(service: Service, pack: str) -> None:
    assert refusal(delete_revision(service, pack, 1, if_match='"1"')) == (412, "precondition_failed")
    assert delete_revision(service, pack, 1, if_match='"3"').status == 200


def test_force_is_true_or_false(service: Service, pack: str) -> None:
    path = f"/packs/{pack}/revisions/1"
    answer = service.send("delete_revision", "DELETE", path, query={"force": "yes"})

    assert answer.body["error"]["details"]["fields"] == {"force": "must be true or false"}


def test_empty_files_are_no_common_content_and_revisions_that_cannot_be_compared_are_counted(
    service: Service,
) -> None:
    pack = made(service, empty=b"")
    reupload(service, pack, "2.0.0", empty=b"")
    reupload(service, pack, "3.0.0", empty=b"")
    assert delete_revision(service, pack, 1).body == {"status": "deleted", "also_in": [], "clones": 0}

    for key in keys(service):
        service.aws.s3.delete_object(Bucket=service.services.settings.staging_bucket, Key=key)

    assert delete_revision(service, pack, 2).body == {
        "status": "deleted",
        "also_in": [],
        "clones": 0,
        "not_compared": 1,
    }


def test_the_pack_can_be_deleted_as_a_whole_afterwards(service: Service, pack: str) -> None:
    delete_revision(service, pack, 1)
    withdraw(service, pack, 3)

    assert service.delete(pack).status == 200
    assert f"packs/{ACME.org_id}/slack" not in service.images()
    assert row_of(service, pack)["status"] == "deleted"
    assert service.upload(PackArchive(version="1.0.0").build()).status == 201
    assert archive("1.0.0")
