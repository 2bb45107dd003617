"""PUT and GET /agent-roles/{role_id}/packs, through their real handlers."""

from dataclasses import replace

import pytest
from tests.engine.taps import Log
from tests.gateway import Request
from tests.packs import pack_id
from tests.service import ACME, GLOBEX, PackArchive, Service, role_request
from tests.tables import being_deleted, history_of, row_of

from packyard.tenants.caller import Caller

SUPPORT = "support"


def made(service: Service, name: str, caller: Caller = ACME, visibility: str = "org") -> str:
    answer = service.upload(PackArchive(name=name).build(), caller, visibility=visibility)
    assert answer.status == 201, answer.body
    identity: str = answer.body["id"]
    return identity


@pytest.fixture
def own(service: Service) -> str:
    return made(service, "own")


@pytest.fixture
def shared(service: Service) -> str:
    """A pack that Globex has shared."""
    return made(service, "shared", GLOBEX, "community")


def test_a_set_list_is_answered_and_read_back_in_its_order(service: Service, own: str, shared: str) -> None:
    answer = service.set_role(SUPPORT, [shared, own])

    packs = answer.body.pop("packs")
    assert (answer.status, answer.body, answer.headers["ETag"]) == (
        200,
        {"role_id": SUPPORT, "revision": 1, "pack_ids": [shared, own]},
        '"1"',
    )
    assert [pack["id"] for pack in packs] == [shared, own]
    assert service.get_role(SUPPORT).body == {**answer.body, "packs": packs}


def test_a_list_takes_the_place_of_the_one_before(service: Service, own: str, shared: str) -> None:
    other = made(service, "other")
    service.set_role(SUPPORT, [own, shared])

    service.set_role(SUPPORT, [other, own])

    assert service.get_role(SUPPORT).body["pack_ids"] == [other, own]
    assert [row_of(service, identity).get("own_refs") for identity in (own, other)] == [1, 1]
    assert row_of(service, shared)["foreign_refs"] == 0
    assert service.set_role(SUPPORT, [own, other]).body["pack_ids"] == [own, other]


def test_an_empty_list_releases_all_packs_and_keeps_the_role(service: Service, own: str) -> None:
    service.set_role(SUPPORT, [own])

    answer = service.set_role(SUPPORT, [])

    assert (answer.status, answer.body) == (
        200,
        {"role_id": SUPPORT, "revision": 2, "pack_ids": [], "packs": []},
    )
    assert service.get_role(SUPPORT).body == answer.body
    assert row_of(service, own)["own_refs"] == 0


def test_roles_of_two_organisations_are_two_though_their_ids_are_one(service: Service, shared: str) -> None:
    service.set_role(SUPPORT, [shared])

    assert service.get_role(SUPPORT, GLOBEX).status == 404
    assert service.set_role(SUPPORT, [shared], GLOBEX).status == 200
    assert (row_of(service, shared)["own_refs"], row_of(service, shared)["foreign_refs"]) == (1, 1)
    assert service.set_role(SUPPORT, []).status == 200
    assert service.get_role(SUPPORT, GLOBEX).body["pack_ids"] == [shared]


def test_an_attachment_leaves_the_pack_at_its_revision(service: Service, own: str) -> None:
    before = service.get(own)

    service.set_role(SUPPORT, [own])

    assert service.get(own).body == before.body
    assert service.get(own).headers["ETag"] == '"1"'
    assert len(history_of(service, own)) == 1


def test_a_change_of_the_pack_keeps_its_references(service: Service, own: str, shared: str) -> None:
    service.set_role(SUPPORT, [own, shared])

    assert service.update(own, "community").status == 200

    assert row_of(service, own)["own_refs"] == 1
    assert service.set_role(SUPPORT, []).status == 200


def test_every_accepted_list_is_in_the_roles_history_once(service: Service, own: str) -> None:
    for pack_ids in ([own], [own], [], [own]):
        service.set_role(SUPPORT, pack_ids)

    history = service.aws.dynamodb.query(
        TableName=service.services.settings.table,
        KeyConditionExpression="PK = :role",
        ExpressionAttributeValues={":role": {"S": f"ROLE#{ACME.org_id}#{SUPPORT}"}},
    )["Items"]
    assert [
        (entry["revision"]["N"], entry["actor"]["S"], len(entry["pack_ids"]["L"])) for entry in history
    ] == [
        ("1", "key:acme", 1),
        ("2", "key:acme", 0),
        ("3", "key:acme", 1),
    ]


