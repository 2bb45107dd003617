"""Runs of CI and the issuers of their tokens, on a loopback port."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from tests.ci_claims import AWS, GITHUB, GITLAB, ROLE_ARN, SHA
from tests.gateway import Answer
from tests.issuer import Issuer, ec_key, rsa_key, signed
from tests.service import ACME, PUBLIC_URL, Service

from packyard.packs.event import SHOWN_AFTER
from packyard.tenants.caller import Caller
from packyard.tenants.org import BillingPosture, Org

__all__ = ["AWS", "GITHUB", "GITLAB", "ROLE_ARN", "SHA"]

KEY: Final = rsa_key("ci")
AWS_KEY: Final = ec_key("aws", "P-384")
AUDIENCE: Final = f"{PUBLIC_URL}#{ACME.org_slug}"


def token(issuer: str, claims: Mapping[str, Any], /, *, at: datetime, **changes: Any) -> str:
    """Return a token for Acme, five minutes long; a change that is None leaves a claim out."""
    now = int(at.timestamp())
    whole = {
        "iss": issuer,
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now - 5,
        "exp": now + 300,
        "jti": str(uuid4()),
    }
    stated = {name: value for name, value in {**whole, **claims, **changes}.items() if value is not None}
    return signed(KEY, "RS256", stated)


def put_acme(service: Service) -> None:
    """Let there be the item of the organisation Acme, which has its slug and its policies."""
    tenants = service.services.tenants
    if tenants.get_org(ACME.org_id) is None:
        tenants.put_org(Org(org_id=ACME.org_id, slug=ACME.org_slug, billing=BillingPosture.ACTIVE))


def add(service: Service, issuer: str, caller: Caller = ACME, /, **fields: Any) -> Answer:
    """Add a trusted publisher: GitHub at an issuer of the test's own, unless the fields say otherwise."""
    body = {
        "pack_name": "slack",
        "issuer": "github",
        "issuer_url": issuer,
        "claims": {"repository": "acme/slack-pack", "workflow": "release.yml"},
        **fields,
    }
    present = {name: value for name, value in body.items() if value is not None}
    return service.send("trusted_publishers", "POST", "/trusted-publishers", caller=caller, json=present)


def exchange(service: Service, text: str, **fields: Any) -> Answer:
    """Exchange a token, as a run of CI does: without a credential."""
    body = {"token": text, "org": "acme", "pack_name": "slack", **fields}
    return service.send("exchange_oidc", "POST", "/oidc/exchange", caller=None, json=body)


def caller_of(service: Service, secret: str) -> Caller:
    """Return whom the authorizer finds behind a key."""
    from packyard.operations.authenticate import authenticate  # noqa: PLC0415 - few tests need it

    services = service.services
    return authenticate(
        f"Bearer {secret}", tenants=services.tenants, token_reader=lambda: None, now=services.clock()
    )


def token_of(service: Service, issuer: Issuer, claims: Mapping[str, Any] = GITHUB, **changes: Any) -> str:
    """Return a token of an issuer, made now by the service's clock."""
    return token(issuer.url, claims, at=service.clock(), **changes)


def payload_of(text: str) -> Any:
    """Return what a token says."""
    middle = text.split(".")[1]
    return json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def refused_claims(answer: Answer) -> Any:
    """Return which claims a refusal of a token names."""
    assert answer.status == 401, answer.body
    assert answer.error["code"] == "unauthenticated"
    return answer.error["details"]["claims"]


def events_of(service: Service, **query: str) -> list[Any]:
    """Return the organisation's events, once they are shown."""
    service.clock.advance(SHOWN_AFTER)
    listed: list[Any] = service.send("list_events", "GET", "/events", query=query).body["events"]
    return listed


def listed_publishers(service: Service) -> list[Any]:
    """Return the organisation's trusted publishers."""
    listed: list[Any] = service.send("trusted_publishers", "GET", "/trusted-publishers").body["publishers"]
    return listed
