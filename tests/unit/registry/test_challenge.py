import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.registry.challenge import Challenge, parse_challenges

BEARER = {"realm": "https://auth.docker.io/token", "service": "registry.docker.io"}
HEADERS: dict[str, tuple[list[str], list[Challenge]]] = {
    "docker-hub": (
        ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
        [Challenge("bearer", BEARER)],
    ),
    "basic": (['Basic realm="x"'], [Challenge("basic", {"realm": "x"})]),
    "ecr": (
        ['Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"'],
        [
            Challenge(
                "basic",
                {"realm": "https://1.dkr.ecr.eu-west-1.amazonaws.com/", "service": "ecr.amazonaws.com"},
            )
        ],
    ),
    "any-case-and-space": (
        ['  bEARER \t Realm = "a" ,\tSERVICE=b  '],
        [Challenge("bearer", {"realm": "a", "service": "b"})],
    ),
    "two-in-one-header": (
        ['Basic realm="x", Bearer realm="y",service="z"'],
        [Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y", "service": "z"})],
    ),
    "two-headers": (
        ["Basic realm=x", "Negotiate", "Bearer realm=y"],
        [Challenge("basic", {"realm": "x"}), Challenge("negotiate", {}), Challenge("bearer", {"realm": "y"})],
    ),
    "commas-quotes-and-equals-in-quotes": (
        [r'Bearer realm="a,b=\"c\\d\"",scope="repository:x:pull,push"'],
        [Challenge("bearer", {"realm": r'a,b="c\d"', "scope": "repository:x:pull,push"})],
    ),
    "the-first-of-two-realms": (["Bearer realm=a,realm=b"], [Challenge("bearer", {"realm": "a"})]),
    "empty": ([""], []),
    "none": ([], []),
    "no-scheme": (['realm="a"'], []),
    "an-empty-value": (['Bearer realm=""'], [Challenge("bearer", {"realm": ""})]),
    "no-value": (['Bearer realm=,service="b"'], [Challenge("bearer", {"realm": "", "service": "b"})]),
    # regclient #265: JFrog Artifactory.
    "a-realm-that-is-no-token": (["Basic realm=/"], [Challenge("basic", {"realm": "/"})]),
    "a-url-without-quotes": (
        ["Bearer realm=https://auth.test/token?a=1&b=2,service=registry.test"],
        [Challenge("bearer", {"realm": "https://auth.test/token?a=1&b=2", "service": "registry.test"})],
    ),
    "commas-in-a-url-without-quotes": (
        ["Bearer realm=https://auth.test/token?a=1,2;3,service=b, Basic realm=c"],
        [
            Challenge("bearer", {"realm": "https://auth.test/token?a=1,2;3", "service": "b"}),
            Challenge("basic", {"realm": "c"}),
        ],
    ),
    "a-scheme-right-behind-a-comma": (
        ["Bearer realm=https://auth.test/token,Basic,Digest nonce=x"],
        [
            Challenge("bearer", {"realm": "https://auth.test/token"}),
            Challenge("basic", {}),
            Challenge("digest", {"nonce": "x"}),
        ],
    ),
    "semicolons": (
        ["Bearer realm=https://auth.test/token; service=b"],
        [Challenge("bearer", {"realm": "https://auth.test/token", "service": "b"})],
    ),
    # okhttp #6743.
    "single-quotes": (["Basic realm='Sandstorm API'"], [Challenge("basic", {"realm": "Sandstorm API"})]),
    # travisghansen/external-auth-server PR #162.
    "no-closing-quote": (['Basic realm="a b'], [Challenge("basic", {"realm": "a b"})]),
    "no-closing-quote-before-another-header": (
        ['Bearer realm="https://auth.test/token', 'Basic realm="x"'],
        [Challenge("bearer", {"realm": "https://auth.test/token"}), Challenge("basic", {"realm": "x"})],
    ),
    "a-parameter-of-no-scheme-in-the-second-header": (
        ["Basic", 'realm="a"'],
        [Challenge("basic", {})],
    ),
}


@pytest.mark.parametrize(("headers", "challenges"), HEADERS.values(), ids=HEADERS)
def test_challenges_are_read(headers: list[str], challenges: list[Challenge]) -> None:
    assert parse_challenges(headers) == tuple(challenges)


@pytest.mark.parametrize(
    "header",
    [
        "a=" * 50_000,
        '"' * 100_000,
        'a="\\' * 30_000,
        "a " * 50_000,
        "a" + " " * 100_000,
        "Bearer " + "," * 100_000,
    ],
    ids=lambda header: str(header)[:10],
)
def test_a_header_without_end_costs_little(header: str) -> None:
    challenges = parse_challenges([header] * 1000)

    assert sum(len(challenge.parameters) + 1 for challenge in challenges) <= 4096


@given(st.lists(st.text('Bearer bsic="\\,\t é', max_size=60), max_size=3))
def test_any_headers_are_challenges_or_none(headers: list[str]) -> None:
    for challenge in parse_challenges(headers):
        assert challenge.scheme == challenge.scheme.lower()