def test_setting_the_same_list_again_costs_two_reads(service: Service, own: str, shared: str) -> None:
    service.set_role(SUPPORT, [own, shared])

    log = Log()
    with service.wire.tapped(log):
        assert service.set_role(SUPPORT, [own, shared]).status == 200

    assert log.calls == ["dynamodb.GetItem", "dynamodb.BatchGetItem"]


def test_a_new_list_costs_three_calls_and_a_look_at_it_two(service: Service, own: str) -> None:
    other = made(service, "other")
    log = Log()
    with service.wire.tapped(log):
        service.set_role(SUPPORT, [own, other])
        service.get_role(SUPPORT)

    assert log.calls == [
        "dynamodb.GetItem",
        "dynamodb.BatchGetItem",
        "dynamodb.TransactWriteItems",
        "dynamodb.GetItem",
        "dynamodb.BatchGetItem",
    ]


def test_another_order_is_another_list_of_the_same_packs(service: Service, own: str, shared: str) -> None:
    service.set_role(SUPPORT, [own, shared])

    log = Log()
    with service.wire.tapped(log):
        assert service.set_role(SUPPORT, [shared, own]).status == 200

    assert service.get_role(SUPPORT).body["pack_ids"] == [shared, own]
    assert log.calls == ["dynamodb.GetItem", "dynamodb.BatchGetItem", "dynamodb.TransactWriteItems"]
    assert row_of(service, own)["own_refs"] == 1


def test_more_changes_than_one_request_makes_are_400_and_the_most_packs_go_at_once(service: Service) -> None:
    packs = [made(service, f"pack-{number}") for number in range(49)]
    assert service.set_role(SUPPORT, packs[:30]).status == 200

    answer = service.set_role(SUPPORT, packs[18:])

    assert (answer.status, list(answer.fields)) == (400, ["pack_ids"])
    assert "more than 30" in answer.fields["pack_ids"]
    assert service.get_role(SUPPORT).body["pack_ids"] == packs[:30]
    assert service.set_role(SUPPORT, packs).body["revision"] == 2
    assert {row_of(service, identity)["own_refs"] for identity in packs} == {1}
    # One transaction can let 48 go, so one goes in a revision of its own.
    assert service.set_role(SUPPORT, []).body["revision"] == 4
    assert {row_of(service, identity)["own_refs"] for identity in packs} == {0}


def test_a_role_of_49_packs_is_deleted(service: Service) -> None:
    packs = [made(service, f"pack-{number}") for number in range(49)]
    assert {service.set_role(SUPPORT, packs[:most]).status for most in (30, 49)} == {200}

    assert service.delete_role(SUPPORT).status == 200

    assert {row_of(service, identity)["own_refs"] for identity in packs} == {0}
    assert service.get_role(SUPPORT).status == 404


@pytest.mark.parametrize(
    ("pack_ids", "reason"),
    [
        pytest.param([pack_id(number) for number in range(50)], "at most 49", id="50 packs"),
        pytest.param([pack_id(1), pack_id(2), pack_id(1)], "entry 3 repeats", id="one pack twice"),
        pytest.param(["slack"], "entry 1 is not", id="a name"),
        pytest.param([pack_id(1), 7], "entry 2 has no id", id="a number"),
        pytest.param([None], "entry 1 has no id", id="null"),
        pytest.param(["pack_" + "A" * 30_000], "entry 1 is not", id="longer than any id"),
        pytest.param({}, "a list", id="an object"),
        pytest.param("", "a list", id="text"),
        pytest.param(None, "a list", id="null for the list"),
    ],
)
def test_a_list_of_the_wrong_shape_is_400(service: Service, pack_ids: object, reason: str) -> None:
    answer = service.set_role(SUPPORT, pack_ids)

    assert (answer.status, list(answer.fields)) == (400, ["pack_ids"])
    assert reason in answer.fields["pack_ids"]
    assert len(answer.fields["pack_ids"]) < 160


