"""`packyard admin` on the deployed stack, found by its name as an operator finds it."""

from local.stack import StackDescription
from tests.e2e.client import Client
from tests.e2e.operate import Operate

from packyard_cli.failure import Exit


def test_an_organisation_and_a_key_that_the_operator_makes_open_the_api(
    stack: StackDescription, operate: Operate
) -> None:
    org_id = operate("org", "create", "initech")["id"]
    secret = operate("key", "issue", "initech", "--label", "e2e", "--permission-set", "read_only")["key"]
    client = Client(stack, Client.of(stack).http, secret)
    before = client.call("GET", "/packs?owned=true")
    (key,) = operate("key", "list", org_id)["keys"]
    operate("key", "revoke", org_id, key["id"], "--yes")
    after = client.call("GET", "/packs")

    assert (before.status, before.body["packs"]) == (200, [])
    assert (after.status, after.code) == (401, "unauthenticated")
    assert operate("deletion", "list")["deletions"] == []
    assert operate("dead-letters", "list")["dead_letters"] == []
    assert operate("dead-letters", "list", "--of", "build")["dead_letters"] == []


def test_the_operator_vouches_for_a_pack_and_looks_after_what_is_stored(
    acme: Client, operate: Operate
) -> None:
    pack = acme.published("vouched")

    assert operate("pack", "tier", pack["id"], "verified", "--by", "ada")["revision"] == 2
    assert acme.call("GET", f"/packs/{pack['id']}").body["tier"] == "verified"
    assert operate("org", "show", "acme")["id"] == pack["org_id"]
    assert operate("org", "posture", "acme", "active")["billing"] == "active"
    assert operate("quota", "set", "acme", "--packs", "100000", "--by", "ada")["packs"]["limit"] == 100_000
    assert operate("quota", "show", "acme")["packs"]["used"] >= 1
    assert operate("usage", "recount", "acme")["counted"] >= 1
    assert operate("quota", "set", "acme", "--packs", "default")["packs"]["set"] == "default"
    assert pack["id"] not in str(operate("image", "check"))
    assert operate("image", "clean-up", "--yes").keys() == {"enqueued"}
    assert operate("index", "rebuild")["packs"] > 0
    assert acme.call("GET", f"/packs/{pack['id']}/files/pack.yaml").status == 200
    assert operate("deletion", "retry", pack["id"], ends=Exit.NOT_FOUND)["error"]
    assert operate("dead-letters", "redrive") == {"queue": "cleanup", "moved": 0}
