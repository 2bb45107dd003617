import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from packyard.registry.credentials import Anonymous, Credential
from packyard.registry.third_party.pull_credentials import Grant, ThirdPartyCredentials

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
USER = {"username": "user", "password": "secret"}
SHOWN = "Basic dXNlcjpzZWNyZXQ="


class Secret:
    """A secret and the credentials made of it, under a clock of its own."""

    def __init__(self, body: Any) -> None:
        self.text = body if isinstance(body, str) else json.dumps(body)
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.loaded = 0
        self.regions: list[str] = []
        self.credentials = ThirdPartyCredentials(
            load=self.load, ecr_token=self.ecr_token, clock=lambda: self.now
        )

    def load(self) -> str:
        self.loaded += 1
        return self.text

    def ecr_token(self, region: str) -> Credential:
        self.regions.append(region)
        return Anonymous()

    def grant(self, registry: str, org_id: str = "org_a") -> Grant | None:
        return self.credentials.grant_for(registry, org_id=org_id)

    def shown(self, registry: str, org_id: str = "org_a") -> str | None:
        grant = self.grant(registry, org_id)
        return grant.credential.authorization() if grant else None


def test_a_registry_that_is_listed_is_shown_its_credential_and_no_other_is() -> None:
    secret = Secret({"ghcr.io": USER})

    assert secret.shown("ghcr.io") == SHOWN
    for registry in ("docker.io", "evil.ghcr.io", "ghcr.io.evil.test", "ghcr.io:8443"):
        assert secret.grant(registry) is None


@pytest.mark.parametrize(
    ("listed", "asked"),
    [("GHCR.io:443", "ghcr.io"), ("index.docker.io", "docker.io"), ("127.0.0.1:5000", "127.0.0.1:5000")],
)
def test_a_registry_is_listed_by_any_of_its_names(listed: str, asked: str) -> None:
    assert Secret({listed: USER}).shown(asked) == SHOWN


def test_only_the_organisations_that_are_listed_are_served() -> None:
    secret = Secret({"ghcr.io": USER | {"orgs": ["org_a", "org_b"]}, "quay.io": USER | {"orgs": []}})

    assert secret.shown("ghcr.io", "org_a") == SHOWN
    assert secret.grant("ghcr.io", "org_c") is None
    assert secret.grant("quay.io", "org_a") is None


def test_a_token_server_can_be_named() -> None:
    grant = Secret({"registry.gitlab.com": USER | {"realm": "GitLab.com:443"}}).grant("registry.gitlab.com")

    assert grant is not None
    assert grant.realm == "gitlab.com"


def test_ecr_s_token_is_made_for_the_registry_s_region() -> None:
    secret = Secret(
        {ECR: {"ecr": True}, "210987654321.dkr.ecr-fips.us-gov-west-1.amazonaws.com": {"ecr": True}}
    )

    assert secret.grant(ECR) is not None
    assert secret.regions == ["eu-west-1", "us-gov-west-1"]


def test_without_entries_nothing_is_shown() -> None:
    assert Secret({}).grant("ghcr.io") is None


def test_the_secret_is_read_when_needed_and_again_after_five_minutes() -> None:
    secret = Secret({"ghcr.io": USER})
    assert secret.loaded == 0

    secret.grant("ghcr.io")
    secret.now += timedelta(minutes=4, seconds=59)
    secret.grant("ghcr.io")
    assert secret.loaded == 1

    secret.text = "{}"
    secret.now += timedelta(seconds=1)
    assert secret.grant("ghcr.io") is None
    assert secret.loaded == 2


BROKEN: dict[str, Any] = {
    "no-json": "{secret",
    "a-list": [],
    "a-url": {"https://ghcr.io": USER},
    "no-password": {"ghcr.io": {"username": "secret"}},
    "an-unknown-key": {"ghcr.io": USER | {"passwort": "secret"}},
    "an-entry-that-is-text": {"ghcr.io": "secret"},
    "a-password-that-is-no-text": {"ghcr.io": {"username": "secret", "password": 1}},
    "an-empty-password": {"ghcr.io": {"username": "secret", "password": ""}},
    "organisations-that-are-no-list": {"ghcr.io": USER | {"orgs": "org_a"}},
    "an-organisation-that-is-no-text": {"ghcr.io": USER | {"orgs": [1]}},
    "no-organisations-given-as-null": {"ghcr.io": USER | {"orgs": None}},
    "a-realm-that-is-a-url": {"ghcr.io": USER | {"realm": "https://ghcr.io/token"}},
    "ecr-elsewhere": {"ghcr.io": {"ecr": True}},
    "ecr-in-a-longer-name": {f"{ECR}.evil.test": {"ecr": True}},
    "ecr-that-is-not-true": {ECR: {"ecr": False}},
    "ecr-and-a-password": {ECR: USER | {"ecr": True}},
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_secret_that_is_not_as_it_must_be_is_an_error_that_quotes_none_of_it(body: Any) -> None:
    with pytest.raises(ValueError, match="registr") as broken:
        Secret(body).grant("ghcr.io")

    assert "secret" not in str(broken.value)
    assert broken.value.__suppress_context__ or broken.value.__context__ is None
