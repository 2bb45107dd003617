"""PATCH /packs/{id}, through its real handler."""

from dataclasses import replace

import pytest
from tests.engine.taps import Log
from tests.gateway import Request
from tests.packs import pack_id
from tests.service import ACME, GLOBEX, PackArchive, Service, update_request
from tests.tables import being_deleted, history_of

from packyard.tenants.caller import Caller


@pytest.fixture
def pack(service: Service) -> str:
    return made(service)


def made(service: Service, visibility: str = "org") -> str:
    answer = service.upload(PackArchive().build(), visibility=visibility)
    assert answer.status == 201
    identity: str = answer.body["id"]
    return identity


def test_a_shared_pack_is_seen_by_others_and_listed_as_theirs_to_use(service: Service, pack: str) -> None:
    assert service.get(pack, GLOBEX).status == 404
    before = service.get(pack).body
    service.clock.advance(service.services.publisher.deadline)

    answer = service.update(pack, "community")

    assert answer.status == 200
    assert answer.headers["ETag"] == '"2"'
    assert answer.body == before | {"visibility": "community", "updated_at": "2026-03-01T12:02:00.000Z"}
    assert service.get(pack).body == answer.body
    assert service.get(pack, GLOBEX).body["visibility"] == "community"
    assert [listed["id"] for listed in service.list_packs(GLOBEX).body["packs"]] == [pack]


def test_a_withdrawn_pack_is_hidden_from_others_again(service: Service) -> None:
    pack = made(service, "community")

    answer = service.update(pack, "org")

    assert (answer.status, answer.body["visibility"]) == (200, "org")
    assert service.get(pack, GLOBEX).status == 404
    assert service.list_packs(GLOBEX).body["packs"] == []
    assert [listed["id"] for listed in service.list_packs().body["packs"]] == [pack]


def test_a_write_without_a_change_answers_the_existing_pack_and_makes_no_revision(
    service: Service, pack: str
) -> None:
    before = service.get(pack)

    log = Log()
    with service.wire.tapped(log):
        answer = service.update(pack, "org")

    assert (answer.status, answer.body) == (200, before.body)
    assert answer.headers["ETag"] == '"1"'
    assert log.calls == ["dynamodb.GetItem"]


def test_a_change_costs_two_calls(service: Service, pack: str) -> None:
    log = Log()
    with service.wire.tapped(log):
        service.update(pack, "community")

    assert log.calls == ["dynamodb.GetItem", "dynamodb.TransactWriteItems"]


def test_a_change_is_entered_into_the_history_once(service: Service, pack: str) -> None:
    before = service.get(pack).body

    service.update(pack, "community")
    service.update(pack, "community")

    (entry,) = history_of(service, pack)[1:]
    assert (
        entry.items()
        >= {
            "PK": f"PACK#{pack}",
            "SK": "REV#0000000002",
            "revision": 2,
            "operation": "update",
            "version": "1.4.0",
            "visibility": "community",
            "image_ref": before["image_ref"],
            "image_digest": before["image_digest"],
            "files_digest": before["content_digest"],
            "actor": "key:acme",
            "at": "2026-03-01T12:00:00.000Z",
        }.items()
    )


@pytest.mark.parametrize("if_match", ['"1"', "*", '"7", "1"'])
def test_a_change_on_the_revision_that_the_client_has_seen_is_made(
    service: Service, pack: str, if_match: str
) -> None:
    assert service.update(pack, "community", if_match=if_match).headers["ETag"] == '"2"'


@pytest.mark.parametrize("if_match", ['"2"', 'W/"1"', '"x"'])
@pytest.mark.parametrize("visibility", ["org", "community"])
def test_a_change_on_another_revision_is_412_and_changes_nothing(
    service: Service, pack: str, if_match: str, visibility: str
) -> None:
    before = service.get(pack)

    answer = service.update(pack, visibility, if_match=if_match)

    assert (answer.status, answer.error["code"]) == (412, "precondition_failed")
    assert service.get(pack).body == before.body
    assert service.get(pack).headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("visibility", "status", "code"),
    [("community", 403, "permission_denied"), ("org", 404, "pack_not_found")],
)
def test_another_organisations_pack_is_403_when_the_caller_sees_it_and_404_when_not(
    service: Service, visibility: str, status: int, code: str
) -> None:
    pack = made(service, visibility)

    for if_match in (None, '"1"', '"9"'):
        answer = service.update(pack, "org", GLOBEX, if_match=if_match)

        assert (answer.status, answer.error["code"]) == (status, code)


@pytest.mark.parametrize("identity", [pack_id(404), "slack", "pack_" + "A" * 3000])
def test_what_is_not_there_is_404(service: Service, identity: str) -> None:
    answer = service.update(identity, "org")

    assert (answer.status, answer.error["code"]) == (404, "pack_not_found")


@pytest.mark.parametrize("if_match", [None, '"1"', '"9"'])
def test_a_pack_that_is_being_deleted_is_409_whatever_the_client_has_seen(
    service: Service, pack: str, if_match: str | None
) -> None:
    being_deleted(service, pack)

    answer = service.update(pack, "community", if_match=if_match)

    assert (answer.status, answer.error["code"]) == (409, "pack_deleting")


@pytest.mark.parametrize(
    ("body", "headers", "status", "field"),
    [
        pytest.param(b'{"visibility": "public"}', {}, 400, "visibility", id="an unknown visibility"),
        pytest.param(b'{"visibility": ["org"]}', {}, 400, "visibility", id="a list"),
        pytest.param(b'{"visibility": null}', {}, 400, "visibility", id="null"),
        pytest.param(b"{}", {}, 400, "visibility", id="nothing"),
        pytest.param(None, {}, 400, "visibility", id="no body"),
        pytest.param(b'{"visibility": "org", "name": "x"}', {}, 400, "name", id="a field that is fixed"),
        pytest.param(b"[]", {}, 400, "body", id="not an object"),
        pytest.param(b'{"visibility": "org"}', {"If-Match": "1"}, 400, "If-Match", id="a malformed If-Match"),
        pytest.param(b'{"visibility": "org"}', {"Content-Type": "text/plain"}, 415, None, id="not JSON"),
        pytest.param(b'{"visibility": "org"' + b" " * 70_000 + b"}", {}, 413, None, id="too large"),
    ],
)
def test_a_request_of_the_wrong_shape_is_refused_before_the_pack_is_looked_for(
    service: Service, body: bytes | None, headers: dict[str, str], status: int, field: str | None
) -> None:
    request = replace(
        update_request(pack_id(404), "org", ACME),
        body=body,
        headers={"Content-Type": "application/json"} | headers,
    )

    answer = service.request("update_pack", request)

    assert answer.status == status
    assert list(answer.fields) == ([] if field is None else [field])


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [
        pytest.param(None, 401, "unauthenticated", id="nobody"),
        pytest.param(replace(ACME, scopes=frozenset()), 403, "permission_denied", id="no scope"),
        pytest.param(
            replace(ACME, scopes=frozenset(), may_create=False), 403, "permission_denied", id="scope first"
        ),
        pytest.param(replace(ACME, may_create=False), 423, "billing_inactive", id="billing lapsed"),
    ],
)
def test_a_missing_write_scope_is_reported_before_the_request_is_read(
    service: Service, caller: Caller | None, status: int, code: str
) -> None:
    request = Request(method="PATCH", resource="/packs/{id}", path="/packs/x", body=b"junk", caller=caller)

    answer = service.request("update_pack", request)

    assert (answer.status, answer.error["code"]) == (status, code)
