"""Whether one list of capabilities allows more than another, also against a judge that tries a small world."""

import re
import time
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.packs.capabilities import compare
from packyard.packs.manifest.yaml_document import dump


def http(*rules: dict[str, Any], name: str = "api", kind: str = "http") -> list[dict[str, Any]]:
    return [{"name": name, "type": kind, "allow": list(rules)}]


def rule(domains: Sequence[str], methods: Sequence[str] = ("GET",), *paths: str) -> dict[str, Any]:
    return {"domains": list(domains), "methods": list(methods)} | ({"paths": list(paths)} if paths else {})


def text(entries: list[dict[str, Any]] | None) -> str | None:
    return None if entries is None else dump(entries)


SLACK: Final = http(rule(["slack.com"], ["GET"], "/api/**"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(None, None, id="none at all"),
        pytest.param(SLACK, None, id="all taken away"),
        pytest.param(SLACK, SLACK, id="the same"),
        pytest.param(SLACK, http(*SLACK[0]["allow"], name="slack"), id="another name"),
        pytest.param(SLACK, http(rule(["SLACK.com"], ["GET"], "/api/**")), id="another case of the host"),
        pytest.param(SLACK, http(rule(["slack.com"], ["GET"], "/api/chat.*")), id="fewer paths"),
        pytest.param(http(rule(["*.slack.com"])), http(rule(["a.b.slack.com"])), id="one host of many"),
        pytest.param(
            http(rule(["*.slack.com"])), http(rule(["*.files.slack.com"])), id="a wildcard in another"
        ),
        pytest.param(http(rule(["a.com", "b.com"])), http(rule(["b.com"])), id="fewer hosts"),
        pytest.param(
            http(rule(["a.com"], ["GET", "POST"])),
            http(rule(["a.com"], ["POST"]), rule(["a.com"], ["GET"])),
            id="split by method",
        ),
        pytest.param(
            http(rule(["a.com"])), http(rule(["a.com"], ["GET"], "/*", "/*/**")), id="every path, in two"
        ),
        pytest.param(
            http(rule(["a.com"], ["GET"], "/*", "/*/**")), http(rule(["a.com"])), id="and back again"
        ),
        pytest.param(
            http(rule(["a.com"], ["GET"], "/x*"), rule(["*.com"], ["GET"], "/y")),
            http(rule(["a.com"], ["GET"], "/x*", "/y")),
            id="covered by two rules together",
        ),
        pytest.param(http(rule(["a.com"], ["*"])), http(rule(["a.com"], ["PATCH"])), id="any method"),
        pytest.param([{"name": "a", "type": "mcp"}], [{"name": "a", "type": "mcp"}], id="a type of its own"),
        pytest.param(
            SLACK, [{**SLACK[0], "budgets": {"calls": 9}, "transforms": [1]}], id="budgets and transforms"
        ),
    ],
)
def test_what_allows_no_other_request_is_not_wider(
    old: list[dict[str, Any]] | None, new: list[dict[str, Any]] | None
) -> None:
    assert not compare(text(old), text(new)).widened


@pytest.mark.parametrize(
    ("old", "new", "example"),
    [
        pytest.param(None, SLACK, "GET https://slack.com/api/", id="the first"),
        pytest.param(
            SLACK, http(rule(["slack.com"], ["POST"], "/api/**")), "POST https://slack.com/api/", id="method"
        ),
        pytest.param(
            http(rule(["*.slack.com"])), http(rule(["slack.com"])), "GET https://slack.com/", id="the parent"
        ),
        pytest.param(
            http(rule(["a.s.com", "b.s.com"])),
            http(rule(["*.s.com"])),
            "GET https://x.s.com/",
            id="a wildcard",
        ),
        pytest.param(
            http(rule(["*.b.s.com", "*.c.s.com"])),
            http(rule(["*.s.com"])),
            "GET https://x.s.com/",
            id="above wildcards",
        ),
        pytest.param(
            http(rule(["a.com"], ["GET"], "/a*")),
            http(rule(["a.com"], ["GET"], "/a**")),
            "GET https://a.com/a/",
            id="across segments",
        ),
        pytest.param(
            http(rule(["a.com"], ["GET"], "/a"), rule(["b.com"], ["POST"], "/a")),
            http(rule(["a.com"], ["POST"], "/a")),
            "POST https://a.com/a",
            id="host of one, method of the other",
        ),
        pytest.param(
            http(rule(["a.com"], ["GET", "POST"])),
            http(rule(["a.com"], ["*"])),
            "ANY https://a.com/",
            id="any method",
        ),
        pytest.param(
            http(rule(["a.com"])), http(rule(["a.com"]), kind="ws"), "GET https://a.com/", id="type"
        ),
        pytest.param(None, [{"name": "a", "type": "mcp"}], None, id="a type of its own"),
        pytest.param(http(rule(["a.com"])), [{"name": "api", "type": "http"}], None, id="rules taken away"),
    ],
)
def test_what_allows_another_request_is_wider_and_names_one(
    old: list[dict[str, Any]] | None, new: list[dict[str, Any]] | None, example: str | None
) -> None:
    found = compare(text(old), text(new))

    assert (found.widened, found.example) == (True, example)


def test_a_difference_names_the_rules_that_came_and_went() -> None:
    old = http(rule(["a.com"]), rule(["b.com"]))
    new = http(rule(["b.com"]), rule(["c.com"]))

    found = compare(text(old), text(new))

    assert [rule.domains for rule in found.added] == [("c.com",)]
    assert [rule.domains for rule in found.removed] == [("a.com",)]


