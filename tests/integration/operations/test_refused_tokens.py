"""Tokens of CI that are not exchanged: what is told, what is asked, and what is used up."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.issuer import Issuer, public, rsa_key, segment, signed, signed_with_secret
from tests.publishers import (
    AUDIENCE,
    AWS_KEY,
    GITHUB,
    KEY,
    add,
    exchange,
    payload_of,
    put_acme,
    refused_claims,
    token,
    token_of,
)
from tests.service import GLOBEX, Service

from packyard.tenants.org import BillingPosture, Org

STRANGER = rsa_key("stranger")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(keys=[public(KEY), public(AWS_KEY)]) as running:
        yield running


@pytest.fixture(autouse=True)
def acme(service: Service) -> None:
    put_acme(service)


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

    assert refused_claims(exchange(service, token_of(service, issuer, **changes))) == claims
    assert issuer.asked == 0


def test_a_list_with_exactly_our_audience_says_the_same(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)

    assert exchange(service, token_of(service, issuer, aud=[AUDIENCE])).status == 200


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
    right = token_of(service, issuer)
    payload = right.split(".")[1]
    unsigned = f"{segment(json.dumps({'alg': 'none'}))}.{payload}.eA"
    secret = signed_with_secret(b"public", {"iss": issuer.url}, {"kid": "ci"})

    for text in (secret, unsigned):
        assert refused_claims(exchange(service, text)) == {"alg": {}}
    assert issuer.asked == 0


def test_before_the_signature_holds_every_refusal_has_one_text(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    service.services.tenants.put_org(Org(org_id=GLOBEX.org_id, slug="globex", billing=BillingPosture.ACTIVE))
    forged = signed(STRANGER, "RS256", {**payload_of(token_of(service, issuer))}, {"kid": "ci"})
    unknown_key = signed(STRANGER, "RS256", {**payload_of(token_of(service, issuer))})

    answers = [
        exchange(service, forged),
        exchange(service, unknown_key),
        exchange(service, token_of(service, issuer), pack_name="jira"),
        exchange(service, token_of(service, issuer, aud=AUDIENCE[:-4] + "globex"), org="globex"),
        exchange(service, token_of(service, issuer, aud=AUDIENCE[:-4] + "nobody"), org="nobody"),
    ]

    texts = {_without_names(answer.error["message"]) for answer in answers}
    assert len(texts) == 1
    assert all(refused_claims(answer) == {"iss": {"came": issuer.url}} for answer in answers)


def _without_names(message: str) -> str:
    for name in ("acme", "globex", "nobody", "slack", "jira"):
        message = message.replace(f" {name}", " X")
    return message


def test_an_issuer_that_no_publisher_names_is_never_asked(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    with Issuer(keys=[public(STRANGER)]) as other:
        text = token(other.url, GITHUB, at=service.clock())

        assert refused_claims(exchange(service, text)) == {"iss": {"came": other.url}}
        assert other.asked == 0


def test_a_token_is_exchanged_once(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    text = token_of(service, issuer)
    assert exchange(service, text).status == 200

    again = exchange(service, text)

    assert refused_claims(again) == {"jti": {}}
    assert "once" in again.error["message"]


def test_a_token_without_an_id_is_exchanged_once_too(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    text = token_of(service, issuer, jti=None)
    assert exchange(service, text).status == 200

    assert refused_claims(exchange(service, text)) == {"jti": {}}


def test_one_id_at_two_issuers_is_two_tokens(service: Service, issuer: Issuer) -> None:
    with Issuer(keys=[public(KEY)]) as other:
        for one in (issuer, other):
            add(service, one.url)
            assert exchange(service, token_of(service, one, jti="1")).status == 200


def test_a_refused_token_is_not_used_up(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    text = token_of(service, issuer)
    assert exchange(service, text, pack_name="jira").status == 401

    assert exchange(service, text).status == 200