@pytest.mark.parametrize(
    ("body", "content_type", "status", "field"),
    [
        (b"{}", "application/json", 400, "pack_ids"),
        (b'{"pack_ids": [], "packs": []}', "application/json", 400, "pack_ids"),
        (b'{"pack_ids": [], "pack": []}', "application/json", 400, "pack"),
        (b"[]", "application/json", 400, "body"),
        (b'{"pack_ids": []}', "text/plain", 415, None),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(
    service: Service, body: bytes, content_type: str, status: int, field: str | None
) -> None:
    request = replace(role_request(SUPPORT, [], ACME), body=body, headers={"Content-Type": content_type})

    answer = service.request("set_role_packs", request)

    assert answer.status == status
    assert list(answer.fields) == ([] if field is None else [field])


ROLE_IDS = ["-a", ".a", "_a", "a" * 129, "a b", "a:b", "ä"]


@pytest.mark.parametrize("role_id", ROLE_IDS)
def test_what_cannot_be_a_role_is_400_to_set_and_404_to_read(service: Service, role_id: str) -> None:
    refused, unknown = service.set_role(role_id, []), service.get_role(role_id)

    assert (refused.status, list(refused.fields)) == (400, ["role_id"])
    assert (unknown.status, unknown.error["code"]) == (404, "role_not_found")


@pytest.mark.parametrize("role_id", ["a", "7", "a" * 128, "Support-Desk_2.eu"])
def test_a_role_need_not_have_been_heard_of(service: Service, role_id: str) -> None:
    assert service.get_role(role_id).status == 404
    assert service.set_role(role_id, []).status == 200
    assert service.get_role(role_id).body == {"role_id": role_id, "revision": 1, "pack_ids": [], "packs": []}


def test_packs_that_are_not_there_are_404_by_id_and_hidden_ones_alike(service: Service, own: str) -> None:
    hidden = made(service, "hidden", GLOBEX)
    service.set_role(SUPPORT, [own])

    answer = service.set_role(SUPPORT, [own, hidden, pack_id(404)])

    assert (answer.status, answer.error["code"]) == (404, "pack_not_found")
    assert answer.error["details"] == {"pack_ids": [hidden, pack_id(404)]}
    assert service.get_role(SUPPORT).body["pack_ids"] == [own]


def test_packs_that_are_being_deleted_are_409_by_id(service: Service, own: str) -> None:
    going = made(service, "going")
    being_deleted(service, going)

    answer = service.set_role(SUPPORT, [own, going])

    assert (answer.status, answer.error["code"]) == (409, "pack_deleting")
    assert answer.error["details"] == {"pack_ids": [going]}
    assert service.get_role(SUPPORT).status == 404
    assert "own_refs" not in row_of(service, own)


def test_a_pack_in_another_organisation_s_role_cannot_be_withdrawn_until_released(
    service: Service, shared: str
) -> None:
    for role in (SUPPORT, "sales"):
        service.set_role(role, [shared])
    service.set_role("theirs", [shared], GLOBEX)

    refused = service.update(shared, "org", GLOBEX)

    assert (refused.status, refused.error["code"]) == (409, "pack_in_use")
    assert refused.error["details"] == {"references": {"role_ids": [], "other_organisations": 2}}
    assert service.get(shared).body["visibility"] == "community"
    for role in (SUPPORT, "sales"):
        service.set_role(role, [])
    assert service.update(shared, "org", GLOBEX).status == 200
    assert service.set_role(SUPPORT, [shared]).status == 404
    assert service.get_role("theirs", GLOBEX).body["pack_ids"] == [shared]


def test_a_pack_that_only_its_own_organisation_holds_can_be_withdrawn(service: Service, shared: str) -> None:
    service.set_role(SUPPORT, [shared], GLOBEX)

    assert service.update(shared, "org", GLOBEX).status == 200


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        pytest.param(None, 401, id="nobody"),
        pytest.param(replace(ACME, scopes=frozenset()), 403, id="no scope"),
        pytest.param(replace(ACME, may_create=False), 200, id="billing lapsed"),
    ],
)
def test_setting_needs_the_scope_and_is_not_gated_by_billing(
    service: Service, caller: Caller | None, status: int
) -> None:
    request = replace(role_request(SUPPORT, [], ACME), caller=caller)

    assert service.request("set_role_packs", request).status == status


