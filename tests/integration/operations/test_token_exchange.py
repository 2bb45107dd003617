"""Exchanging tokens of CI for keys, through the real handlers and an issuer on a loopback port."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.gateway import Request, multipart
from tests.issuer import Issuer, public
from tests.publishers import (
    AWS_KEY,
    GITHUB,
    GITLAB,
    KEY,
    SHA,
    add,
    caller_of,
    events_of,
    exchange,
    put_acme,
    refused_claims,
    token_of,
)
from tests.service import ACME, PackArchive, Service
from tests.staged_uploads import arrive, deliver
from tests.staged_uploads import start as start_upload

from packyard.store.wire import from_wire

IDS = {"repository_id": "123456", "repository_owner_id": "98765", "workflow": "release.yml"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(keys=[public(KEY), public(AWS_KEY)]) as running:
        yield running


@pytest.fixture(autouse=True)
def acme(service: Service) -> None:
    put_acme(service)


def test_a_token_is_exchanged_for_a_key_of_15_minutes_for_one_pack(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)

    answer = exchange(service, token_of(service, issuer))

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert {**answer.body, "key": ""} == {
        "key": "",
        "expires_at": "2026-03-01T12:15:00.000Z",
        "pack_name": "slack",
        "scopes": ["caps:write"],
    }
    caller = caller_of(service, answer.body["key"])
    assert (caller.org_id, caller.pack_name, set(caller.scopes)) == (ACME.org_id, "slack", {"caps:write"})


def test_what_the_run_publishes_names_repository_run_and_commit(service: Service, issuer: Issuer) -> None:
    publisher = add(service, issuer.url).body["id"]
    caller = caller_of(service, exchange(service, token_of(service, issuer)).body["key"])
    host = issuer.url.removeprefix("http://")
    principal = f"ci:github:{host}/acme/slack-pack@{SHA[:12]}/runs/4711"
    facts = {
        "publisher_id": publisher,
        "kind": "github",
        "issuer": issuer.url,
        "repository": "acme/slack-pack",
        "repository_id": "123456",
        "owner_id": "98765",
        "workflow": GITHUB["workflow_ref"],
        "called_workflow": GITHUB["job_workflow_ref"],
        "ref": "refs/tags/v1.0.0",
        "commit": SHA,
        "run_id": "4711",
        "run_attempt": "1",
        "run_url": f"{issuer.url}/acme/slack-pack/actions/runs/4711",
        "event": "release",
        "actor": "ada",
    }

    made = service.upload(PackArchive().build(), caller)

    assert made.status == 201
    [created] = events_of(service, type="pack.created")
    assert (created["actor"], created["data"]["ci"]) == (principal, facts)
    history = service.send("list_revisions", "GET", f"/packs/{made.body['id']}/revisions")
    assert history.body["revisions"][0]["actor"] == principal
    [issued] = events_of(service, type="key.issued")
    assert (issued["actor"], issued["data"]["ci"]) == (principal, facts)


def test_an_archive_that_the_run_has_staged_names_it_too(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    caller = caller_of(service, exchange(service, token_of(service, issuer)).body["key"])

    started = start_upload(service, caller)
    deliver(service, arrive(service, started.body["upload_id"], PackArchive().build()))

    [created] = events_of(service, type="pack.created")
    assert created["data"]["ci"]["run_id"] == "4711"


def test_what_others_do_afterwards_names_no_run(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    caller = caller_of(service, exchange(service, token_of(service, issuer)).body["key"])
    made = service.upload(PackArchive().build(), caller)

    service.update(made.body["id"], "community")

    [changed] = events_of(service, type="pack.visibility_changed")
    assert "ci" not in changed["data"]


def test_the_key_is_of_no_use_for_another_pack(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    caller = caller_of(service, exchange(service, token_of(service, issuer)).body["key"])

    assert service.upload(PackArchive(name="jira").build(), caller).status == 403


def test_keys_of_ci_are_not_in_the_list_and_take_no_place_in_it(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    exchange(service, token_of(service, issuer))

    assert service.send("keys", "GET", "/keys").body["keys"] == []


def test_a_key_of_ci_can_be_revoked_by_the_id_in_its_event(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    secret = exchange(service, token_of(service, issuer)).body["key"]
    [issued] = events_of(service, type="key.issued")

    revoked = service.send("keys", "DELETE", f"/keys/{issued['data']['key_id']}")

    assert revoked.status == 200
    with pytest.raises(Exception, match="credential"):
        caller_of(service, secret)


@pytest.mark.parametrize(
    ("kind", "claims", "configured"),
    [
        ("github", GITHUB, IDS),
        ("gitlab", GITLAB, {"project_id": 20, "namespace_id": 72, "ref": "refs/tags/v*"}),
        ("gitlab", GITLAB, {"project_path": "Acme/Packs/Slack", "ref_protected": True}),
    ],
)
def test_installations_of_ones_own_are_known_by_their_url(
    service: Service, issuer: Issuer, kind: str, claims: Mapping[str, Any], configured: Mapping[str, Any]
) -> None:
    assert add(service, issuer.url, issuer=kind, claims=configured).status == 201

    assert exchange(service, token_of(service, issuer, claims)).status == 200


def test_any_issuer_is_taken_by_exact_claims(service: Service, issuer: Issuer) -> None:
    claims = {"sub": "org/1/project/2", "project": 2, "protected": True}
    stated = {"project": "2", "protected": "true"}
    add(service, issuer.url, issuer=issuer.url, issuer_url=None, claims=stated)

    assert exchange(service, token_of(service, issuer, claims)).status == 200
    assert refused_claims(exchange(service, token_of(service, issuer, claims, project=3))) == {
        "project": {"came": "3"}
    }


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"org": "ACME!"}, "org"),
        ({"org": 5}, "org"),
        ({"pack_name": "Slack"}, "pack_name"),
        ({"token": None}, "token"),
        ({"repository": "acme/slack-pack"}, "repository"),
    ],
)
def test_a_field_that_is_wrong_is_named(service: Service, fields: Mapping[str, Any], named: str) -> None:
    answer = exchange(service, "a.b.c", **fields)

    assert (answer.status, named in answer.fields) == (400, True)


def test_without_a_public_url_the_audience_is_where_the_request_came_to(
    service: Service, issuer: Issuer
) -> None:
    service.new_process(settings=replace(service.services.settings, public_url=""))
    add(service, issuer.url)
    audience = "https://abc123.execute-api.eu-central-1.amazonaws.com/v1#acme"
    body = {"token": token_of(service, issuer, aud=audience), "org": "acme", "pack_name": "slack"}
    event = _event(body)
    event["requestContext"]["domainName"] = "ABC123.execute-api.eu-central-1.amazonaws.com"

    assert service.invoke("exchange_oidc", event)["statusCode"] == 200


def test_the_host_of_another_organisation_is_refused(service: Service, issuer: Issuer) -> None:
    settings = replace(service.services.settings, api_domain="packyard.example")
    service.new_process(settings=settings)
    add(service, issuer.url)
    body = {"token": token_of(service, issuer), "org": "acme", "pack_name": "slack"}

    wrong = service.invoke("exchange_oidc", _event(body, host="globex.packyard.example"))
    right = service.invoke("exchange_oidc", _event(body, host="acme.packyard.example"))

    assert (wrong["statusCode"], right["statusCode"]) == (400, 200)


def _event(body: Mapping[str, Any], host: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Host": host}
    return Request(
        method="POST", resource="/oidc/exchange", headers=headers, body=json.dumps(body).encode()
    ).event()


def test_what_was_used_is_forgotten_when_the_token_is_refused_anyway(
    service: Service, issuer: Issuer
) -> None:
    add(service, issuer.url)
    exchange(service, token_of(service, issuer))

    used = [item for item in _items(service) if item["PK"].startswith("USED#")]

    assert [item["expires_at"] for item in used] == [int(service.clock().timestamp()) + 300 + 120]


def _items(service: Service) -> list[Any]:
    found = service.aws.dynamodb.scan(TableName=service.services.settings.table)["Items"]
    return [from_wire(item) for item in found]


def test_a_form_is_not_a_body_of_it(service: Service) -> None:
    body, headers = multipart({"archive": b"x"})
    request = Request(method="POST", resource="/oidc/exchange", headers=headers, body=body)

    assert service.request("exchange_oidc", request).status == 415
