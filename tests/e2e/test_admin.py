"""`packyard admin` on the deployed stack, found by its name as an operator finds it."""

import io
import json
from typing import Any

import pytest
from local.aws import CREDENTIALS
from local.sam_deployment import STACK
from local.stack import StackDescription
from tests.e2e.client import Client

from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer


def test_an_organisation_and_a_key_that_the_operator_makes_open_the_api(
    stack: StackDescription, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    def operate(*arguments: str) -> Any:
        where = ["--stack", STACK, "--region", stack["region"], "--endpoint-url", stack["endpoint_url"]]
        out, err = io.StringIO(), io.StringIO()
        context = Context(environment={}, printer=Printer(out=out, err=err), stdin=io.StringIO())
        assert run(["admin", *where, *arguments, "--json"], context) == 0, out.getvalue()
        return json.loads(out.getvalue())

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
