"""Whether a URL that our registry names is on our registry."""

import pytest

from packyard.registry.own.origin import on_origin
from packyard.registry.own.refusal import RegistryRefused

BASE = "https://registry.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://registry.example/v2/x",
        "https://registry.example:443/v2/x",
        "HTTPS://Registry.Example/v2/x",
        "https://registry.example./v2/x",
        "//registry.example/v2/x",
        "/v2/x",
        "../x",
        "https://registry.example/v2/x#here",
    ],
)
def test_one_origin_may_be_spelt_in_several_ways(url: str) -> None:
    """RFC 6454, section 4; RFC 3986, section 6.2."""
    assert on_origin(BASE, url, relative_to="/v2/y/z") == "https://registry.example/v2/x"


def test_a_query_is_kept_as_it_is() -> None:
    assert on_origin(BASE, "/v2/x?_state=a%2Fb%3D%3D&y=") == f"{BASE}/v2/x?_state=a%2Fb%3D%3D&y="


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/v2/x",
        "https://registry.example:8443/v2/x",
        "https://registry.example.other.example/x",
        "https://registry.example@other.example/x",
        "https://a:b@registry.example/x",
        "https://registry.example\\@other.example/x",
        "ftp://registry.example/x",
        "https://[::1/x",
        "https://registry.example:port/x",
        "https://registry.example/" + "x" * (8 << 10),
    ],
)
def test_another_origin_is_refused(url: str) -> None:
    with pytest.raises(RegistryRefused) as refused:
        on_origin(BASE, url)

    assert any("RegistryUrl" in note for note in refused.value.__notes__)


@pytest.mark.parametrize("url", ["http://registry.example/v2/x?state=s", "http://registry.example:5000/v2/x"])
def test_a_downgrade_to_plain_http_is_refused_and_the_operator_reads_how_it_comes_about(url: str) -> None:
    """distribution #996, #479: a registry that does not know of the TLS in front of it."""
    with pytest.raises(RegistryRefused) as refused:
        on_origin(BASE, url)

    assert "X-Forwarded-Proto" in refused.value.__notes__[-1]
    assert "state" not in "".join(refused.value.__notes__)
