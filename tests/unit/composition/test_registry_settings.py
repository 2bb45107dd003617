"""Our own registry, as a deployment sets it."""

import pytest

from packyard.composition.settings import Settings, required

NEEDED = {
    **dict.fromkeys(required(), "stated"),
    "PACKYARD_REGISTRY_KIND": "distribution",
}
LOGIN = {"PACKYARD_REGISTRY_LOGIN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:login"}


@pytest.mark.parametrize(
    "url", ["https://registry.example", "http://127.0.0.1:5000", "http://localhost:5000/"]
)
def test_a_login_goes_where_nobody_can_read_it_on_the_way(url: str) -> None:
    settings = Settings.from_environment(NEEDED | LOGIN | {"PACKYARD_REGISTRY_URL": url})

    assert settings.registry_login == LOGIN["PACKYARD_REGISTRY_LOGIN"]


@pytest.mark.parametrize("url", ["http://registry.example", "http://10.0.0.1:5000", "registry.example", ""])
def test_a_login_goes_nowhere_else(url: str) -> None:
    with pytest.raises(ValueError, match="PACKYARD_REGISTRY_URL: must be an https URL"):
        Settings.from_environment(NEEDED | LOGIN | {"PACKYARD_REGISTRY_URL": url})


def test_a_registry_without_a_login_may_be_reached_with_or_without_tls() -> None:
    url = "http://registry.example:5000"

    assert Settings.from_environment(NEEDED | {"PACKYARD_REGISTRY_URL": url}).registry_url == url
