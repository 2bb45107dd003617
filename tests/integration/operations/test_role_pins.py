"""Roles pin what they run: pins, consent, refresh, history and the list of roles, through their real handlers."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.aws import TABLE
from tests.engine.taps import Log
from tests.gateway import Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.tables import assert_references_are_sound, history_of, row_of

from packyard.store.keys import role_key
from packyard.store.wire import to_wire
from packyard.tenants.caller import Caller

SUPPORT: Final = "support"
READS: Final = [{"name": "api", "type": "http", "allow": [{"domains": ["a.com"], "methods": ["GET"]}]}]
WRITES: Final = [
    {"name": "api", "type": "http", "allow": [{"domains": ["a.com"], "methods": ["GET", "PUT"]}]}
]


def archive(name: str, version: str, capabilities: list[dict[str, Any]] | None = None) -> bytes:
    fields = {} if capabilities is None else {"capabilities": capabilities}
    return PackArchive(
        name=name, version=version, files={"README.md": version.encode()}, fields=fields
    ).build()


def made(service: Service, name: str, caller: Caller = ACME, visibility: str = "org", **more: Any) -> str:
    answer = service.upload(archive(name, "1.0.0", **more), caller, visibility=visibility)
    assert answer.status == 201, answer.body
    identity: str = answer.body["id"]
    return identity


def updated(service: Service, pack: str, name: str, version: str, caller: Caller = ACME, **more: Any) -> None:
    body, headers = multipart({"archive": archive(name, version, **more)})
    path = f"/packs/{pack}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=caller)
    assert service.request("reupload_pack", request).status == 200


def pins(service: Service, role: str = SUPPORT, caller: Caller = ACME) -> list[tuple[int, bool]]:
    return [(pack["revision"], pack["stale"]) for pack in service.get_role(role, caller).body["packs"]]


@pytest.fixture
def own(service: Service) -> str:
    return made(service, "own")


def test_a_role_shows_where_it_holds_each_pack(service: Service, own: str) -> None:
    pack = service.get(own).body

    (shown,) = service.set_role(SUPPORT, [own]).body["packs"]

    assert shown == {
        "id": own,
        "name": "own",
        "owner": "acme",
        "version": "1.0.0",
        "revision": 1,
        "image_ref": pack["image_ref"],
        "image_digest": pack["image_digest"],
        "content_digest": pack["content_digest"],
        "follow": False,
        "stale": False,
        "status": "active",
    }


def test_an_update_leaves_the_pin_and_makes_it_stale_which_changes_the_entity_tag(
    service: Service, own: str
) -> None:
    before = service.set_role(SUPPORT, [own])
    pinned = before.body["packs"][0]["image_digest"]

    updated(service, own, "own", "2.0.0")

    after = service.get_role(SUPPORT)
    assert pins(service) == [(1, True)]
    assert after.body["packs"][0]["image_digest"] == pinned
    assert after.body["revision"] == 1
    assert after.headers["ETag"].startswith('"1@')
    # Either tag says what a write would change, which is the role.
    for tag in (before.headers["ETag"], after.headers["ETag"]):
        assert service.set_role(SUPPORT, [own], if_match=tag).status == 200
    assert service.set_role(SUPPORT, [own], if_match='"2@abc"').status == 412


def test_packs_that_stay_keep_their_pin_and_new_ones_get_the_present_revision(
    service: Service, own: str
) -> None:
    other = made(service, "other")
    service.set_role(SUPPORT, [own])
    for pack, name in ((own, "own"), (other, "other")):
        updated(service, pack, name, "2.0.0")

    answer = service.set_role(SUPPORT, [other, own])

    assert [(pack["id"], pack["revision"], pack["stale"]) for pack in answer.body["packs"]] == [
        (other, 2, False),
        (own, 1, True),
    ]


def test_a_pack_can_be_pinned_at_an_earlier_revision_and_moved_on(service: Service, own: str) -> None:
    first = service.get(own).body
    updated(service, own, "own", "2.0.0")

    answer = service.pin(SUPPORT, [{"id": own, "revision": 1}])

    (shown,) = answer.body["packs"]
    assert (shown["revision"], shown["version"], shown["stale"]) == (1, "1.0.0", True)
    assert (shown["image_ref"], shown["image_digest"]) == (first["image_ref"], first["image_digest"])
    assert service.pin(SUPPORT, [{"id": own}]).body["revision"] == 1  # it stays
    assert service.pin(SUPPORT, [{"id": own, "revision": 2}]).body["packs"][0]["version"] == "2.0.0"
    assert_references_are_sound()


def test_revisions_that_are_not_there_or_not_for_others_to_see_are_404(service: Service, own: str) -> None:
    updated(service, own, "own", "2.0.0")
    service.update(own, "community")  # revision 3, from which on others see it
    updated(service, own, "own", "3.0.0")

    for caller, revision, status in (
        (ACME, 5, 404),
        (ACME, 1, 200),
        (GLOBEX, 2, 404),
        (GLOBEX, 3, 200),
        (GLOBEX, 4, 200),
    ):
        answer = service.pin(f"r{revision}", [{"id": own, "revision": revision}], caller)
        assert answer.status == status, answer.body
        if status == 404:
            assert answer.error["code"] == "revision_not_found"


def test_two_packs_of_one_name_need_an_alias(service: Service, own: str) -> None:
    theirs = made(service, "own", GLOBEX, "community")
    assert service.set_role("others", [theirs]).body["packs"][0]["owner"] == GLOBEX.org_id

    refused = service.set_role(SUPPORT, [own, theirs])
    assert (refused.status, list(refused.fields)) == (400, ["pack_ids"])
    assert "alias" in refused.fields["pack_ids"]

    answer = service.pin(SUPPORT, [{"id": own}, {"id": theirs, "alias": "their-own"}])
    assert answer.body["packs"][1]["alias"] == "their-own"
    # A list of ids leaves aliases as they are.
    assert service.set_role(SUPPORT, [theirs, own]).body["packs"][0]["alias"] == "their-own"
    assert service.pin(SUPPORT, [{"id": own}, {"id": theirs}]).status == 400


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"revision": 0}, "packs[0].revision"),
        ({"revision": True}, "packs[0].revision"),
        ({"follow": "yes"}, "packs[0].follow"),
        ({"follow": True, "revision": 1}, "packs[0].follow"),
        ({"alias": "Not A Slug"}, "packs[0].alias"),
        ({"version": "1.0.0"}, "packs[0].version"),
    ],
)
def test_an_entry_that_is_wrong_is_400_on_its_field(
    service: Service, own: str, entry: dict[str, Any], field: str
) -> None:
    answer = service.pin(SUPPORT, [{"id": own, **entry}])

    assert (answer.status, list(answer.fields)) == (400, [field])


class TestRefresh:
    """`POST /agent-roles/{role_id}/packs/refresh`."""

    def test_pins_move_to_the_present_revisions_in_one_revision_of_the_role(
        self, service: Service, own: str
    ) -> None:
        other = made(service, "other")
        service.set_role(SUPPORT, [own, other])
        updated(service, own, "own", "2.0.0")
        updated(service, other, "other", "2.0.0")

        answer = service.refresh_role(SUPPORT, pack_ids=[other])

        assert (answer.status, answer.body["revision"], answer.headers["ETag"][:3]) == (200, 2, '"2@')
        assert pins(service) == [(1, True), (2, False)]
        assert service.refresh_role(SUPPORT).headers["ETag"] == '"3"'
        assert pins(service) == [(2, False), (2, False)]
        # A repeat finds nothing to do.
        assert service.refresh_role(SUPPORT).body["revision"] == 3
        assert_references_are_sound()

    def test_at_most_thirty_pins_move_at_once_and_more_says_that_others_are_left(
        self, service: Service
    ) -> None:
        packs = [made(service, f"pack-{number}") for number in range(31)]
        service.set_role(SUPPORT, packs[:30])
        service.set_role(SUPPORT, packs)
        for pack in packs:
            service.update(pack, "community")

        first, second = service.refresh_role(SUPPORT), service.refresh_role(SUPPORT)

        assert (first.body["more"], "more" in second.body) == (True, False)
        assert {revision for revision, _ in pins(service)} == {2}

    def test_wider_capabilities_need_consent_to_exactly_that_revision(self, service: Service) -> None:
        pack = made(service, "api", capabilities=READS)
        service.set_role(SUPPORT, [pack])
        updated(service, pack, "api", "2.0.0", capabilities=WRITES)

        refused = service.refresh_role(SUPPORT)
        assert (refused.status, refused.error["code"]) == (409, "capabilities_widened")
        difference = refused.error["details"]["capabilities"][pack]
        assert (difference["from"], difference["to"], difference["widened"]) == (1, 2, True)
        assert difference["example"] == "PUT https://a.com/"
        assert [rule["methods"] for rule in difference["added"]] == [["GET", "PUT"]]
        assert f'{{"{pack}": 2}}' in refused.error["message"]

        for other in (1, 3):
            assert service.refresh_role(SUPPORT, accept_capabilities={pack: other}).status == 409
        assert pins(service) == [(1, True)]

        accepted = service.refresh_role(SUPPORT, accept_capabilities={pack: 2})
        assert (accepted.status, pins(service)) == (200, [(2, False)])
        newest = service.role_history(SUPPORT).body["revisions"][0]
        assert (newest["operation"], newest["actor"]) == ("refresh", "key:acme")
        assert newest["accepted_capabilities"] == {pack: 2}

    def test_one_pin_that_needs_consent_keeps_all_where_they_are(self, service: Service, own: str) -> None:
        pack = made(service, "api", capabilities=READS)
        service.set_role(SUPPORT, [own, pack])
        updated(service, own, "own", "2.0.0")
        updated(service, pack, "api", "2.0.0", capabilities=WRITES)

        assert service.refresh_role(SUPPORT).status == 409
        assert pins(service) == [(1, True), (1, True)]
        assert service.refresh_role(SUPPORT, pack_ids=[own]).status == 200

    def test_the_same_rules_in_other_words_need_no_consent(self, service: Service) -> None:
        pack = made(service, "api", capabilities=WRITES)
        service.set_role(SUPPORT, [pack])
        split = [{"domains": ["A.com"], "methods": [method]} for method in ("PUT", "GET")]
        updated(service, pack, "api", "2.0.0", capabilities=[{"name": "web", "type": "http", "allow": split}])

        assert service.refresh_role(SUPPORT).status == 200

    def test_setting_a_wider_revision_needs_consent_too_and_attaching_none(self, service: Service) -> None:
        pack = made(service, "api", capabilities=READS)
        updated(service, pack, "api", "2.0.0", capabilities=WRITES)
        assert service.set_role("new", [pack]).status == 200
        service.pin(SUPPORT, [{"id": pack, "revision": 1}])

        wider = [{"id": pack, "revision": 2}]
        assert service.pin(SUPPORT, wider).status == 409
        assert service.pin(SUPPORT, [{"id": pack, "follow": True}]).status == 409
        assert service.pin(SUPPORT, wider, accept_capabilities={pack: 2}).status == 200

    def test_what_is_not_there_is_refused(self, service: Service, own: str) -> None:
        service.set_role(SUPPORT, [])

        assert service.refresh_role("unknown").error["code"] == "role_not_found"
        assert service.refresh_role(SUPPORT, pack_ids=[own]).error["code"] == "pack_not_found"
        foreign = service.refresh_role(SUPPORT, accept_capabilities={own: 1})
        assert (foreign.status, list(foreign.fields)) == (400, ["accept_capabilities"])
        assert service.refresh_role(SUPPORT, if_match='"7"').status == 412
        assert service.refresh_role(SUPPORT, GLOBEX).status == 404

    @pytest.mark.parametrize("accepts", [[], {"x": 1}, {"pack_01HZ0000000000000000000001": "1"}, None])
    def test_consent_of_the_wrong_shape_is_400(self, service: Service, accepts: object) -> None:
        answer = service.refresh_role(SUPPORT, accept_capabilities=accepts)

        assert (answer.status, list(answer.fields)) == (400, ["accept_capabilities"])


class TestDeletion:
    """`DELETE /agent-roles/{role_id}`, and what a role of the same id is afterwards."""

    def test_a_deleted_role_is_gone_and_lets_go_of_its_packs(self, service: Service, own: str) -> None:
        service.set_role(SUPPORT, [own])

        assert service.delete_role(SUPPORT, if_match='"7"').status == 412
        answer = service.delete_role(SUPPORT, if_match='"1"')

        assert (answer.status, answer.body) == (200, {"status": "deleted"})
        for gone in (
            service.get_role(SUPPORT),
            service.delete_role(SUPPORT),
            service.refresh_role(SUPPORT),
            service.role_history(SUPPORT),
        ):
            assert (gone.status, gone.error["code"]) == (404, "role_not_found")
        assert service.list_roles().body == {"roles": []}
        assert_references_are_sound()
        assert service.delete(own).status == 200

    @pytest.mark.parametrize("forget", [False, True], ids=["soon after", "after its item has expired"])
    def test_a_role_made_again_goes_on_at_the_next_revision_so_that_no_tag_stands_for_two(
        self, service: Service, own: str, *, forget: bool
    ) -> None:
        service.set_role(SUPPORT, [own])
        service.delete_role(SUPPORT)
        if forget:
            key = to_wire(role_key(ACME.org_id, SUPPORT))
            service.aws.dynamodb.delete_item(TableName=TABLE, Key=key)

        assert service.set_role(SUPPORT, [], if_match='"2"').status == 412
        answer = service.set_role(SUPPORT, [own], if_none_match="*")

        assert (answer.status, answer.body["revision"]) == (200, 3)
        history = service.role_history(SUPPORT).body["revisions"]
        assert [entry["operation"] for entry in history] == ["set", "delete", "set"]
        assert service.list_roles().body["roles"][0]["revision"] == 3
        assert_references_are_sound()


def test_the_history_has_every_write_by_pages(service: Service, own: str) -> None:
    service.set_role(SUPPORT, [own])
    updated(service, own, "own", "2.0.0")
    service.refresh_role(SUPPORT)
    service.set_role(SUPPORT, [])

    first = service.role_history(SUPPORT, ACME, limit="2").body
    rest = service.role_history(SUPPORT, ACME, limit="2", cursor=first["next_cursor"]).body

    entries = first["revisions"] + rest["revisions"]
    assert "next_cursor" not in rest
    assert [(entry["revision"], entry["operation"]) for entry in entries] == [
        (3, "set"),
        (2, "refresh"),
        (1, "set"),
    ]
    assert [[pin["revision"] for pin in entry["packs"]] for entry in entries] == [[], [2], [1]]
    assert service.role_history(SUPPORT, GLOBEX).status == 404


def test_roles_are_listed_by_pages_with_whether_they_are_stale(service: Service, own: str) -> None:
    for role in ("b", "a.1", "a", "c"):
        service.set_role(role, [own] if role != "c" else [])
    service.set_role("theirs", [], GLOBEX)
    updated(service, own, "own", "2.0.0")
    service.refresh_role("b")

    listed, query = [], {"limit": "1"}
    for _ in range(4):
        page = service.list_roles(ACME, **query).body
        listed += page["roles"]
        query["cursor"] = page.get("next_cursor", "")

    assert query["cursor"] == ""
    assert [(role["role_id"], role["stale"]) for role in listed] == [
        ("a", True),
        ("a.1", True),
        ("b", False),
        ("c", False),
    ]
    log = Log()
    with service.wire.tapped(log):
        assert len(service.list_roles().body["roles"]) == 4
    assert log.calls == ["dynamodb.Query", "dynamodb.BatchGetItem"]


def _as_before_pins(service: Service, packs: list[str]) -> None:
    """Leave a role and packs as an earlier release has written them."""
    table, dynamodb = service.services.settings.table, service.aws.dynamodb
    dynamodb.update_item(
        TableName=table, Key=to_wire(role_key(ACME.org_id, SUPPORT)), UpdateExpression="REMOVE pins"
    )
    kept = {
        "PK",
        "SK",
        "revision",
        "operation",
        "version",
        "image_digest",
        "files_digest",
        "manifests",
        "actor",
    }
    for pack in packs:
        key = {"PK": f"PACK#{pack}", "SK": "PACK"}
        dynamodb.update_item(
            TableName=table, Key=to_wire(key), UpdateExpression="REMOVE layers, shared_since"
        )
        key["SK"] = f"REF#{ACME.org_id}#{SUPPORT}"
        dynamodb.update_item(
            TableName=table,
            Key=to_wire(key),
            UpdateExpression="REMOVE #revision",
            ExpressionAttributeNames={"#revision": "revision"},
        )
        for entry in history_of(service, pack):
            old = {name: value for name, value in entry.items() if name in {*kept, "at"}}
            dynamodb.put_item(TableName=table, Item=to_wire(old))


class TestRolesOfBefore:
    """Roles that were set before there were pins (decision 84)."""

    def test_they_have_the_present_revisions_until_they_are_written_and_pins_from_then_on(
        self, service: Service
    ) -> None:
        pack = made(service, "api", capabilities=READS)
        service.set_role(SUPPORT, [pack])
        _as_before_pins(service, [pack])

        (shown,) = service.get_role(SUPPORT).body["packs"]
        assert (shown["revision"], shown["follow"], shown["stale"]) == (1, True, False)
        assert service.list_roles().body["roles"][0]["stale"] is False

        assert service.set_role(SUPPORT, [pack]).body["revision"] == 2
        updated(service, pack, "api", "2.0.0", capabilities=WRITES)
        assert pins(service) == [(1, True)]
        # What it was pinned at is known, although its entry did not have it.
        assert service.refresh_role(SUPPORT).status == 409
        assert service.refresh_role(SUPPORT, accept_capabilities={pack: 2}).status == 200
        assert_references_are_sound()

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda service: service.refresh_role(SUPPORT), id="refreshed"),
            pytest.param(lambda service: service.set_role(SUPPORT, []), id="emptied"),
            pytest.param(lambda service: service.delete_role(SUPPORT), id="deleted"),
        ],
    )
    def test_they_can_be_changed_as_any_other(
        self, service: Service, own: str, change: Callable[[Service], Any]
    ) -> None:
        service.set_role(SUPPORT, [own])
        _as_before_pins(service, [own])

        assert change(service).status == 200
        assert_references_are_sound()

    def test_more_of_their_packs_than_one_request_pins_are_pinned_by_several(self, service: Service) -> None:
        packs = [made(service, f"pack-{number}") for number in range(32)]
        service.set_role(SUPPORT, packs[:30])
        service.set_role(SUPPORT, packs)
        _as_before_pins(service, packs)

        for floating in (2, 0):
            answer = service.set_role(SUPPORT, packs)
            assert sum(pack["follow"] for pack in answer.body["packs"]) == floating

    def test_an_earlier_revision_that_was_written_before_cannot_be_pinned(
        self, service: Service, own: str
    ) -> None:
        service.set_role(SUPPORT, [own])
        _as_before_pins(service, [own])
        updated(service, own, "own", "2.0.0")

        answer = service.pin("new", [{"id": own, "revision": 1}])

        assert (answer.status, list(answer.fields)) == (400, ["packs"])
        assert "pin revision 2" in answer.fields["packs"]


def test_a_pack_that_a_role_pins_at_an_earlier_revision_keeps_that_image(service: Service, own: str) -> None:
    pinned = service.set_role(SUPPORT, [own]).body["packs"][0]["image_digest"]
    updated(service, own, "own", "2.0.0")

    assert service.delete(own).error["code"] == "pack_in_use"
    service.settle()

    assert pinned in service.images()[f"packs/{ACME.org_id}/own"]
    assert row_of(service, own)["own_refs"] == 1
