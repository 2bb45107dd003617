"""JWTs in the authorizer, through its real handler, with an issuer on a loopback port."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.issuer import AUDIENCE, ISSUER, Issuer, ec_key, public, rsa_key, signed
from tests.service import ACME, Service, running_service

from packyard.composition.settings import JwtSettings
from packyard.errors import ServiceUnavailable
from packyard.http.authorizer import Unauthorized
from packyard.tenants.org import BillingPosture, Org

PROJECT = Path(__file__).parents[3]
KEY = rsa_key("march")
METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"


@dataclass(frozen=True)
class World:
    """A service that takes the tokens of an issuer."""

    service: Service
    issuer: Issuer

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.service.clock.now.timestamp())
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ada",
            "org_id": ACME.org_id,
            "permissions": ["caps:write"],
            "exp": now + 3600,
            **changes,
        }

    def authorize(self, token: str) -> Any:
        event = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": METHOD_ARN}
        return self.service.invoke("authorize", event)


@pytest.fixture
def world() -> Iterator[World]:
    with Issuer(keys=[public(KEY)]) as issuer:
        jwt = JwtSettings(issuer=ISSUER, audience=AUDIENCE, keys_url=issuer.keys_url)
        with running_service(jwt=jwt) as service:
            org = Org(org_id=ACME.org_id, slug="acme", billing=BillingPosture.ACTIVE)
            service.services.tenants.put_org(org)
            yield World(service, issuer)


def test_a_token_s_caller_has_its_subject_as_principal(world: World) -> None:
    answer = world.authorize(signed(KEY, "RS256", world.claims()))

    assert answer["principalId"] == "user:ada"
    assert answer["context"] == {
        "org_id": ACME.org_id,
        "org_slug": "acme",
        "principal": "user:ada",
        "scopes": "caps:write",
        "may_create": "true",
        # What a key that is made with the token may last at most.
        "ends_at": "2026-03-01T13:00:00.000Z",
    }


def test_a_token_without_the_permission_reads_only(world: World) -> None:
    answer = world.authorize(signed(KEY, "RS256", world.claims(permissions=["caps:read"])))

    assert answer["context"]["scopes"] == ""


def test_a_token_outlives_the_rotation_of_keys_only_as_long_as_its_key(world: World) -> None:
    april = ec_key("april")
    old, new = signed(KEY, "RS256", world.claims()), signed(april, "ES256", world.claims())
    world.authorize(old)

    world.issuer.keys = [public(KEY), public(april)]
    world.service.clock.advance(timedelta(minutes=1))
    assert world.authorize(new)
    assert world.authorize(old)

    world.issuer.keys = [public(april)]
    world.service.clock.advance(timedelta(minutes=10))
    assert world.authorize(new)
    with pytest.raises(Unauthorized):
        world.authorize(old)


def test_a_token_is_void_a_minute_after_its_expiry(world: World) -> None:
    token = signed(KEY, "RS256", world.claims())
    world.service.clock.advance(timedelta(seconds=3659))
    assert world.authorize(token)

    world.service.clock.advance(timedelta(seconds=1))

    with pytest.raises(Unauthorized):
        world.authorize(token)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"org_id": "org_01hzn0b0dy0000000000000000"}, id="an organisation that we do not know"),
        pytest.param({"iss": "https://evil.example/"}, id="another issuer"),
        pytest.param({"aud": "https://other.example"}, id="another audience"),
        pytest.param({"note": "n" * 9000}, id="longer than any credential"),
    ],
)
def test_what_is_refused_is_refused_alike(world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        world.authorize(signed(KEY, "RS256", world.claims(**changes)))


def test_why_a_token_was_refused_is_in_the_log_only(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unauthorized):
        world.authorize(signed(KEY, "RS256", world.claims(aud="https://other.example")))

    (reason,) = [vars(record)["reason"] for record in caplog.records if record.message == "refused"]
    assert "aud" in reason
    assert "other.example" not in reason


def test_an_outage_of_the_issuer_is_not_answered_as_a_bad_token(world: World) -> None:
    world.issuer.down = True

    with pytest.raises(ServiceUnavailable):
        world.authorize(signed(KEY, "RS256", world.claims()))


def test_a_malformed_token_does_not_make_us_ask_the_issuer(world: World) -> None:
    with pytest.raises(Unauthorized):
        world.authorize("eyJhbGciOiJub25lIn0.e30.AA")

    assert world.issuer.asked == 0


def test_without_an_issuer_no_token_is_taken() -> None:
    with Issuer(keys=[public(KEY)]) as issuer, running_service() as service:
        world = World(service, issuer)

        with pytest.raises(Unauthorized):
            world.authorize(signed(KEY, "RS256", world.claims()))

        assert issuer.asked == 0


def test_api_keys_do_not_pay_for_tokens() -> None:
    look = "import functions.authorize.app, sys; print({'joserfc', 'cryptography'} & set(sys.modules))"
    path = f"{PROJECT / 'layers/packyard/python'}:{PROJECT}"

    loaded = subprocess.run(  # noqa: S603 - this interpreter, and a line of this test
        [sys.executable, "-c", look], check=True, capture_output=True, text=True, env={"PYTHONPATH": path}
    ).stdout

    assert loaded.strip() == "set()"
