from typing import Any

import pytest

from packyard.packs.manifest.capabilities import ALLOW_RULE, CAPABILITY, repeated_names
from packyard.packs.manifest.document_form import FaultKind, Keys


def rule(**changes: Any) -> dict[str, Any]:
    return {"domains": ["slack.com"], "methods": ["GET"], **changes}


def reason_of(form: Keys, given: object) -> str:
    (fault,) = form.faults(given, ())
    assert fault.kind is FaultKind.REFUSED
    return fault.reason


@pytest.mark.parametrize(
    "domain",
    [
        "slack.com",
        "*.slack.com",
        "SLACK.com",
        "localhost",
        "xn--bcher-kva.example",
        "3com.example",
        "a-b.c1",
        "l" * 63 + ".com",
        ".".join(["a" * 49] * 5) + ".abc",
    ],
)
def test_a_host_name_with_or_without_a_leading_star_is_a_domain(domain: str) -> None:
    assert not list(ALLOW_RULE.faults(rule(domains=[domain]), ()))


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param("", id="empty"),
        pytest.param("*", id="star alone"),
        pytest.param("*.", id="star and dot"),
        pytest.param("*slack.com", id="star without dot"),
        pytest.param("a.*.com", id="star inside"),
        pytest.param("*.*.com", id="two stars"),
        pytest.param("slack.com.", id="dot last"),
        pytest.param(".slack.com", id="dot first"),
        pytest.param("slack..com", id="empty label"),
        pytest.param("-slack.com", id="hyphen first"),
        pytest.param("slack-.com", id="hyphen last in a label"),
        pytest.param("sl_ack.com", id="underscore"),
        pytest.param("bücher.example", id="not ascii"),
        pytest.param("slack.com:443", id="port"),
        pytest.param("https://slack.com", id="scheme"),
        pytest.param("slack.com/api", id="path"),
        pytest.param("user@slack.com", id="user"),
        pytest.param("slack.com\n", id="newline last"),
        pytest.param("10.0.0.1", id="IPv4 address"),
        pytest.param("2130706433", id="IPv4 address as one number"),
        pytest.param("[::1]", id="IPv6 address"),
        pytest.param("l" * 64 + ".com", id="label of 64 characters"),
        pytest.param(".".join(["a" * 49] * 5) + ".abcd", id="254 characters"),
    ],
)
def test_text_that_is_not_a_host_name_is_refused_as_a_domain(domain: str) -> None:
    assert "must be a host name such as slack.com" in reason_of(ALLOW_RULE, rule(domains=[domain]))


@pytest.mark.parametrize("method", ["GET", "POST", "M-SEARCH", "get", "*", "X" * 32])
def test_a_token_is_a_method(method: str) -> None:
    assert not list(ALLOW_RULE.faults(rule(methods=[method]), ()))


@pytest.mark.parametrize("method", ["", "GET ", "G T", "GET,POST", "GET\r\n", "GÉT", "(GET)", "X" * 33])
def test_text_that_is_not_a_token_is_refused_as_a_method(method: str) -> None:
    assert "must be an HTTP method such as GET" in reason_of(ALLOW_RULE, rule(methods=[method]))


@pytest.mark.parametrize("path", ["/", "/api/**", "/api/{id}", "/é", "/" + "a" * 1023])
def test_a_path_begins_with_a_slash(path: str) -> None:
    assert not list(ALLOW_RULE.faults(rule(paths=[path]), ()))


@pytest.mark.parametrize("path", ["", "api", "*", "/a b", "/a\n", "/a\x00", "/\x85", "/" + "a" * 1024])
def test_what_is_not_a_path_is_refused(path: str) -> None:
    assert "must begin with /" in reason_of(ALLOW_RULE, rule(paths=[path]))


@pytest.mark.parametrize("key", ["domains", "methods", "paths"])
def test_an_empty_list_in_a_rule_is_refused_rather_than_guessed_at(key: str) -> None:
    assert [fault.kind for fault in ALLOW_RULE.faults(rule(**{key: []}), ())] == [FaultKind.TOO_SHORT]


@pytest.mark.parametrize("name", ["a", "slack-api", "Slack_2", "a" * 64])
def test_a_name_begins_with_a_letter(name: str) -> None:
    assert not list(CAPABILITY.faults({"name": name, "type": "http"}, ()))


@pytest.mark.parametrize("name", ["", "2slack", "_a", "-a", "a.b", "a b", "é", "a\n", "a" * 65])
def test_what_is_not_a_name_is_refused(name: str) -> None:
    assert "must be a letter, then at most 63" in reason_of(CAPABILITY, {"name": name, "type": "http"})


@pytest.mark.parametrize("kind", ["", "  ", "ht\ntp", "a" * 65])
def test_a_type_is_printable_text(kind: str) -> None:
    assert "must be 1 to 64 printable characters" in reason_of(CAPABILITY, {"name": "a", "type": kind})


@pytest.mark.parametrize("given", [None, "text", 1, [{"a": 1}], {"a": [None]}])
def test_transforms_and_budgets_are_not_judged(given: Any) -> None:
    assert not list(
        CAPABILITY.faults({"name": "a", "type": "http", "transforms": given, "budgets": given}, ())
    )


@pytest.mark.parametrize(
    ("entries", "repeated"),
    [
        pytest.param([{"name": "a"}, {"name": "b"}], [], id="none"),
        pytest.param([{"name": "a"}, {"name": "b"}, {"name": "a"}, {"name": "a"}], [2, 3], id="twice"),
        pytest.param([{"name": "a"}, {"name": "A"}], [], id="case counts"),
        pytest.param([{"name": ["a"]}, {"name": ["a"]}, "a", None, {}], [], id="entries of other shapes"),
        pytest.param({"name": "a"}, [], id="not a list"),
        pytest.param(None, [], id="nothing"),
    ],
)
def test_a_repeated_name_is_found_where_it_comes_again(entries: object, repeated: list[int]) -> None:
    assert repeated_names(entries) == repeated
