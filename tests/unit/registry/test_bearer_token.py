import json
from typing import Any

import pytest

from packyard.registry.bearer_token import host_of, may_see_credential, parse_token, pull_scope, token_url
from packyard.registry.challenge import Challenge, bearer_of, offers_basic, parse_challenges

REGISTRY = "https://registry.test"


def challenge(**parameters: str) -> Challenge:
    return Challenge("bearer", parameters)


URLS: dict[str, tuple[dict[str, str], str | None, str]] = {
    "as-the-specification-has-it": (
        {"realm": "https://auth.test/token", "service": "registry.test"},
        "repository:a/b:pull",
        "https://auth.test/token?service=registry.test&scope=repository%3Aa%2Fb%3Apull",
    ),
    "several-scopes": (
        {"realm": "https://auth.test/token"},
        "repository:a:pull repository:b:pull",
        "https://auth.test/token?scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull",
    ),
    # regclient PR #28.
    "neither-service-nor-scope": (
        {"realm": "https://auth.test/token"},
        None,
        "https://auth.test/token",
    ),
    "a-query-of-its-own": (
        {"realm": "https://auth.test/token?account=a", "service": "b"},
        None,
        "https://auth.test/token?account=a&service=b",
    ),
    "a-fragment": (
        {"realm": "https://auth.test/token#x", "service": "b"},
        None,
        "https://auth.test/token?service=b",
    ),
    "a-path": ({"realm": "/token"}, None, "https://registry.test/token"),
    "a-host-without-a-scheme": ({"realm": "//auth.test/token"}, None, "https://auth.test/token"),
    "space-around-it": ({"realm": " https://auth.test/token "}, None, "https://auth.test/token"),
    # distribution #996, of registries behind a proxy that speaks TLS for them.
    "no-tls-as-far-as-the-registry-knows": (
        {"realm": "http://registry.test/service/token"},
        None,
        "https://registry.test/service/token",
    ),
    "nor-with-its-port": ({"realm": "http://registry.test:80/token"}, None, "https://registry.test/token"),
}


@pytest.mark.parametrize(("stated", "scope", "url"), URLS.values(), ids=URLS)
def test_a_token_is_requested_from_the_realm_of_the_challenge(
    stated: dict[str, str], scope: str | None, url: str
) -> None:
    assert token_url(challenge(**stated), registry_url=REGISTRY, scope=scope) == url


def test_a_registry_without_tls_may_have_a_token_server_without_it() -> None:
    found = token_url(
        challenge(realm="http://127.0.0.1:5001/token"), registry_url="http://127.0.0.1:5000", scope=None
    )

    assert found == "http://127.0.0.1:5001/token"


