"""The packs of agent roles on the deployed template: each operation's row for each status."""

from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client, Reply, assert_refused

ROLE = "/agent-roles/support.desk_2/packs"


def put(client: Client, pack_ids: object, path: str = ROLE) -> Reply:
    return client.call("PUT", path, json={"pack_ids": pack_ids})


def test_a_role_holds_its_packs_until_it_lets_go(acme: Client, globex: Client) -> None:
    own, foreign = (
        acme.published("attached")["id"],
        globex.published("attached-too", visibility="community")["id"],
    )

    for revision, pack_ids in ((1, [foreign, own]), (2, [own]), (2, [own]), (3, [])):
        answer = put(acme, pack_ids)
        read = acme.call("GET", ROLE)

        held = {"role_id": "support.desk_2", "revision": revision, "pack_ids": pack_ids}
        assert (answer.status, answer.body, answer.headers["ETag"]) == (200, held, f'"{revision}"')
        assert (read.status, read.body) == (200, answer.body)
        deleted = acme.call("DELETE", f"/packs/{own}")
        if pack_ids:
            details = assert_refused(deleted, 409, "pack_in_use")
            assert details["references"] == {"role_ids": ["support.desk_2"], "other_organisations": 0}

    assert deleted.status == 200
    assert assert_refused(put(acme, [own]), 404, "pack_not_found") == {"pack_ids": [own]}


def test_each_refusal_to_set(acme: Client, globex: Client, stack: StackDescription) -> None:
    hidden = globex.published("not-for-acme")["id"]

    assert assert_refused(put(acme, ["x"]), 400, "validation_error")["fields"].keys() == {"pack_ids"}
    assert_refused(put(acme, [UNKNOWN] * 2), 400, "validation_error")
    assert_refused(put(acme, [], "/agent-roles/-x/packs"), 400, "validation_error")
    assert_refused(put(Client.of(stack), []), 401, "unauthenticated")
    assert_refused(put(Client.of(stack, "acme", "submit_observe"), []), 403, "permission_denied")
    assert assert_refused(put(acme, [hidden, UNKNOWN]), 404, "pack_not_found") == {
        "pack_ids": [hidden, UNKNOWN]
    }
    assert put(Client.of(stack, "lapsed"), []).status == 200


def test_each_refusal_to_read(acme: Client, globex: Client, stack: StackDescription) -> None:
    assert put(acme, [], "/agent-roles/only-of-acme/packs").status == 200

    for path in ("/agent-roles/only-of-acme/packs", "/agent-roles/-x/packs"):
        assert_refused(globex.call("GET", path), 404, "role_not_found")
    assert_refused(Client.of(stack).call("GET", ROLE), 401, "unauthenticated")


def test_only_the_owner_reads_a_history(acme: Client, globex: Client, stack: StackDescription) -> None:
    path = f"/packs/{acme.published('of-record', visibility='community')['id']}/revisions"

    assert [entry["operation"] for entry in acme.call("GET", path).body["revisions"]] == ["upload"]
    assert_refused(globex.call("GET", path), 404, "pack_not_found")
    assert_refused(acme.call("GET", f"/packs/{UNKNOWN}/revisions"), 404, "pack_not_found")
    assert_refused(acme.call("GET", f"{path}?limit=0"), 400, "validation_error")
    assert_refused(Client.of(stack).call("GET", path), 401, "unauthenticated")
