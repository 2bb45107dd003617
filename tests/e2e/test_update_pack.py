"""PATCH /packs/{id} on the deployed template: its row for each status."""

import json

from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client, Reply, assert_refused


def patch(client: Client, pack_id: str, visibility: object, **headers: str) -> Reply:
    return client.call("PATCH", f"/packs/{pack_id}", json={"visibility": visibility}, headers=headers)


def test_a_pack_is_shared_and_withdrawn_and_its_history_says_so(acme: Client, globex: Client) -> None:
    pack = acme.published("patched")["id"]

    shared = patch(acme, pack, "community", **{"If-Match": '"1"'})
    seen = globex.call("GET", f"/packs/{pack}")
    withdrawn = patch(acme, pack, "org", **{"If-Match": "*"})
    history = acme.call("GET", f"/packs/{pack}/revisions?limit=2")
    rest = acme.call("GET", f"/packs/{pack}/revisions?cursor={history.body['next_cursor']}")

    assert (shared.status, shared.body["visibility"], shared.revision) == (200, "community", 2)
    assert (seen.status, seen.body["owned"]) == (200, False)
    assert (withdrawn.status, withdrawn.revision) == (200, 3)
    assert globex.call("GET", f"/packs/{pack}").status == 404
    assert [entry["operation"] for entry in history.body["revisions"]] == ["update", "update"]
    assert [entry["revision"] for entry in rest.body["revisions"]] == [1]
    assert "next_cursor" not in rest.body


def test_what_changes_nothing_is_200_at_the_same_revision(acme: Client) -> None:
    pack = acme.published("patched-twice")["id"]

    assert [patch(acme, pack, "org").revision for _ in range(2)] == [1, 1]


def test_each_refusal_of_the_contract(acme: Client, globex: Client, stack: StackDescription) -> None:
    own, shared = acme.published("kept")["id"], acme.published("kept-shared", visibility="community")["id"]

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


def test_a_body_without_a_json_content_type_is_415(acme: Client) -> None:
    pack = acme.published("patched-as-text")["id"]

    reply = acme.call(
        "PATCH",
        f"/packs/{pack}",
        body=json.dumps({"visibility": "org"}),
        headers={"Content-Type": "text/plain"},
    )

    assert_refused(reply, 415, "unsupported_media_type")


def test_a_pack_that_another_organisations_role_holds_is_not_withdrawn(acme: Client, globex: Client) -> None:
    pack = acme.published("in-use", visibility="community")["id"]
    roles = "/agent-roles/support-of-globex/packs"
    assert globex.call("PUT", roles, json={"pack_ids": [pack]}).status == 200

    details = assert_refused(patch(acme, pack, "org"), 409, "pack_in_use")

    assert details == {"references": {"role_ids": [], "other_organisations": 1}}
    assert globex.call("PUT", roles, json={"pack_ids": []}).status == 200
    assert patch(acme, pack, "org").status == 200
