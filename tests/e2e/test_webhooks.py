"""Webhooks on the deployed template: from the command to a receiver on this machine, which verifies them."""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from local.stack import StackDescription
from standardwebhooks import Webhook
from tests.webhooks import Receiver, running_receiver

from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer

_SECONDS: Final = 120
Run = Callable[..., Any]


@pytest.fixture
def packyard(stack: StackDescription, tmp_path: Path) -> Run:
    environment = {
        "PACKYARD_URL": stack["api_url"],
        "PACKYARD_TOKEN": stack["orgs"]["acme"]["keys"]["full_access"],
        "PACKYARD_CONFIG_DIR": str(tmp_path / "config"),
        "PACKYARD_CACHE_DIR": str(tmp_path / "cache"),
        "PACKYARD_NO_KEYRING": "1",
    }

    def packyard(*arguments: str) -> Any:
        out, err = io.StringIO(), io.StringIO()
        printer = Printer(out=out, err=err, json=True)
        context = Context(environment=environment, printer=printer, stdin=io.StringIO())
        assert run([*arguments, "--json"], context) == 0, (arguments, out.getvalue(), err.getvalue())
        return json.loads(out.getvalue())

    return packyard


def wait_for(receiver: Receiver, count: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while len(receiver.got) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(receiver.got) >= count


def test_an_event_reaches_a_receiver_that_verifies_it(packyard: Run) -> None:
    with running_receiver() as receiver:
        made = packyard("webhooks", "add", receiver.url, "--type", "webhook.updated")
        webhook = made["id"]
        changed = packyard("webhooks", "edit", webhook, "--description", "changed")
        packyard("webhooks", "test", webhook)
        wait_for(receiver, 2)
        rotated = packyard("webhooks", "rotate", webhook)
        wait_for(receiver, 3)
        for secret in (made["secret"], rotated["secret"]):
            event = Webhook(secret).verify(receiver.got[2].body, dict(receiver.got[2].headers))
            assert (event["type"], event["data"]["changed"]) == ("webhook.updated", ["secret"])
        (*_, first) = packyard("webhooks", "deliveries", webhook)["deliveries"]
        packyard("webhooks", "redeliver", webhook, first["id"])
        wait_for(receiver, 4)

    assert changed["description"] == "changed"
    assert packyard("webhooks", "show", webhook)["revision"] == rotated["revision"]
    assert webhook in [each["id"] for each in packyard("webhooks", "list")["webhooks"]]
    assert {json.loads(got.body)["type"] for got in receiver.got} == {"webhook.updated", "webhook.test"}
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert (len(ids), len(set(ids))) == (4, 3)
    packyard("webhooks", "remove", webhook, "--yes")