@pytest.mark.parametrize(
    "realm",
    [
        "",
        " ",
        "example",
        "Registry Realm",
        "ftp://auth.test/token",
        "https://",
        "https://user:secret@auth.test/token",
        "https://[",
        "https://auth.test:x/token",
        "http://auth.test/token",
        "http://registry.test:8080/token",
    ],
)
def test_a_realm_that_is_not_a_usable_url_is_refused(realm: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        token_url(challenge(realm=realm), registry_url=REGISTRY, scope=None)


SCOPES: dict[str, tuple[str, str | None]] = {
    "for-reading": ("repository:a/b:pull", "repository:a/b:pull"),
    "for-writing-too": ("repository:a/b:pull,push", "repository:a/b:pull"),
    "for-deleting-too": ("repository:a/b:delete,pull", "repository:a/b:pull"),
    "for-writing-only": ("repository:a/b:push", None),
    "for-everything": ("repository:a/b:*", None),
    "of-the-catalogue": ("registry:catalog:*", None),
    "of-a-class": ("repository(plugin):a/b:pull", "repository(plugin):a/b:pull"),
    "of-a-repository-behind-a-port": ("repository:host:5000/a:pull,push", "repository:host:5000/a:pull"),
    # oras-dotnet #395: Amazon's public registry.
    "opaque": ("aws", "aws"),
    "several": ("repository:a:pull  aws repository:b:push", "repository:a:pull aws"),
    "empty": ("", None),
    "of-a-form-that-is-none": ("a:b <script> \\", None),
}


@pytest.mark.parametrize(("stated", "asked"), SCOPES.values(), ids=SCOPES)
def test_of_a_stated_scope_what_is_for_reading_is_kept(stated: str, asked: str | None) -> None:
    assert pull_scope(challenge(realm="x", scope=stated)) == asked


def test_a_scope_without_end_is_cut() -> None:
    asked = pull_scope(challenge(scope=" ".join(f"scope-{number}" for number in range(10_000))))

    assert asked is not None
    assert len(asked) <= 1024
    assert len(asked.split()) == 8


TOKENS: dict[str, tuple[Any, str, float]] = {
    "the-specification-s": ({"token": "t", "expires_in": 300}, "Bearer t", 300),
    "oauth-s": ({"access_token": "t", "expires_in": 300}, "Bearer t", 300),
    "both": ({"token": "t", "access_token": "u"}, "Bearer t", 60),
    "one-of-them-empty": ({"token": "", "access_token": "u"}, "Bearer u", 60),
    "no-end": ({"token": "t"}, "Bearer t", 60),
    "an-end-that-is-text": ({"token": "t", "expires_in": "900"}, "Bearer t", 900),
    "an-end-that-is-a-fraction": ({"token": "t", "expires_in": 90.5}, "Bearer t", 90.5),
    "an-end-that-is-nothing": ({"token": "t", "expires_in": None}, "Bearer t", 60),
    "an-end-in-the-past": ({"token": "t", "expires_in": -5}, "Bearer t", 60),
    "an-end-that-is-no-number": ({"token": "t", "expires_in": float("nan")}, "Bearer t", 60),
    "no-end-ever": ({"token": "t", "expires_in": float("inf")}, "Bearer t", 3600),
    "a-number-without-end": ({"token": "t", "expires_in": 10**400}, "Bearer t", 60),
    # harbor #23753: GitLab and Quay leave it out; others have another clock.
    "issued-at-some-time": ({"token": "t", "issued_at": "0001-01-01T00:00:00Z"}, "Bearer t", 60),
    "of-odd-characters": ({"token": "Docker|Token.{a=b},c"}, "Bearer Docker|Token.{a=b},c", 60),
}


@pytest.mark.parametrize(("body", "authorization", "seconds"), TOKENS.values(), ids=TOKENS)
def test_a_token_is_read(body: Any, authorization: str, seconds: float) -> None:
    token = parse_token(json.dumps(body).encode())

    assert (token.authorization, token.seconds) == (authorization, seconds)


@pytest.mark.parametrize(
    "body",
    [b"", b"token", b"[]", b"{}", b"\xff", b"[" * 60_000, b'{"token": 1}', b'{"token": "a\\r\\nb"}'],
    ids=lambda body: body[:20].decode("latin-1"),
)
def test_an_answer_without_a_token_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="token server"):
        parse_token(body)


@pytest.mark.parametrize(
    ("registry", "realm", "named", "may"),
    [
        ("registry.test", "https://registry.test/token", None, True),
        ("registry.test", "https://REGISTRY.test:443/token", None, True),
        ("registry.test", "https://registry.test:8443/token", None, False),
        ("registry.test", "https://auth.test/token", None, False),
        ("registry.test", "https://auth.test/token", "auth.test", True),
        ("registry.test", "https://auth.docker.io/token", None, False),
        ("docker.io", "https://auth.docker.io/token", None, True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", None, True),
    ],
)
def test_the_credential_goes_to_the_registry_itself_to_whom_the_operator_names_and_to_known_owners(
    registry: str, realm: str, named: str | None, *, may: bool
) -> None:
    assert may_see_credential(host_of(realm), registry=registry, named=named) == may


def test_the_way_in_is_found_among_many() -> None:
    offered = parse_challenges(["Negotiate, Basic realm=x", "Bearer", "Bearer realm=y"])

    assert bearer_of(offered) == challenge(realm="y")
    assert offers_basic(offered)
    assert bearer_of(parse_challenges(["Bearer service=x"])) is None
    assert not offers_basic(parse_challenges(["Bearer realm=Basic"]))
