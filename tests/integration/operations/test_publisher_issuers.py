"""Where the keys of publishers' issuers come from: accounts of AWS, discovery, and issuers that answer badly."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.issuer import Issuer, public, signed
from tests.publishers import (
    AWS,
    AWS_KEY,
    KEY,
    ROLE_ARN,
    add,
    exchange,
    listed_publishers,
    payload_of,
    put_acme,
    token,
    token_of,
)
from tests.service import Service

from packyard.issuer.discovered_keys import MAX_ISSUERS, DiscoveredIssuers
from packyard.tenants.signing_keys import KeyName


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(keys=[public(KEY), public(AWS_KEY)]) as running:
        yield running


@pytest.fixture(autouse=True)
def acme(service: Service) -> None:
    put_acme(service)


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
        claims = payload_of(token(url, AWS, at=service.clock(), **changes))
        return signed(AWS_KEY, "ES384", claims)

    other_account = {"https://sts.amazonaws.com/": {"aws_account": "210987654321", "principal_id": ROLE_ARN}}
    assert exchange(service, of_aws(urls[1], **other_account)).status == 401
    assert exchange(service, of_aws("https://mine.tokens.sts.global.api.aws.evil.example")).status == 401
    assert asked == []
    assert exchange(service, of_aws(urls[0])).status == 200
    assert listed_publishers(service)[0]["pinned"] == {"issuer": urls[0]}

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

    answer = exchange(service, token_of(service, issuer))

    assert (answer.status, answer.error["code"]) == (503, "service_unavailable")
    assert issuer.asked == 1


def test_redirects_of_an_issuer_are_not_followed(service: Service, issuer: Issuer) -> None:
    add(service, issuer.url)
    with Issuer(keys=[public(KEY)]) as elsewhere:
        issuer.elsewhere = f"{elsewhere.url}/.well-known/openid-configuration"

        assert exchange(service, token_of(service, issuer)).status == 503
        assert elsewhere.asked == 0


def test_an_issuer_that_drips_is_left_after_three_seconds_and_not_asked_again_at_once(
    service: Service, issuer: Issuer
) -> None:
    add(service, issuer.url)
    issuer.dripping = True
    begun = time.monotonic()

    for _ in range(3):
        assert exchange(service, token_of(service, issuer)).status == 503

    assert issuer.asked == 1
    assert time.monotonic() - begun < 10, "three seconds, and what a busy machine adds"


def test_keys_are_kept_and_asked_for_anew_when_a_token_names_another(
    service: Service, issuer: Issuer
) -> None:
    add(service, issuer.url)
    for _ in range(3):
        assert exchange(service, token_of(service, issuer)).status == 200
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