def test_reading_needs_no_scope(service: Service) -> None:
    service.set_role(SUPPORT, [])
    nobody = Request(method="GET", resource="/agent-roles/{role_id}/packs", path="/agent-roles/support/packs")

    assert service.get_role(SUPPORT, replace(ACME, scopes=frozenset(), may_create=False)).status == 200
    assert service.request("get_role_packs", nobody).status == 401


class TestConditions:
    """`If-Match` and `If-None-Match: *` on a write of a role (RFC 9110, sections 13.1.1 and 13.1.2)."""

    @pytest.mark.parametrize("if_match", ['"1"', "*", '"7", "1"'])
    def test_the_current_revision_in_if_match_may_set_the_role(
        self, service: Service, own: str, if_match: str
    ) -> None:
        service.set_role(SUPPORT, [])

        answer = service.set_role(SUPPORT, [own], if_match=if_match)

        assert (answer.status, answer.body["revision"], answer.headers["ETag"]) == (200, 2, '"2"')

    @pytest.mark.parametrize("pack_ids", [[], ["own"]], ids=["the list that stands", "another list"])
    @pytest.mark.parametrize("if_match", ['"2"', 'W/"1"', '"1-gzip"'])
    def test_an_outdated_revision_in_if_match_is_412_with_the_current_one(
        self, service: Service, own: str, if_match: str, pack_ids: list[str]
    ) -> None:
        service.set_role(SUPPORT, [])

        refused = service.set_role(SUPPORT, [own for _ in pack_ids], if_match=if_match)

        assert (refused.status, refused.error["code"]) == (412, "precondition_failed")
        assert refused.error["details"] == {"revision": 1}
        assert "The role is at revision 1" in refused.error["message"]
        assert 'If-Match: "1".' in refused.error["message"]
        assert service.get_role(SUPPORT).body == {
            "role_id": SUPPORT,
            "revision": 1,
            "pack_ids": [],
            "packs": [],
        }

    @pytest.mark.parametrize("if_match", ['"1"', "*"])
    def test_no_condition_holds_for_a_role_that_was_never_set(self, service: Service, if_match: str) -> None:
        refused = service.set_role(SUPPORT, [], if_match=if_match)

        assert (refused.status, refused.error["code"]) == (412, "precondition_failed")
        assert "details" not in refused.error
        assert service.get_role(SUPPORT).status == 404

    def test_a_role_can_be_set_only_if_it_is_new(self, service: Service, own: str) -> None:
        first = service.set_role(SUPPORT, [own], if_none_match="*")
        second = service.set_role(SUPPORT, [], if_none_match="*")

        assert (first.status, first.body["revision"]) == (200, 1)
        assert (second.status, second.error["details"]) == (412, {"revision": 1})
        assert service.get_role(SUPPORT).body == first.body

    def test_another_organisation_s_role_of_the_same_id_is_another_one(self, service: Service) -> None:
        service.set_role(SUPPORT, [], GLOBEX)

        assert service.set_role(SUPPORT, [], if_match='"1"').status == 412
        assert service.set_role(SUPPORT, [], if_none_match="*").status == 200

    @pytest.mark.parametrize(
        ("conditions", "field"),
        [({"if_match": "1"}, "If-Match"), ({"if_none_match": '"1"'}, "If-None-Match")],
    )
    def test_an_invalid_condition_is_400(
        self, service: Service, conditions: dict[str, str], field: str
    ) -> None:
        refused = service.set_role(SUPPORT, [], ACME, **conditions)

        assert (refused.status, list(refused.fields)) == (400, [field])

    def test_what_is_not_there_comes_before_a_condition_that_does_not_hold(self, service: Service) -> None:
        refused = service.set_role(SUPPORT, [pack_id(1)], if_match='"1"')

        assert (refused.status, refused.error["code"]) == (404, "pack_not_found")
