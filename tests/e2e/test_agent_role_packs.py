"""The packs of agent roles on the deployed template: each operation's row for each status."""

import time

from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client, Reply, assert_refused
from tests.service import PackArchive

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
        assert (answer.status, answer.headers["ETag"]) == (200, f'"{revision}"')
        assert answer.body.items() >= held.items()
        assert [pack["id"] for pack in answer.body["packs"]] == pack_ids
        assert (read.status, read.body) == (200, answer.body)
        deleted = acme.call("DELETE", f"/packs/{own}")
        if pack_ids:
            details = assert_refused(deleted, 409, "pack_in_use")
            assert details["references"] == {"role_ids": ["support.desk_2"], "other_organisations": 0}

    assert deleted.status == 200
    assert assert_refused(put(acme, [own]), 404, "pack_not_found") == {"pack_ids": [own]}


def test_a_role_pins_follows_and_is_locked(acme: Client, globex: Client) -> None:
    pack = globex.published("followed", visibility="community")["id"]
    still, following = "/agent-roles/still", "/agent-roles/following"
    assert put(acme, [pack], f"{still}/packs").status == 200
    followed = acme.call("PUT", f"{following}/packs", json={"packs": [{"id": pack, "follow": True}]})
    assert (followed.status, followed.body["packs"][0]["owner"]) == (200, "globex")
    lock = acme.call("GET", f"{still}/lock")
    assert lock.status == 200

    archive = PackArchive(name="followed", version="2.0.0").build()
    form = {"archive": ("pack.tar.gz", archive, "application/gzip")}
    assert globex.call("POST", f"/packs/{pack}/upload", fields=form).status == 200

    # The table's stream moves the one that follows, within a minute.
    deadline = time.monotonic() + 60
    while revision_in(acme, following) != 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    history = acme.call("GET", f"{following}/revisions").body["revisions"]
    assert [(entry["operation"], entry["revision"]) for entry in history] == [("follow", 2), ("set", 1)]
    assert revision_in(acme, still) == 1
    same = acme.call("GET", f"{still}/lock", headers={"If-None-Match": lock.headers["ETag"]})
    assert same.status == 304
    stale = {role["role_id"]: role["stale"] for role in acme.call("GET", "/agent-roles").body["roles"]}
    assert (stale["still"], stale["following"]) == (True, False)
    assert acme.call("POST", f"{still}/packs/refresh", json={}).status == 200
    assert (
        acme.call("GET", f"{still}/lock").body["packs"] == acme.call("GET", f"{following}/lock").body["packs"]
    )
    for role in (still, following):
        assert acme.call("DELETE", role).status == 200
        assert_refused(acme.call("GET", f"{role}/packs"), 404, "role_not_found")


def revision_in(client: Client, role: str) -> int:
    """Return the revision at which a role holds its one pack."""
    revision: int = client.call("GET", f"{role}/packs").body["packs"][0]["revision"]
    return revision


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
