"""A deletion that meets others at work on the same pack: an upload onto it, a change, a role, an orphan's cleaner."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.crashes import Killed, fused, moments
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, DEADLINE, PackArchive, Service, running_service

from packyard.store.keys import pack_key

FIRST = PackArchive().build()
SECOND = PackArchive(version="2.0.0", files={"README.md": b"second"}).build()
REPOSITORY = f"packs/{ACME.org_id}/slack"


def reupload(service: Service, pack_id: str) -> Answer:
    body, headers = multipart({"archive": SECOND})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    return service.request("reupload_pack", request)


def update(service: Service, pack_id: str) -> Answer:
    return service.update(pack_id, "community")


def attach(service: Service, pack_id: str) -> Answer:
    return service.send("set_role_packs", "PUT", "/agent-roles/writer/packs", json={"pack_ids": [pack_id]})


def calls_of(act: Callable[[Service, str], Answer]) -> list[str]:
    with running_service() as service:
        pack_id = service.upload(FIRST).body["id"]
        with fused(service, None) as fuse:
            assert act(service, pack_id).status == 200
    return fuse.calls


def delete(service: Service, pack_id: str) -> Answer:
    return service.delete(pack_id)


REUPLOAD, UPDATE, ATTACH, DELETION = map(calls_of, (reupload, update, attach, delete))


def status_of(service: Service, pack_id: str) -> str:
    return str((service.services.table.get(pack_key(pack_id)) or {})["status"])


def settle_all(service: Service) -> None:
    """Let every message come due, those too that were put back behind a hold."""
    service.settle()
    service.clock.advance(timedelta(minutes=20))
    service.settle()


def assert_nothing_left(service: Service, pack_id: str) -> None:
    settle_all(service)
    assert status_of(service, pack_id) == "deleted"
    assert service.images() == {}
    assert service.aws.queued() == []
    assert service.upload(FIRST).status == 201


@pytest.mark.parametrize("moment", moments(REUPLOAD))
def test_an_upload_onto_a_pack_that_is_deleted_meanwhile_leaves_nothing(moment: int) -> None:
    with running_service() as service:
        pack_id = service.upload(FIRST).body["id"]
        deleted: list[int] = []
        with fused(service, moment, lambda: deleted.append(service.delete(pack_id).status)):
            answer = reupload(service, pack_id)

        assert deleted == [200]
        committed = REUPLOAD.index("dynamodb.TransactWriteItems")
        expected = {200} if moment > 2 * committed else {404, 409, 503}
        assert answer.status in expected
        assert_nothing_left(service, pack_id)


@pytest.mark.parametrize("moment", moments(DELETION))
def test_an_upload_onto_a_pack_at_any_moment_of_its_deletion_is_refused_or_goes_too(moment: int) -> None:
    with running_service() as service:
        pack_id = service.upload(FIRST).body["id"]
        answers: list[Answer] = []
        with fused(service, moment, lambda: answers.append(reupload(service, pack_id))):
            assert service.delete(pack_id).status == 200

        assert answers[0].status in (200, 404, 409, 503)
        assert_nothing_left(service, pack_id)


@pytest.mark.parametrize("act", [pytest.param(update, id="change"), pytest.param(attach, id="attach")])
@pytest.mark.parametrize("moment", moments(DELETION))
def test_what_comes_between_is_done_before_the_decision_or_refused(
    moment: int, act: Callable[[Service, str], Answer]
) -> None:
    with running_service() as service:
        pack_id = service.upload(FIRST).body["id"]
        answers: list[Answer] = []
        with fused(service, moment, lambda: answers.append(act(service, pack_id))):
            deleted = service.delete(pack_id)

        decided = 2 * DELETION.index("dynamodb.UpdateItem")
        if moment > decided:
            assert answers[0].status in (404, 409)
            assert deleted.status == 200
        else:
            assert answers[0].status == 200
            assert deleted.status == (409 if act is attach else 200)
        assert (status_of(service, pack_id) == "deleted") == (deleted.status == 200)


@pytest.mark.parametrize(
    ("act", "calls"), [pytest.param(update, UPDATE, id="change"), pytest.param(attach, ATTACH, id="attach")]
)
def test_what_is_overtaken_by_the_deletion_is_refused(
    act: Callable[[Service, str], Answer], calls: list[str]
) -> None:
    write = 2 * calls.index("dynamodb.TransactWriteItems")
    for moment in range(write + 1):
        with running_service() as service:
            pack_id = service.upload(FIRST).body["id"]
            deleted: list[int] = []
            with fused(service, moment, lambda: deleted.append(service.delete(pack_id).status)):  # noqa: B023 - called in this turn
                answer = act(service, pack_id)

            assert (deleted, answer.status in (404, 409)) == ([200], True)
            assert_nothing_left(service, pack_id)


@pytest.mark.parametrize("moment", moments(DELETION))
def test_the_announcements_of_its_images_coming_due_meanwhile_change_nothing(moment: int) -> None:
    with running_service() as service:
        pack_id = service.upload(FIRST).body["id"]
        service.clock.advance(DEADLINE + timedelta(seconds=1))
        announcements = service.aws.queued()
        with fused(service, moment, lambda: service.deliver_bodies(announcements)):
            assert service.delete(pack_id).status == 200

        assert_nothing_left(service, pack_id)


def test_the_tag_of_a_pack_that_is_being_deleted_is_not_set_again(service: Service) -> None:
    pack_id = service.upload(FIRST).body["id"]
    service.clock.advance(DEADLINE + timedelta(seconds=1))
    announcements = service.aws.queued()
    decided = 2 * DELETION.index("dynamodb.UpdateItem") + 1
    with pytest.raises(Killed), fused(service, decided):
        service.delete(pack_id)
    service.registry.shelves.repository(REPOSITORY).tags.clear()

    assert service.deliver_bodies(announcements) == []

    assert service.registry.shelves.repository(REPOSITORY).tags == {}
