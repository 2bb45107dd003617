"""The operator's commands on the deployed stack, found by its name as an operator finds it."""

import pytest
from console.command_line import main
from local.aws import CREDENTIALS
from local.sam_deployment import STACK
from local.stack import StackDescription
from tests.e2e.client import Client


def test_an_organisation_and_a_key_that_the_operator_makes_open_the_api(
    stack: StackDescription, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    def operate(*arguments: str) -> str:
        where = ["--stack", STACK, "--region", stack["region"], "--endpoint-url", stack["endpoint_url"]]
        capsys.readouterr()
        assert main([*where, *arguments]) == 0
        return capsys.readouterr().out.strip()

    org_id = operate("org", "create", "initech")
    secret = operate("key", "issue", "initech", "--label", "e2e", "--permission-set", "read_only")
    client = Client(stack, Client.of(stack).http, secret)
    before = client.call("GET", "/packs?owned=true")
    (key_id, *_) = operate("key", "list", org_id).split("\t")
    operate("key", "revoke", org_id, key_id)
    after = client.call("GET", "/packs")

    assert (before.status, before.body["packs"]) == (200, [])
    assert (after.status, after.code) == (401, "unauthenticated")
    assert operate("deletion", "list") == ""
    assert operate("dead-letters", "list") == ""
    assert operate("dead-letters", "list", "--of", "build") == ""
