"""GET /packs/{id}/revisions, through its real handler."""

from datetime import timedelta

import pytest
from tests.engine.taps import Log
from tests.gateway import Answer, Request
from tests.packs import pack_id
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.tables import being_deleted

from packyard.tenants.caller import Caller


def revisions(service: Service, identity: str, caller: Caller | None = ACME, /, **query: str) -> Answer:
    return service.request(
        "list_revisions",
        Request(
            method="GET",
            resource="/packs/{id}/revisions",
            path=f"/packs/{identity}/revisions",
            query=query,
            caller=caller,
        ),
    )


@pytest.fixture
def pack(service: Service) -> str:
    """A pack at revision 4, a minute after each write before."""
    identity: str = service.upload(PackArchive().build(), visibility="community").body["id"]
    for visibility in ("org", "community", "org"):
        service.clock.advance(timedelta(minutes=1))
        assert service.update(identity, visibility).status == 200
    return identity


def numbers(answer: Answer) -> list[int]:
    return [entry["revision"] for entry in answer.body["revisions"]]


def test_a_history_lists_every_accepted_write_the_newest_first(service: Service, pack: str) -> None:
    body = service.get(pack).body

    answer = revisions(service, pack)

    assert answer.status == 200
    assert answer.body == {
        "revisions": [
            {
                "revision": number,
                "operation": operation,
                "version": "1.4.0",
                "image_digest": body["image_digest"],
                "content_digest": body["content_digest"],
                "actor": "key:acme",
                "at": f"2026-03-01T12:0{number - 1}:00.000Z",
                "status": "active",
            }
            for number, operation in ((4, "update"), (3, "update"), (2, "update"), (1, "upload"))
        ]
    }


@pytest.mark.parametrize("limit", ["1", "2", "3", "4", "100"])
def test_pages_joined_are_the_whole_history(service: Service, pack: str, limit: str) -> None:
    found: list[list[int]] = []
    query = {"limit": limit}
    while True:
        answer = revisions(service, pack, **query)
        found.append(numbers(answer))
        if "next_cursor" not in answer.body:
            break
        query["cursor"] = answer.body["next_cursor"]

    assert [number for page in found for number in page] == [4, 3, 2, 1]
    assert all(len(page) == int(limit) for page in found[:-1])
    assert found[-1]


def test_a_page_goes_on_where_the_last_one_ended_whatever_has_been_written_since(
    service: Service, pack: str
) -> None:
    cursor = revisions(service, pack, limit="2").body["next_cursor"]

    service.update(pack, "community")

    assert numbers(revisions(service, pack, cursor=cursor)) == [2, 1]


def test_a_cursor_serves_only_its_own_pack_and_listing(service: Service, pack: str) -> None:
    other = service.upload(PackArchive(name="other").build()).body["id"]
    cursor = revisions(service, pack, limit="1").body["next_cursor"]
    service.upload(PackArchive(name="third").build())
    listing = service.list_packs(limit="1").body["next_cursor"]

    for answer in (
        revisions(service, other, cursor=cursor),
        revisions(service, pack, GLOBEX, cursor=cursor),
        revisions(service, pack, cursor=listing),
        service.list_packs(cursor=cursor),
    ):
        assert (answer.status, list(answer.fields)) == (400, ["cursor"])


@pytest.mark.parametrize(
    ("query", "field"), [({"limit": "0"}, "limit"), ({"limit": "101"}, "limit"), ({"cursor": "x"}, "cursor")]
)
def test_a_wrong_parameter_is_400_by_name(service: Service, query: dict[str, str], field: str) -> None:
    answer = revisions(service, pack_id(404), **query)

    assert (answer.status, list(answer.fields)) == (400, [field])


@pytest.mark.parametrize("visibility", ["org", "community"])
def test_only_the_owner_sees_the_actors_of_changes(service: Service, visibility: str) -> None:
    theirs = service.upload(PackArchive().build(), visibility=visibility).body["id"]

    answer = revisions(service, theirs, GLOBEX)

    assert (answer.status, answer.error["code"]) == (404, "pack_not_found")


@pytest.mark.parametrize("identity", [pack_id(404), "slack", "pack_" + "A" * 3000])
def test_what_is_not_there_is_404(service: Service, identity: str) -> None:
    assert revisions(service, identity).status == 404


def test_the_history_of_a_pack_that_is_being_deleted_can_be_read(service: Service, pack: str) -> None:
    being_deleted(service, pack)

    assert numbers(revisions(service, pack)) == [4, 3, 2, 1]


def test_a_deleted_pack_has_no_history_to_show(service: Service, pack: str) -> None:
    request = Request(method="DELETE", resource="/packs/{id}", path=f"/packs/{pack}", caller=ACME)
    assert service.request("delete_pack", request).status == 200

    assert revisions(service, pack).status == 404


def test_roles_that_hold_a_pack_are_not_in_its_history(service: Service, pack: str) -> None:
    assert service.set_role("support", [pack]).status == 200

    assert numbers(revisions(service, pack)) == [4, 3, 2, 1]


def test_a_page_costs_three_reads(service: Service, pack: str) -> None:
    log = Log()
    with service.wire.tapped(log):
        revisions(service, pack)

    assert log.calls == ["dynamodb.GetItem", "dynamodb.Query", "dynamodb.BatchGetItem"]


def test_no_caller_is_401(service: Service, pack: str) -> None:
    assert revisions(service, pack, None).status == 401
