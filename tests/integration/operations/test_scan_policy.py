"""GET and PUT /scan-policy, and POST /packs/{id}/scan/overrides: what they take, refuse, and tell."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.gateway import Answer
from tests.revisions import events_of, made, refusal
from tests.scans import SECRET_RULE, override, set_policy
from tests.service import ACME, GLOBEX, Service, running_service

from packyard.packs.timestamp import format_timestamp
from packyard.tenants.caller import Caller

DEFAULT = {"block": "none", "rules": {}, "incomplete": "warn"}
MISSING = "pack_01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with running_service() as service:
        yield service


def get(service: Service, caller: Caller = ACME) -> Answer:
    return service.send("policies", "GET", "/scan-policy", caller=caller)


def test_without_a_policy_there_is_the_default_and_what_is_set_is_read(service: Service) -> None:
    assert (get(service).body, get(service).headers["ETag"]) == (DEFAULT, '"0"')

    policy = {"block": "high", "rules": {"secret.*": "warn", SECRET_RULE: "block"}, "incomplete": "block"}
    assert set_policy(service, **policy).body == policy

    assert (get(service).body, get(service).headers["ETag"]) == (policy, '"1"')
    assert get(service, GLOBEX).body == DEFAULT
    (event,) = events_of(service, "policy.updated")
    assert event["data"]["policy"] == "scan_policy"
    assert event["data"]["to"] == policy | {"incomplete": True}


def test_the_same_policy_is_no_change_and_an_absent_field_has_its_default(service: Service) -> None:
    assert set_policy(service, block="high").status == 200
    assert set_policy(service, block="high").status == 200
    assert len(events_of(service, "policy.updated")) == 1

    assert set_policy(service).body == DEFAULT


@pytest.mark.parametrize(("tag", "status"), [('"0"', 200), ('"1"', 412), ("*", 200)])
def test_a_policy_is_set_on_condition_of_what_the_client_has_seen(
    service: Service, tag: str, status: int
) -> None:
    sent = service.send("policies", "PUT", "/scan-policy", json={"block": "low"}, headers={"If-Match": tag})

    assert sent.status == status


def test_an_override_is_for_the_owner_and_for_who_may_set_policies(service: Service) -> None:
    pack = made(service, visibility="community")
    asked = {
        "rule": SECRET_RULE,
        "path": "guides/a.md",
        "reason": "No.",
        "expires_at": "2026-04-01T00:00:00Z",
    }

    def by(caller: Caller, pack_id: str = pack) -> Answer:
        path = f"/packs/{pack_id}/scan/overrides"
        return service.send("pack_scan", "POST", path, caller=caller, json=asked)

    assert refusal(by(GLOBEX)) == (403, "permission_denied")
    assert refusal(by(replace(ACME, scopes=frozenset({"caps:write"})))) == (403, "permission_denied")
    assert refusal(by(ACME, MISSING)) == (404, "pack_not_found")
    assert by(ACME).status == 201


def test_an_override_with_an_idempotency_key_is_made_once(service: Service) -> None:
    pack = made(service)
    asked = {
        "rule": SECRET_RULE,
        "path": "guides/a.md",
        "reason": "No.",
        "expires_at": "2026-04-01T00:00:00Z",
    }
    path, key = f"/packs/{pack}/scan/overrides", {"Idempotency-Key": "once"}

    first, again = (service.send("pack_scan", "POST", path, json=asked, headers=key) for _ in range(2))
    other = service.send("pack_scan", "POST", path, json=asked | {"reason": "Yes."}, headers=key)

    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert refusal(other) == (400, "validation_error")
    assert len(events_of(service, "scan.overridden")) == 1


def test_a_pack_has_so_many_overrides_and_expired_ones_make_room(service: Service) -> None:
    pack = made(service)
    for number in range(50):
        assert override(service, pack, path=f"guides/{number}.md").status == 201

    assert "the most" in override(service, pack, path="guides/more.md").fields["path"]
    later = format_timestamp(service.clock() + timedelta(days=2))
    assert override(service, pack, path="guides/7.md", expires_at=later).status == 201

    service.clock.advance(timedelta(days=1))
    assert override(service, pack, path="guides/more.md").status == 201
    kept = service.services.scan_overrides.get(pack).overrides
    assert [each.path for each in kept] == ["guides/7.md", "guides/more.md"]


@pytest.mark.parametrize(
    ("policy", "field", "helps"),
    [
        ({"block": "severe"}, "block", "must be one of: none, low, medium, high, critical"),
        ({"block": 3}, "block", "must be one of"),
        ({"incomplete": True}, "incomplete", "must be one of: warn, block"),
        ({"rules": []}, "rules", "must be an object"),
        (
            {"rules": {"secret.github-tokn": "warn"}},
            "rules.secret.github-tokn",
            f"did you mean {SECRET_RULE}?",
        ),
        ({"rules": {"secrets.*": "warn"}}, "rules.secrets.*", "did you mean secret.*?"),
        ({"rules": {"*": "block"}}, "rules.*", "is not a rule of the scanner"),
        ({"rules": {SECRET_RULE: "allow"}}, f"rules.{SECRET_RULE}", "must be one of: block, warn, ignore"),
        ({"rules": {f"x.r{number}": "warn" for number in range(101)}}, "rules", "100 are the most"),
        ({"severity": "high"}, "severity", "is not a field of this request"),
    ],
)
def test_a_policy_is_refused_by_the_field_that_is_wrong(
    running: Service, policy: dict[str, Any], field: str, helps: str
) -> None:
    answer = set_policy(running, **policy)

    assert refusal(answer) == (400, "validation_error")
    assert helps in answer.fields[field]
    assert get(running).body == DEFAULT


@pytest.mark.parametrize(
    ("asked", "field", "helps"),
    [
        ({"rule": "secret.*"}, "rule", "is not a rule of the scanner"),
        ({"rule": 1}, "rule", "must be text"),
        ({"path": "../x"}, "path", ""),
        ({"path": "nowhere/../x.md"}, "path", "the path holds '..'"),
        ({"reason": ""}, "reason", "must be a text of 1 to 1000 characters"),
        ({"expires_at": "tomorrow"}, "expires_at", "must be an instant"),
        ({"expires_at": "2026-04-01T00:00:00"}, "expires_at", "must be an instant with its offset"),
        ({"expires_at": "20260401T000000Z"}, "expires_at", "must be an instant with its offset"),
        ({"expires_at": "2026-W14-3T00:00:00Z"}, "expires_at", "must be an instant with its offset"),
        ({"expires_at": "2026-02-30T00:00:00Z"}, "expires_at", "must be an instant with its offset"),
        ({"expires_at": "2026-02-01T00:00:00Z"}, "expires_at", "must be later than now"),
        ({"expires_at": "2028-02-01T00:00:00Z"}, "expires_at", "by at most 366 days"),
    ],
)
def test_an_override_is_refused_by_the_field_that_is_wrong(
    running: Service, asked: dict[str, Any], field: str, helps: str
) -> None:
    name = f"pack-{abs(hash((field, str(asked)))) % 100_000}"
    answer = override(running, made(running, name), **asked)

    assert refusal(answer) == (400, "validation_error")
    assert helps in answer.fields[field]
