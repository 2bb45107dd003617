"""A CI job publishes without a secret, on the deployed template: the issuer is this test, on a loopback port."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.e2e.client import Client, assert_refused
from tests.issuer import Issuer, public
from tests.publishers import GITHUB, KEY, SHA, token
from tests.service import PackArchive

from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer

# The local stack's parameter `PublicUrl` (samconfig.toml).
_AUDIENCE = "http://packyard.localhost/v1#acme"


def _run(environment: dict[str, str], *arguments: str) -> Any:
    out, err = io.StringIO(), io.StringIO()
    printer = Printer(out=out, err=err, json=True)
    context = Context(environment=environment, printer=printer, stdin=io.StringIO())
    assert run([*arguments, "--json"], context) == 0, err.getvalue()
    return json.loads(out.getvalue())


def test_a_job_exchanges_its_token_once_and_publishes_its_pack_only(acme: Client) -> None:
    with Issuer(keys=[public(KEY)]) as issuer:
        asked = {
            "pack_name": "from-ci",
            "issuer": "github",
            "issuer_url": issuer.url,
            "claims": {"repository": "acme/slack-pack", "workflow": "release.yml"},
        }
        added = acme.call("POST", "/trusted-publishers", json=asked)
        assert added.status == 201, added.body
        body = {
            "token": token(issuer.url, GITHUB, at=datetime.now(UTC), aud=_AUDIENCE),
            "org": "acme",
            "pack_name": "from-ci",
        }
        nobody = replace(acme, key="")

        exchanged = nobody.call("POST", "/oidc/exchange", json=body)
        again = nobody.call("POST", "/oidc/exchange", json=body)

    assert exchanged.status == 200, exchanged.body
    assert assert_refused(again, 401, "unauthenticated") == {"claims": {"jti": {}}}
    job = replace(acme, key=exchanged.body["key"])
    pushed = job.upload(PackArchive(name="from-ci").build())
    assert pushed.status == 201, pushed.body
    assert_refused(job.upload(PackArchive(name="wide").build()), 403, "permission_denied")
    history = acme.call("GET", f"/packs/{pushed.body['id']}/revisions").body["revisions"]
    assert history[0]["actor"].endswith(f"/acme/slack-pack@{SHA[:12]}/runs/4711")

    login = {"PACKYARD_URL": acme.stack["api_url"], "PACKYARD_TOKEN": str(acme.key)}
    shown = _run(login, "publishers", "list")
    assert added.body["id"] in [publisher["id"] for publisher in shown["publishers"]]
    another = _run(login, "publishers", "add", "from-ci", "--gitlab", "acme/packs/slack")
    assert _run(login, "publishers", "remove", another["id"], "--yes") == {"status": "deleted"}

    path = f"/trusted-publishers/{added.body['id']}"
    listed = acme.call("GET", "/trusted-publishers").body["publishers"]
    assert [publisher["pinned"] for publisher in listed if publisher["id"] == added.body["id"]] == [
        {"repository_id": "123456", "repository_owner_id": "98765"}
    ]
    assert acme.call("DELETE", path).status == 200
    assert_refused(acme.call("DELETE", path), 404, "publisher_not_found")
