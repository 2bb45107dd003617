"""Exchanging tokens of CI for keys, through the real handlers and an issuer on a loopback port."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.gateway import Answer, Request, multipart
from tests.issuer import Issuer, public, rsa_key, segment, signed, signed_with_secret
from tests.publishers import (
    AUDIENCE,
    AWS,
    AWS_KEY,
    GITHUB,
    GITLAB,
    KEY,
    ROLE_ARN,
    SHA,
    add,
    caller_of,
    exchange,
    put_acme,
    token,
)
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.staged_uploads import arrive, deliver
from tests.staged_uploads import start as start_upload

from packyard.issuer.discovered_keys import MAX_ISSUERS, DiscoveredIssuers
from packyard.packs.event import SHOWN_AFTER
from packyard.store.publishers import PublisherStore
from packyard.store.wire import from_wire
from packyard.tenants.org import BillingPosture, Org
from packyard.tenants.publisher import Publisher
from packyard.tenants.signing_keys import KeyName

IDS = {"repository_id": "123456", "repository_owner_id": "98765", "workflow": "release.yml"}
STRANGER = rsa_key("stranger")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(keys=[public(KEY), public(AWS_KEY)]) as running:
        yield running


@pytest.fixture(autouse=True)
def acme(service: Service) -> None:
    put_acme(service)


def of(service: Service, issuer: Issuer, claims: Mapping[str, Any] = GITHUB, **changes: Any) -> str:
    return token(issuer.url, claims, at=service.clock(), **changes)


def claims_of(answer: Answer) -> Any:
    assert answer.status == 401, answer.body
    assert answer.error["code"] == "unauthenticated"
    return answer.error["details"]["claims"]


def events(service: Service, **query: str) -> list[Any]:
    service.clock.advance(SHOWN_AFTER)
    listed: list[Any] = service.send("list_events", "GET", "/events", query=query).body["events"]
    return listed


def publishers(service: Service) -> list[Any]:
    listed: list[Any] = service.send("trusted_publishers", "GET", "/trusted-publishers").body["publishers"]
    return listed


def test_a_token_is_exchanged_for_a_key_of_15_minutes_for_one_pack(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)

    answer = exchange(service, of(service, issuer))

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
    caller = caller_of(service, exchange(service, of(service, issuer)).body["key"])
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
    [created] = events(service, type="pack.created")
    assert (created["actor"], created["data"]["ci"]) == (principal, facts)
    history = service.send("list_revisions", "GET", f"/packs/{made.body['id']}/revisions")
    assert history.body["revisions"][0]["actor"] == principal
    [issued] = events(service, type="key.issued")
    assert (issued["actor"], issued["data"]["ci"]) == (principal, facts)


def test_an_archive_that_the_run_has_staged_names_it_too(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    caller = caller_of(service, exchange(service, of(service, issuer)).body["key"])

    started = start_upload(service, caller)
    deliver(service, arrive(service, started.body["upload_id"], PackArchive().build()))

    [created] = events(service, type="pack.created")
    assert created["data"]["ci"]["run_id"] == "4711"


def test_what_others_do_afterwards_names_no_run(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    caller = caller_of(service, exchange(service, of(service, issuer)).body["key"])
    made = service.upload(PackArchive().build(), caller)

    service.update(made.body["id"], "community")

    [changed] = events(service, type="pack.visibility_changed")
    assert "ci" not in changed["data"]


def test_the_key_is_of_no_use_for_another_pack(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    caller = caller_of(service, exchange(service, of(service, issuer)).body["key"])

    assert service.upload(PackArchive(name="jira").build(), caller).status == 403


def test_keys_of_ci_are_not_in_the_list_and_take_no_place_in_it(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    exchange(service, of(service, issuer))

    assert service.send("list_keys", "GET", "/keys").body["keys"] == []


def test_a_key_of_ci_can_be_revoked_by_the_id_in_its_event(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    secret = exchange(service, of(service, issuer)).body["key"]
    [issued] = events(service, type="key.issued")

    revoked = service.send("revoke_key", "DELETE", f"/keys/{issued['data']['key_id']}")

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

    assert exchange(service, of(service, issuer, claims)).status == 200


def test_any_issuer_is_taken_by_exact_claims(service: Service, issuer: Issuer) -> None:
    claims = {"sub": "org/1/project/2", "project": 2, "protected": True}
    stated = {"project": "2", "protected": "true"}
    add(service, issuer.url, issuer=issuer.url, issuer_url=None, claims=stated)

    assert exchange(service, of(service, issuer, claims)).status == 200
    assert claims_of(exchange(service, of(service, issuer, claims, project=3))) == {"project": {"came": "3"}}


# -- tokens that are refused ---------------------------------------------------------------------------------------


def _bad(name: str, changes: Mapping[str, Any], claims: Mapping[str, Any]) -> Any:
    return pytest.param(changes, claims, id=name)


@pytest.mark.parametrize(
    ("changes", "claims"),
    [
        _bad("no audience", {"aud": None}, {"aud": {}}),
        _bad("of another organisation", {"aud": AUDIENCE[:-4] + "globex"}, {"aud": {"came": AUDIENCE[:-4] + "globex"}}),
        _bad("of another deployment", {"aud": "https://evil.example/v1#acme"}, {"aud": {"came": "https://evil.example/v1#acme"}}),
        _bad("of the deployment, and no organisation", {"aud": AUDIENCE[:-5]}, {"aud": {"came": AUDIENCE[:-5]}}),
        _bad("for several", {"aud": [AUDIENCE, "sts"]}, {"aud": {"came": f"['{AUDIENCE}', 'sts']"}}),
        _bad("for nobody", {"aud": []}, {"aud": {"came": "[]"}}),
        _bad("without an end", {"exp": None}, {"exp": {}}),
        _bad("over", {"exp": 1772366339}, {"exp": {"came": "2026-03-01T11:58:59Z"}}),
        _bad("for years", {"exp": 1872366339}, {"exp": {"came": "1872366339"}}),
        _bad("for ever", {"exp": 10**30}, {"exp": {"came": f"{10**30}"}}),
        _bad("an end that is true", {"exp": True}, {"exp": {"came": "True"}}),
        _bad("not yet", {"nbf": 1772366700}, {"nbf": {"came": "1772366700"}}),
        _bad("from the future", {"iat": 1772366700}, {"iat": {"came": "1772366700"}}),
        _bad("an id that is a number", {"jti": 5}, {"jti": {"came": "5"}}),
        _bad("an issuer that is none", {"iss": ["a"]}, {"iss": {"came": "['a']"}}),
        _bad("half a surrogate", {"aud": "\ud800"}, {"aud": {"came": "?"}}),
    ],
)  # fmt: skip
def test_a_token_whose_own_claims_are_wrong_is_refused_by_name_and_nobody_is_asked(
    service: Service, issuer: Issuer, changes: Mapping[str, Any], claims: Any
) -> None:
    add(service, issuer.url)

    assert claims_of(exchange(service, of(service, issuer, **changes))) == claims
    assert issuer.asked == 0


def test_a_list_with_exactly_our_audience_says_the_same(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)

    assert exchange(service, of(service, issuer, aud=[AUDIENCE])).status == 200


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", "eyJ.eyJ.eyJ", "é.é.é", f"{segment('{}')}.e30."])
def test_what_is_no_token_is_400(service: Service, issuer: Issuer, text: str) -> None:
    add(service, issuer.url)

    answer = exchange(service, text)

    assert (answer.status, list(answer.fields)) in [(400, ["token"]), (401, [])]


def test_a_token_of_more_than_20_000_characters_is_not_looked_at(service: Service) -> None:
    answer = exchange(service, "a" * 20_001)

    assert (answer.status, list(answer.fields)) == (400, ["token"])


def test_symmetric_and_missing_signatures_are_refused_by_their_algorithm(
    service: Service, issuer: Issuer
) -> None:
    add(service, issuer.url)
    right = of(service, issuer)
    payload = right.split(".")[1]
    unsigned = f"{segment(json.dumps({'alg': 'none'}))}.{payload}.eA"
    secret = signed_with_secret(b"public", {"iss": issuer.url}, {"kid": "ci"})

    for text in (secret, unsigned):
        assert claims_of(exchange(service, text)) == {"alg": {}}
    assert issuer.asked == 0


def test_before_the_signature_holds_every_refusal_has_one_text(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    service.services.tenants.put_org(Org(org_id=GLOBEX.org_id, slug="globex", billing=BillingPosture.ACTIVE))
    forged = signed(STRANGER, "RS256", {**_payload(of(service, issuer))}, {"kid": "ci"})
    unknown_key = signed(STRANGER, "RS256", {**_payload(of(service, issuer))})

    answers = [
        exchange(service, forged),
        exchange(service, unknown_key),
        exchange(service, of(service, issuer), pack_name="jira"),
        exchange(service, of(service, issuer, aud=AUDIENCE[:-4] + "globex"), org="globex"),
        exchange(service, of(service, issuer, aud=AUDIENCE[:-4] + "nobody"), org="nobody"),
    ]

    texts = {_without_names(answer.error["message"]) for answer in answers}
    assert len(texts) == 1
    assert all(claims_of(answer) == {"iss": {"came": issuer.url}} for answer in answers)


def _without_names(message: str) -> str:
    for name in ("acme", "globex", "nobody", "slack", "jira"):
        message = message.replace(f" {name}", " X")
    return message


def _payload(text: str) -> Any:
    middle = text.split(".")[1]
    return json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def test_an_issuer_that_no_publisher_names_is_never_asked(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    with Issuer(keys=[public(STRANGER)]) as other:
        text = token(other.url, GITHUB, at=service.clock())

        assert claims_of(exchange(service, text)) == {"iss": {"came": other.url}}
        assert other.asked == 0


def test_a_token_is_exchanged_once(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    text = of(service, issuer)
    assert exchange(service, text).status == 200

    again = exchange(service, text)

    assert claims_of(again) == {"jti": {}}
    assert "once" in again.error["message"]


def test_a_token_without_an_id_is_exchanged_once_too(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    text = of(service, issuer, jti=None)
    assert exchange(service, text).status == 200

    assert claims_of(exchange(service, text)) == {"jti": {}}


def test_one_id_at_two_issuers_is_two_tokens(service: Service, issuer: Issuer) -> None:
    with Issuer(keys=[public(KEY)]) as other:
        for one in (issuer, other):
            add(service, one.url)
            assert exchange(service, of(service, one, jti="1")).status == 200


def test_a_refused_token_is_not_used_up(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    text = of(service, issuer)
    assert exchange(service, text, pack_name="jira").status == 401

    assert exchange(service, text).status == 200


# -- ids and names ---------------------------------------------------------------------------------------------------


def test_the_first_token_pins_the_ids_of_what_was_named(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    assert "pinned" not in publishers(service)[0]

    exchange(service, of(service, issuer))

    assert publishers(service)[0]["pinned"] == {"repository_id": "123456", "repository_owner_id": "98765"}


def test_a_renamed_repository_and_owner_still_publish(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    exchange(service, of(service, issuer))
    renamed = {
        "repository": "acme-corp/slack",
        "repository_owner": "acme-corp",
        "workflow_ref": "acme-corp/slack/.github/workflows/release.yml@refs/tags/v1.0.1",
    }

    assert exchange(service, of(service, issuer, {**GITHUB, **renamed})).status == 200


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        pytest.param(
            {"repository_id": "777", "repository_owner_id": "666"},
            {"repository_owner_id": {"came": "666"}},
            id="made again by somebody who has taken the owner's name: nothing of what is configured is told",
        ),
        pytest.param(
            {"repository_owner_id": "666"},
            {"repository_owner_id": {"came": "666"}},
            id="given to another owner",
        ),
        pytest.param(
            {"repository_id": "777"},
            {"repository_id": {"came": "777", "configured": "123456"}},
            id="deleted and made again by the owner, who may know what is configured",
        ),
    ],
)
def test_a_repository_of_the_same_name_and_other_ids_is_another_one(
    service: Service, issuer: Issuer, ids: Mapping[str, str], named: Any
) -> None:
    add(service, issuer.url)
    exchange(service, of(service, issuer))

    assert claims_of(exchange(service, of(service, issuer, {**GITHUB, **ids}))) == named


class _Overtaken(PublisherStore):
    """Something happens once, right after the publishers were read."""

    def __init__(self, service: Service, meanwhile: Callable[[], object]) -> None:
        super().__init__(table=service.services.table, events=service.services.events)
        self._meanwhile = [meanwhile]

    def of_pack(self, org_id: str, pack_name: str) -> Sequence[Publisher]:
        found = super().of_pack(org_id, pack_name)
        if self._meanwhile:
            self._meanwhile.pop()()
        return found


def test_of_two_first_tokens_at_once_one_pins_its_ids(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    first, second = of(service, issuer), of(service, issuer, repository_id="777", repository_owner_id="666")
    won: list[Answer] = []
    store = _Overtaken(service, lambda: won.append(exchange(service, second)))
    service.new_process(parts={"publishers": store})

    assert claims_of(exchange(service, first)) == {"repository_owner_id": {"came": "98765"}}
    assert [answer.status for answer in won] == [200]
    assert publishers(service)[0]["pinned"] == {"repository_id": "777", "repository_owner_id": "666"}


def test_a_publisher_that_is_removed_while_it_is_compared_makes_no_key(
    service: Service, issuer: Issuer
) -> None:
    path = f"/trusted-publishers/{add(service, issuer.url).body['id']}"
    store = _Overtaken(service, lambda: service.send("trusted_publishers", "DELETE", path))
    service.new_process(parts={"publishers": store})

    assert exchange(service, of(service, issuer)).status == 401
    assert events(service, type="key.issued") == []


def test_a_publisher_of_a_key_that_has_ended_takes_no_tokens(service: Service, issuer: Issuer) -> None:
    end = service.clock() + timedelta(minutes=5)
    maker = replace(ACME, principal="key:maker", ends_at=end)
    added = add(service, issuer.url, maker)
    assert added.body["expires_at"] == "2026-03-01T12:05:00.000Z"

    exchanged = exchange(service, of(service, issuer))
    assert exchanged.body["expires_at"] == "2026-03-01T12:05:00.000Z", "no key outlives it"
    service.clock.advance(timedelta(minutes=5))

    assert exchange(service, of(service, issuer)).status == 401


# -- issuers ---------------------------------------------------------------------------------------------------------


def test_an_account_of_aws_pins_its_issuer_and_another_account_is_never_asked(service: Service) -> None:
    urls = [f"https://{name}.tokens.sts.global.api.aws" for name in ("mine", "theirs")]
    asked: list[str] = []

    def fetching(url: str) -> Any:
        def fetch() -> bytes:
            asked.append(url)
            return json.dumps({"keys": [public(AWS_KEY)]}).encode()

        return fetch

    issuers = DiscoveredIssuers(fetching=fetching, clock=service.clock)
    service.new_process(parts={"publisher_issuers": issuers})
    configured = {"account": "123456789012", "role_arn": ROLE_ARN}
    assert add(service, "", issuer="aws", issuer_url=None, claims=configured).status == 201

    def of_aws(url: str, **changes: Any) -> str:
        claims = _payload(token(url, AWS, at=service.clock(), **changes))
        return signed(AWS_KEY, "ES384", claims)

    other_account = {"https://sts.amazonaws.com/": {"aws_account": "210987654321", "principal_id": ROLE_ARN}}
    assert exchange(service, of_aws(urls[1], **other_account)).status == 401
    assert exchange(service, of_aws("https://mine.tokens.sts.global.api.aws.evil.example")).status == 401
    assert asked == []
    assert exchange(service, of_aws(urls[0])).status == 200
    assert publishers(service)[0]["pinned"] == {"issuer": urls[0]}

    assert exchange(service, of_aws(urls[1])).status == 401
    assert asked == [urls[0]]


@pytest.mark.parametrize(
    "discovery",
    [
        pytest.param({"issuer": "https://other.example"}, id="of another issuer"),
        pytest.param({"jwks_uri": None}, id="without keys"),
        pytest.param({"jwks_uri": "http://169.254.169.254/latest/meta-data"}, id="keys at the instance's credentials"),
        pytest.param({"jwks_uri": "https://localhost:1/keys"}, id="keys on this machine"),
        pytest.param({"jwks_uri": "ftp://example.com/keys"}, id="keys of another scheme"),
        pytest.param({"padding": "x" * (256 << 10)}, id="over 256 KiB"),
    ],
)  # fmt: skip
def test_a_discovery_document_that_is_not_the_issuers_own_is_not_followed(
    service: Service, issuer: Issuer, discovery: dict[str, Any]
) -> None:
    add(service, issuer.url)
    issuer.discovery = discovery

    answer = exchange(service, of(service, issuer))

    assert (answer.status, answer.error["code"]) == (503, "service_unavailable")
    assert issuer.asked == 1


def test_redirects_of_an_issuer_are_not_followed(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    with Issuer(keys=[public(KEY)]) as elsewhere:
        issuer.elsewhere = f"{elsewhere.url}/.well-known/openid-configuration"

        assert exchange(service, of(service, issuer)).status == 503
        assert elsewhere.asked == 0


def test_an_issuer_that_drips_is_left_after_three_seconds_and_not_asked_again_at_once(
    service: Service, issuer: Issuer
) -> None:
    add(service, issuer.url)
    issuer.dripping = True
    begun = time.monotonic()

    for _ in range(3):
        assert exchange(service, of(service, issuer)).status == 503

    assert issuer.asked == 1
    assert time.monotonic() - begun < 10, "three seconds, and what a busy machine adds"


def test_keys_are_kept_and_asked_for_anew_when_a_token_names_another(
    service: Service, issuer: Issuer
) -> None:
    add(service, issuer.url)
    for _ in range(3):
        assert exchange(service, of(service, issuer)).status == 200
    assert issuer.asked == 2, "the discovery document and the keys"


def test_the_issuers_used_last_are_remembered(service: Service) -> None:
    asked: list[str] = []

    def fetching(url: str) -> Any:
        def fetch() -> bytes:
            asked.append(url)
            return b'{"keys": []}'

        return fetch

    issuers = DiscoveredIssuers(fetching=fetching, clock=service.clock)
    name = KeyName("ci", "RS256")
    for number in range(MAX_ISSUERS + 1):
        issuers.find(f"https://{number}.example", name)
        issuers.find("https://0.example", name)

    issuers.find("https://1.example", name)
    issuers.find("https://64.example", name)

    assert asked.count("https://1.example") == 2, "the one that was used longest ago was forgotten"
    assert asked.count("https://0.example") == asked.count("https://64.example") == 1


# -- the request -----------------------------------------------------------------------------------------------------


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
    body = {"token": of(service, issuer, aud=audience), "org": "acme", "pack_name": "slack"}
    event = _event(body)
    event["requestContext"]["domainName"] = "ABC123.execute-api.eu-central-1.amazonaws.com"

    assert service.invoke("exchange_oidc", event)["statusCode"] == 200


def test_the_host_of_another_organisation_is_refused(service: Service, issuer: Issuer) -> None:
    settings = replace(service.services.settings, api_domain="packyard.example")
    service.new_process(settings=settings)
    add(service, issuer.url)
    body = {"token": of(service, issuer), "org": "acme", "pack_name": "slack"}

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
    exchange(service, of(service, issuer))

    used = [item for item in _items(service) if item["PK"].startswith("USED#")]

    assert [item["expires_at"] for item in used] == [int(service.clock().timestamp()) + 300 + 120]


def _items(service: Service) -> list[Any]:
    found = service.aws.dynamodb.scan(TableName=service.services.settings.table)["Items"]
    return [from_wire(item) for item in found]


def test_a_form_is_not_a_body_of_it(service: Service) -> None:
    body, headers = multipart({"archive": b"x"})
    request = Request(method="POST", resource="/oidc/exchange", headers=headers, body=body)

    assert service.request("exchange_oidc", request).status == 415
