import pytest

from packyard.composition.settings import JwtSettings

GIVEN = {
    "PACKYARD_JWT_ISSUER": "https://issuer.example/",
    "PACKYARD_JWT_AUDIENCE": "packyard",
    "PACKYARD_JWKS_URL": "https://issuer.example/jwks.json",
}


def test_an_issuer_comes_with_its_audience_and_its_keys() -> None:
    assert JwtSettings.from_environment(GIVEN) == JwtSettings(
        issuer="https://issuer.example/", audience="packyard", keys_url="https://issuer.example/jwks.json"
    )


@pytest.mark.parametrize("environment", [{}, GIVEN | {"PACKYARD_JWT_ISSUER": ""}])
def test_without_an_issuer_no_jwt_is_taken(environment: dict[str, str]) -> None:
    assert JwtSettings.from_environment(environment) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/jwks", "http://localhost/jwks", "http://[::1]/jwks"])
def test_plain_http_is_for_this_machine_only(url: str) -> None:
    assert JwtSettings.from_environment(GIVEN | {"PACKYARD_JWKS_URL": url})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PACKYARD_JWT_AUDIENCE", ""),
        ("PACKYARD_JWKS_URL", ""),
        ("PACKYARD_JWKS_URL", "http://issuer.example/jwks.json"),
        ("PACKYARD_JWKS_URL", "http://127.0.0.1.evil.example/jwks.json"),
        ("PACKYARD_JWKS_URL", "file:///etc/passwd"),
        ("PACKYARD_JWKS_URL", "https:///jwks.json"),
    ],
)
def test_half_an_issuer_is_refused_at_the_start(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{variable}: "):
        JwtSettings.from_environment(GIVEN | {variable: value})
