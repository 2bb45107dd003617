"""PATCH /packs/{id} on the deployed template: its row for each status."""

import json
from typing import Any

import pytest
from local.stack import StackDescription
from tests.e2e.client import Client, Reply
from tests.service import PackArchive

UNKNOWN = "pack_01KB0000000000000000000000"


@pytest.fixture(scope="module")
def acme(stack: StackDescription) -> Client:
    return Client.of(stack, "acme")


@pytest.fixture(scope="module")
def globex(stack: StackDescription) -> Client:
    return Client.of(stack, "globex")


def published(client: Client, name: str, **fields: str) -> str:
    reply = client.upload(PackArchive(name=name).build(), **fields)
    assert reply.status == 201, reply.body
    identity: str = reply.body["id"]
    return identity


def patch(client: Client, pack_id: str, visibility: object, **headers: str) -> Reply:
    return client.call("PATCH", f"/packs/{pack_id}", json={"visibility": visibility}, headers=headers)


def assert_refused(reply: Reply, status: int, code: str) -> dict[str, Any]:
    assert (reply.status, reply.code) == (status, code), reply.body
    assert reply.body["error"]["request_id"] == reply.headers["X-Request-Id"]
    details: dict[str, Any] = reply.body["error"].get("details", {})
    return details


def test_a_pack_is_shared_and_withdrawn_and_its_ledger_says_so(acme: Client, globex: Client) -> None:
    pack = published(acme, "patched")

    shared = patch(acme, pack, "community", **{"If-Match": '"1"'})
    seen = globex.call("GET", f"/packs/{pack}")
    withdrawn = patch(acme, pack, "org", **{"If-Match": "*"})
    ledger = acme.call("GET", f"/packs/{pack}/revisions?limit=2")
    rest = acme.call("GET", f"/packs/{pack}/revisions?cursor={ledger.body['next_cursor']}")

    assert (shared.status, shared.body["visibility"], shared.headers["ETag"]) == (200, "community", '"2"')
    assert (seen.status, seen.body["owned"]) == (200, False)
    assert (withdrawn.status, withdrawn.headers["ETag"]) == (200, '"3"')
    assert globex.call("GET", f"/packs/{pack}").status == 404
    assert [entry["operation"] for entry in ledger.body["revisions"]] == ["update", "update"]
    assert [entry["revision"] for entry in rest.body["revisions"]] == [1]
    assert "next_cursor" not in rest.body


def test_what_changes_nothing_is_200_at_the_same_revision(acme: Client) -> None:
    pack = published(acme, "patched-twice")

    assert [patch(acme, pack, "org").headers["ETag"] for _ in range(2)] == ['"1"', '"1"']


def test_each_refusal_of_the_contract(acme: Client, globex: Client, stack: StackDescription) -> None:
    own, shared = published(acme, "kept"), published(acme, "kept-shared", visibility="community")

    assert assert_refused(patch(acme, own, "public"), 400, "validation_error")["fields"].keys() == {
        "visibility"
    }
    assert_refused(patch(acme, own, "community", **{"If-Match": "1"}), 400, "validation_error")
    assert_refused(patch(Client.of(stack), own, "org"), 401, "unauthenticated")
    assert_refused(patch(Client.of(stack, "acme", "read_only"), own, "org"), 403, "permission_denied")
    assert_refused(patch(globex, shared, "org"), 403, "permission_denied")
    assert_refused(patch(globex, own, "org"), 404, "pack_not_found")
    assert_refused(patch(acme, UNKNOWN, "org"), 404, "pack_not_found")
    assert_refused(patch(acme, own, "community", **{"If-Match": '"7"'}), 412, "precondition_failed")
    assert_refused(patch(Client.of(stack, "lapsed"), own, "org"), 423, "billing_inactive")


def test_a_body_that_is_not_announced_as_json_is_415(acme: Client) -> None:
    pack = published(acme, "patched-as-text")

    reply = acme.call(
        "PATCH",
        f"/packs/{pack}",
        body=json.dumps({"visibility": "org"}),
        headers={"Content-Type": "text/plain"},
    )

    assert_refused(reply, 415, "unsupported_media_type")


def test_a_pack_that_another_organisations_role_holds_is_not_withdrawn(acme: Client, globex: Client) -> None:
    pack = published(acme, "in-use", visibility="community")
    roles = "/agent-roles/support-of-globex/packs"
    assert globex.call("PUT", roles, json={"pack_ids": [pack]}).status == 200

    details = assert_refused(patch(acme, pack, "org"), 409, "pack_in_use")

    assert details == {"references": {"role_ids": [], "other_organisations": 1}}
    assert globex.call("PUT", roles, json={"pack_ids": []}).status == 200
    assert patch(acme, pack, "org").status == 200