def test_patterns_that_are_too_complex_count_as_wider_and_end_soon() -> None:
    words = ["".join(letters) for letters in product("ab", repeat=6)]
    old = http(rule(["a.com"], ["GET"], *(f"/**{word}**{word[::-1]}**b" for word in words)))
    new = http(rule(["a.com"], ["GET"], "/**a**b**a**b**a**a**b**b**b"))

    started = time.monotonic()
    found = compare(text(old), text(new))

    assert found.widened
    assert time.monotonic() - started < 20


def test_many_rules_that_differ_in_their_hosts_count_as_wider_and_end_soon() -> None:
    old = http(*(rule([f"*.h{number}-{part}.com" for part in range(50)]) for number in range(60)))
    new = http(*(rule([f"*.g{number}-{part}.com" for part in range(50)]) for number in range(60)))

    started = time.monotonic()

    assert compare(text(old), text(new)).widened
    assert time.monotonic() - started < 20


# --- The judge: it knows what rules mean from another notation, and tries every request of a small world -----------

_LABELS: Final = ("a", "x")
HOSTS: Final = tuple(".".join(labels) for depth in (1, 2, 3) for labels in product(_LABELS, repeat=depth))
METHODS: Final = ("GET", "POST", "ANY")
PATHS: Final = tuple("/" + "".join(rest) for length in range(4) for rest in product("/ab", repeat=length))


def judged(entries: list[dict[str, Any]], kind: str, host: str, method: str, path: str) -> bool:
    """Return whether a list allows a request, by regular expressions."""
    return any(
        entry["type"] == kind
        and any(_host(domain).fullmatch(host) for domain in allowed["domains"])
        and any(named in (method, "*") for named in allowed["methods"])
        and any(_path(pattern).fullmatch(path) for pattern in allowed.get("paths", ["/**"]))
        for entry in entries
        for allowed in entry["allow"]
    )


def _host(domain: str) -> re.Pattern[str]:
    return re.compile(re.escape(domain).replace(r"\*", r"[^.]+(\.[^.]+)*"))


def _path(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*"), re.DOTALL)


patterns = st.lists(st.sampled_from(["/", "a", "b", "*", "**"]), max_size=4).map(
    lambda tokens: "/" + "".join(tokens)
)
domains = st.sampled_from([*HOSTS[:6], "*.a", "*.x", "*.a.x", "*.x.a"])
rules = st.builds(
    lambda domains, methods, paths: rule(domains, methods, *paths),
    st.lists(domains, min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(["GET", "POST", "*"]), min_size=1, max_size=2, unique=True),
    st.lists(patterns, max_size=3),
)
lists = st.lists(
    st.builds(
        lambda kind, allowed: {"name": "n", "type": kind, "allow": allowed},
        st.sampled_from(["http", "ws"]),
        st.lists(rules, min_size=1, max_size=3),
    ),
    max_size=2,
)


@given(lists, lists)
def test_a_list_is_wider_exactly_when_a_request_is_allowed_that_was_not(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    found = compare(text(old), text(new))

    if found.widened:
        # The request that it names may lie outside of the judge's small world. The judge can judge it all the same.
        assert found.example is not None
        method, _, url = found.example.partition(" https://")
        host, _, path = url.partition("/")
        kinds = [rule.type for rule in found.added]
        assert any(
            judged(new, kind, host, method, f"/{path}") and not judged(old, kind, host, method, f"/{path}")
            for kind in kinds
        )
    else:
        for kind, host, method in product(("http", "ws"), HOSTS, METHODS):
            # Each path is tried only where the rules of the new list apply at all.
            if any(judged(new, kind, host, method, path) for path in ("/", *PATHS)):
                for path in PATHS:
                    allowed = judged(new, kind, host, method, path)
                    assert not allowed or judged(old, kind, host, method, path)


# --- Laws that hold for all lists ----------------------------------------------------------------------------------

tokens = st.builds(
    lambda name, kind: {"name": name, "type": kind},
    st.sampled_from(["a", "b"]),
    st.sampled_from(["http", "mcp"]),
)
all_lists = st.builds(lambda ruled, bare: [*ruled, *bare], lists, st.lists(tokens, max_size=2))


def widened(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> bool:
    return compare(text(old), text(new)).widened


@given(all_lists)
def test_a_list_is_not_wider_than_itself_however_it_is_written(entries: list[dict[str, Any]]) -> None:
    split = [
        {**entry, "allow": [{**allowed, "methods": [method]}]}
        for entry in entries
        for allowed in entry.get("allow", ())
        for method in allowed["methods"]
    ]
    bare = [entry for entry in entries if "allow" not in entry]

    assert not widened(entries, [*bare, *split])
    assert not widened([*split[::-1], *bare], entries)


@given(all_lists, all_lists)
def test_what_one_list_has_more_the_other_has_less(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    there, back = compare(text(old), text(new)), compare(text(new), text(old))

    assert (there.added, there.removed) == (back.removed, back.added)


@given(all_lists, all_lists, all_lists)
def test_what_is_not_wider_in_two_steps_is_not_wider_in_one(
    first: list[dict[str, Any]], second: list[dict[str, Any]], third: list[dict[str, Any]]
) -> None:
    both = [*second, *third]

    assert not widened(both, second)
    assert widened(first, both) == (widened(first, second) or widened(first, third))
    if not widened(first, second) and not widened(second, third):
        assert not widened(first, third)
