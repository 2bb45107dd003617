"""PATCH /packs/{id} with `deprecated`, through its real handler, and what every answer says of it afterwards."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.changes import change
from tests.engine.taps import Log
from tests.gateway import Answer
from tests.packs import pack_id
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.tables import being_deleted, history_of

from packyard.packs.deprecation import MAX_MESSAGE_CHARACTERS
from packyard.store.keys import role_key
from packyard.store.wire import to_wire
from packyard.tenants.caller import Caller

MESSAGE = "Use the pack chat instead."


def patch(service: Service, identity: str, caller: Caller = ACME, /, **body: Any) -> Answer:
    return service.send("update_pack", "PATCH", f"/packs/{identity}", caller=caller, json=body)


def made(service: Service, name: str = "slack", caller: Caller = ACME, visibility: str = "org") -> str:
    answer = service.upload(PackArchive(name=name).build(), caller, visibility=visibility)
    assert answer.status == 201, answer.body
    identity: str = answer.body["id"]
    return identity


@pytest.fixture
def pack(service: Service) -> str:
    return made(service)


def test_every_answer_with_a_deprecated_pack_says_so(service: Service, pack: str) -> None:
    service.set_role("support", [pack])
    before = service.get_role("support")
    said = {"message": MESSAGE, "replacement": made(service, "chat")}

    answer = patch(service, pack, deprecated=said)

    role = service.get_role("support")
    assert (answer.status, answer.headers["ETag"], answer.body["deprecated"]) == (200, '"2"', said)
    assert service.get(pack).body == answer.body
    assert [listed.get("deprecated") for listed in service.list_packs().body["packs"]] == [None, said]
    assert [held["deprecated"] for held in role.body["packs"]] == [said]
    assert role.headers["ETag"] != before.headers["ETag"]
    revision = service.send("list_revisions", "GET", f"/packs/{pack}/revisions/2").body
    assert (revision["deprecated"], revision["operation"]) == (said, "deprecate")


def test_a_deprecated_pack_works_as_before(service: Service, pack: str) -> None:
    patch(service, pack, deprecated={"message": MESSAGE})

    changed = change(service, pack, {"guides/new.md": b"# New\n"})

    assert (changed.status, changed.body["deprecated"]) == (200, {"message": MESSAGE})
    assert service.set_role("support", [pack]).status == 200
    assert service.lock("support").status == 200
    assert "deprecated" not in service.clone(pack, name="copy").body


def test_a_role_from_before_there_were_pins_says_it_too(service: Service, pack: str) -> None:
    service.set_role("old", [pack])
    service.aws.dynamodb.update_item(
        TableName=service.services.settings.table,
        Key=to_wire(role_key(ACME.org_id, "old")),
        UpdateExpression="REMOVE pins",
    )
    patch(service, pack, deprecated={"message": MESSAGE})

    assert service.get_role("old").body["packs"][0]["deprecated"] == {"message": MESSAGE}


def test_a_deprecation_is_changed_and_taken_back(service: Service, pack: str) -> None:
    patch(service, pack, deprecated={"message": MESSAGE})
    other = patch(service, pack, deprecated={"message": "Soon gone."})

    undone = patch(service, pack, deprecated=None)

    assert other.body["deprecated"] == {"message": "Soon gone."}
    assert "deprecated" not in undone.body
    assert "deprecated" not in service.get(pack).body
    assert [entry["operation"] for entry in history_of(service, pack)] == [
        "upload",
        "deprecate",
        "deprecate",
        "undeprecate",
    ]


@pytest.mark.parametrize("said", [{"message": MESSAGE}, None])
def test_what_is_said_already_makes_no_revision(
    service: Service, pack: str, said: dict[str, str] | None
) -> None:
    first = patch(service, pack, deprecated=said)
    log = Log()

    with service.wire.tapped(log):
        again = patch(service, pack, deprecated=said)

    assert (again.body, again.headers["ETag"]) == (first.body, first.headers["ETag"])
    assert log.calls == ["dynamodb.GetItem"]


def test_a_deprecation_is_an_event_and_so_is_taking_it_back(service: Service, pack: str) -> None:
    patch(service, pack, deprecated={"message": MESSAGE})
    patch(service, pack, deprecated=None)
    service.clock.advance(timedelta(seconds=11))

    query = {"type": "pack.deprecated", "pack_id": pack}
    undone, said = service.send("list_events", "GET", "/events", query=query).body["events"]

    assert (said["revision"], said["data"]["deprecated"]) == (2, {"message": MESSAGE})
    assert (undone["revision"], undone["data"]["deprecated_before"]) == (3, {"message": MESSAGE})
    assert "deprecated" not in undone["data"]


def test_visibility_and_deprecation_change_in_one_revision(service: Service, pack: str) -> None:
    answer = patch(service, pack, visibility="community", deprecated={"message": MESSAGE})

    assert (answer.headers["ETag"], answer.body["visibility"]) == ('"2"', "community")
    assert service.get(pack, GLOBEX).body["deprecated"] == {"message": MESSAGE}
    assert history_of(service, pack)[-1]["operation"] == "update"


def test_a_deprecation_costs_two_calls_and_with_a_replacement_three(service: Service, pack: str) -> None:
    chat = made(service, "chat")
    log = Log()
    with service.wire.tapped(log):
        patch(service, pack, deprecated={"message": MESSAGE})
        patch(service, pack, deprecated={"message": MESSAGE, "replacement": chat})

    assert log.calls == [
        *("dynamodb.GetItem", "dynamodb.TransactWriteItems"),
        *("dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.TransactWriteItems"),
    ]


@pytest.mark.parametrize(
    ("deprecated", "field"),
    [
        pytest.param("Gone.", "deprecated", id="text alone"),
        pytest.param([], "deprecated", id="a list"),
        pytest.param(True, "deprecated", id="true"),
        pytest.param({}, "deprecated.message", id="no message"),
        pytest.param({"message": None}, "deprecated.message", id="null as the message"),
        pytest.param({"message": " "}, "deprecated.message", id="a blank message"),
        pytest.param({"message": "a\nb"}, "deprecated.message", id="two lines"),
        pytest.param({"message": "a\u202eb"}, "deprecated.message", id="text that is reordered"),
        pytest.param({"message": "a" * (MAX_MESSAGE_CHARACTERS + 1)}, "deprecated.message", id="too long"),
        pytest.param({"message": MESSAGE, "replacement": "chat"}, "deprecated.replacement", id="a name"),
        pytest.param({"message": MESSAGE, "replacement": None}, "deprecated.replacement", id="null"),
        pytest.param({"message": MESSAGE, "until": "2027"}, "deprecated.until", id="another field"),
    ],
)
def test_a_deprecation_of_the_wrong_shape_is_refused_before_the_pack_is_looked_for(
    service: Service, deprecated: Any, field: str
) -> None:
    answer = patch(service, pack_id(404), deprecated=deprecated)

    assert (answer.status, list(answer.fields)) == (400, [field])


def test_the_longest_message_is_taken(service: Service, pack: str) -> None:
    message = "é" * MAX_MESSAGE_CHARACTERS

    assert patch(service, pack, deprecated={"message": message}).body["deprecated"] == {"message": message}


# -- the replacement ----------------------------------------------------------------------------------------------


def test_a_replacement_is_another_pack_that_the_owner_sees(service: Service, pack: str) -> None:
    hidden, gone = made(service, "hidden", GLOBEX), made(service, "gone")
    being_deleted(service, gone)
    theirs = made(service, "theirs", GLOBEX, "community")

    def answer(replacement: str) -> Answer:
        return patch(service, pack, deprecated={"message": MESSAGE, "replacement": replacement})

    for refused in (pack, hidden, gone, pack_id(404)):
        assert list(answer(refused).fields) == ["deprecated.replacement"]
    assert answer(hidden).fields["deprecated.replacement"].replace(hidden, "") == answer(pack_id(404)).fields[
        "deprecated.replacement"
    ].replace(pack_id(404), "")
    assert service.get(pack).headers["ETag"] == '"1"'
    assert answer(theirs).status == 200


def test_whoever_sees_a_pack_sees_its_replacement(service: Service, pack: str) -> None:
    chat = made(service, "chat")
    said = {"message": MESSAGE, "replacement": chat}

    both = patch(service, pack, visibility="community", deprecated=said)
    assert patch(service, pack, deprecated=said).status == 200
    later = patch(service, pack, visibility="community")

    assert list(both.fields) == ["deprecated.replacement"]
    assert list(later.fields) == ["visibility"]
    assert "share that one first" in later.fields["visibility"]
    assert patch(service, chat, visibility="community").status == 200
    assert patch(service, pack, visibility="community").status == 200


def test_a_replacement_may_go_later(service: Service, pack: str) -> None:
    chat = made(service, "chat")
    patch(service, pack, deprecated={"message": MESSAGE, "replacement": chat})
    assert service.delete(chat).status == 200

    assert service.get(pack).body["deprecated"]["replacement"] == chat
    assert service.update(pack, "org").status == 200
    assert list(service.update(pack, "community").fields) == ["visibility"]


def test_whose_pack_it_is_comes_before_what_replaces_it(service: Service) -> None:
    pack = made(service, visibility="community")

    answer = patch(service, pack, GLOBEX, deprecated={"message": MESSAGE, "replacement": pack_id(404)})

    assert (answer.status, answer.error["code"]) == (403, "permission_denied")
    assert json.dumps(service.get(pack).body).count("deprecated") == 0
