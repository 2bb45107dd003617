"""Roles that pin, by section 8 of the contract."""

import json
from typing import IO

import pytest
from tests.command import Command, received

from packyard_cli.wire import Received

PACK = "pack_01HZ0000000000000000000001"
PIN = {
    "id": PACK,
    "name": "slack",
    "version": "1.4.0",
    "revision": 3,
    "follow": False,
    "stale": True,
    "status": "active",
}
ROLE = {"role_id": "support", "revision": 2, "pack_ids": [PACK], "packs": [PIN]}


def _sent(packyard: Command) -> list[object]:
    """Keep what is posted."""
    bodies: list[object] = []
    real = packyard.gateway.send

    def keeping(
        method: str, url: str, *, headers: dict[str, str], body: bytes | IO[bytes] | None = None
    ) -> Received:
        if method == "POST" and isinstance(body, bytes):
            bodies.append(json.loads(body))
        return real(method, url, headers=headers, body=body)

    packyard.gateway.send = keeping  # type: ignore[method-assign, assignment]
    return bodies


def test_pins_are_moved_until_there_are_no_more(packyard: Command) -> None:
    bodies = _sent(packyard)
    packyard.gateway.instead(
        "POST", "/refresh", lambda before: received(200, ROLE if before else {**ROLE, "more": True})
    )

    ran = packyard("roles", "refresh", "support", PACK, "--accept", f"{PACK}=4")

    assert ran.exit_code == 0
    assert bodies == [{"pack_ids": [PACK], "accept_capabilities": {PACK: 4}}] * 2
    assert ran.out.splitlines()[1].split() == ["slack", "1.4.0", "3", "stale", PACK]


def test_wider_capabilities_ask_for_consent(packyard: Command) -> None:
    rule = {"name": "api", "type": "http", "domains": ["slack.com"], "methods": ["POST"], "paths": ["/a/*"]}
    move = {"from": 3, "to": 4, "widened": True, "added": [rule], "added_in_all": 2, "removed": []}
    details = {"capabilities": {PACK: {**move, "example": "POST https://slack.com/a/"}}}
    error = {
        "code": "capabilities_widened",
        "message": "It may do more.",
        "request_id": "r",
        "details": details,
    }
    packyard.gateway.instead("POST", "/refresh", lambda _: received(409, {"error": error}))

    ran = packyard("roles", "refresh", "support")
    as_json = packyard("roles", "refresh", "support", "--json")

    assert ran.exit_code == 7
    # No pack can be read here, so its id stands for its name.
    assert ran.err.splitlines() == [
        "packyard: The role support is unchanged: newer revisions may do more, and that needs consent.",
        f"  {PACK}, revision 3 to 4:",
        "    + capability api: POST to slack.com, paths /a/*",
        "    + 1 more",
        "    newly allowed, for example: POST https://slack.com/a/",
        f"  If you agree: packyard roles refresh support --accept {PACK}=4",
        "  request id: r",
    ]
    assert as_json.document["error"]["message"] == "It may do more."
    assert as_json.document["error"]["details"] == details


@pytest.mark.parametrize(("owned", "named"), [(True, "slack=4"), (False, f"{PACK}=4")])
def test_the_consent_to_give_names_the_pack_without_doubt(packyard: Command, owned: bool, named: str) -> None:
    move = {"from": 3, "to": 4, "widened": False, "added": [], "removed": []}
    error = {
        "code": "capabilities_widened",
        "message": "It may do more.",
        "request_id": "r",
        "details": {"capabilities": {PACK: move}},
    }
    packyard.gateway.instead("POST", "/refresh", lambda _: received(409, {"error": error}))
    packyard.gateway.instead(
        "GET", f"/packs/{PACK}", lambda _: received(200, {"id": PACK, "name": "slack", "owned": owned})
    )

    ran = packyard("roles", "refresh", "support", PACK, "--accept", f"{PACK}=3")

    assert f"packyard roles refresh support {PACK} --accept {named}" in ran.err
    assert "  slack, revision 3 to 4:\n    allows nothing new, but you accepted another" in ran.err


def test_a_consent_that_names_no_revision_is_wrong_usage(packyard: Command) -> None:
    assert packyard("roles", "refresh", "support", "--accept", PACK).exit_code == 2
    assert packyard.gateway.sent == []


def test_roles_are_listed_with_their_history_and_deleted(packyard: Command) -> None:
    listed = {"roles": [{"role_id": "support", "revision": 2, "pack_ids": [PACK], "stale": True}]}
    history = {
        "revisions": [{"revision": 2, "at": "2026-01-01T00:00:00Z", "actor": "key:1", "pack_ids": [PACK]}]
    }
    packyard.gateway.instead("GET", r"/agent-roles$", lambda _: received(200, listed))
    packyard.gateway.instead("GET", r"/support/revisions", lambda _: received(200, history))
    packyard.gateway.instead("GET", r"/support/packs", lambda _: received(200, ROLE, ETag='"2"'))
    packyard.gateway.instead("DELETE", r"/agent-roles/support$", lambda _: received(200, {}))

    assert packyard("roles", "list").out.splitlines()[1].split() == ["support", "2", "1", "yes"]
    assert packyard("roles", "revisions", "-q", "support").out == "2\n"
    assert packyard("roles", "show", "support").out.splitlines()[1].split()[0] == "slack"
    assert packyard("roles", "delete", "support", "--yes").exit_code == 0
    assert packyard.gateway.headers[-1]["If-Match"] == '"2"'
