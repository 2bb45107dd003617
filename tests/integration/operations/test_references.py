"""GET /packs/{id}/references, through its real handler."""

import pytest
from tests.changes import change
from tests.engine.taps import Log
from tests.gateway import Answer
from tests.packs import pack_id
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.tables import being_deleted

from packyard.store.keys import reference_key
from packyard.store.wire import to_wire
from packyard.tenants.caller import Caller


def read(service: Service, identity: str, caller: Caller = ACME, /, **query: str) -> Answer:
    return service.send("list_revisions", "GET", f"/packs/{identity}/references", caller=caller, query=query)


@pytest.fixture
def pack(service: Service) -> str:
    """A shared pack of three revisions: made, shared, and with another file."""
    identity: str = service.upload(PackArchive().build(), visibility="org").body["id"]
    assert service.update(identity, "community").status == 200
    assert change(service, identity, {"guides/new.md": b"# New\n"}).status == 200
    return identity


def test_roles_are_listed_with_where_they_are_pinned(service: Service, pack: str) -> None:
    pins: dict[str, dict[str, int | bool]] = {
        "at-first": {"revision": 1},
        "at-shared": {"revision": 2},
        "at-present": {},
        "follows": {"follow": True},
    }
    for role, entry in pins.items():
        assert service.pin(role, [{"id": pack, **entry}]).status == 200
    assert service.set_role("theirs", [pack], GLOBEX).status == 200

    answer = read(service, pack)

    assert answer.body == {
        "roles": [
            {"role_id": "at-first", "revision": 1, "follow": False, "stale": True},
            {"role_id": "at-present", "revision": 3, "follow": False, "stale": False},
            {"role_id": "at-shared", "revision": 2, "follow": False, "stale": True},
            {"role_id": "follows", "revision": 3, "follow": True, "stale": False},
        ],
        "others": 1,
    }


def test_a_pin_at_an_earlier_revision_with_the_present_image_is_not_stale(
    service: Service, pack: str
) -> None:
    service.set_role("reader", [pack])
    assert service.update(pack, "org").status == 200

    (role,) = read(service, pack).body["roles"]

    assert (role["revision"], role["stale"]) == (3, False)


def test_who_does_not_own_a_pack_sees_their_own_roles_and_no_number(service: Service, pack: str) -> None:
    service.set_role("support", [pack])
    service.set_role("theirs", [pack], GLOBEX)

    answer = read(service, pack, GLOBEX)

    assert answer.body == {"roles": [{"role_id": "theirs", "revision": 3, "follow": False, "stale": False}]}


def test_a_pack_that_no_role_has_is_referenced_by_none(service: Service, pack: str) -> None:
    service.set_role("support", [pack])
    service.set_role("support", [])

    assert read(service, pack).body == {"roles": [], "others": 0}


def test_pages_hold_every_role_once_at_the_same_cost(service: Service, pack: str) -> None:
    roles = [f"role-{number}" for number in range(5)]
    for role in reversed(roles):
        service.set_role(role, [pack])

    seen, query = [], {"limit": "2"}
    while True:
        log = Log()
        with service.wire.tapped(log):
            page = read(service, pack, **query).body
        assert log.calls == ["dynamodb.GetItem", "dynamodb.Query"]
        seen += [role["role_id"] for role in page["roles"]]
        if "next_cursor" not in page:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == roles


def test_a_cursor_is_for_one_pack_and_one_organisation(service: Service, pack: str) -> None:
    other = service.upload(PackArchive(name="jira").build()).body["id"]
    for role in ("a", "b"):
        service.set_role(role, [pack, other])
    cursor = read(service, pack, limit="1").body["next_cursor"]

    for answer in (read(service, other, cursor=cursor), read(service, pack, GLOBEX, cursor=cursor)):
        assert (answer.status, list(answer.fields)) == (400, ["cursor"])


def test_a_role_from_before_there_were_pins_has_the_present_revision(service: Service, pack: str) -> None:
    service.set_role("old", [pack])
    service.aws.dynamodb.update_item(
        TableName=service.services.settings.table,
        Key=to_wire(reference_key(pack, ACME.org_id, "old")),
        UpdateExpression="REMOVE revision",
    )

    assert read(service, pack).body["roles"] == [
        {"role_id": "old", "revision": 3, "follow": True, "stale": False}
    ]


@pytest.mark.parametrize("identity", [pack_id(404), "slack", "pack_" + "A" * 3000])
def test_what_is_not_there_is_404(service: Service, identity: str) -> None:
    assert read(service, identity).error["code"] == "pack_not_found"


def test_a_hidden_pack_is_404_to_others_and_one_that_is_being_deleted_is_shown(service: Service) -> None:
    pack = service.upload(PackArchive().build()).body["id"]
    being_deleted(service, pack)

    assert read(service, pack, GLOBEX).status == 404
    assert read(service, pack).body == {"roles": [], "others": 0}


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"cursor": "x"}, {"role": "a"}])
def test_a_query_that_means_nothing_is_refused_by_name(
    service: Service, pack: str, query: dict[str, str]
) -> None:
    assert list(read(service, pack, **query).fields) == list(query)
