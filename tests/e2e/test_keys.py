"""API keys that an organisation makes itself, and dry runs, on the deployed template."""

from dataclasses import replace

from tests.e2e.client import Client, assert_refused
from tests.service import PackArchive


def test_a_key_for_one_pack_tries_and_publishes_that_pack_until_it_is_revoked(acme: Client) -> None:
    asked = {"label": "ci", "scopes": ["caps:write"], "pack_name": "narrow", "expires_in": 3600}
    made = acme.call("POST", "/keys", json=asked)
    assert made.status == 201, made.body
    narrow = replace(acme, key=made.body["key"])
    archive = PackArchive(name="narrow").build()

    form = {"archive": ("pack.tar.gz", archive, "application/gzip")}
    tried = narrow.call("POST", "/packs/upload?dry_run=true", fields=form)
    pushed = narrow.upload(archive)

    assert (tried.status, tried.body["outcome"]) == (200, "created")
    assert pushed.status == 201, pushed.body
    assert tried.body["pack"]["image_digest"] == pushed.body["image_digest"]
    assert_refused(narrow.upload(PackArchive(name="wide").build()), 403, "permission_denied")
    assert_refused(narrow.call("GET", "/agent-roles/support/packs"), 403, "permission_denied")
    assert [pack["name"] for pack in narrow.call("GET", "/packs").body["packs"]] == ["narrow"]
    assert made.body["id"] in [key["id"] for key in acme.call("GET", "/keys").body["keys"]]

    assert acme.call("DELETE", f"/keys/{made.body['id']}").status == 200
    assert narrow.call("GET", "/packs").status == 401
