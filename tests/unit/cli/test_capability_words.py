"""What capabilities allow, as a person reads it."""

import pytest

from packyard_cli.capability_words import capability_lines, difference_lines, rule_text

READ = "- name: api\n  type: http\n  allow:\n  - domains: [slack.com]\n    methods: [GET]\n"
ALL = "- name: api\n  type: http\n  allow:\n  - domains: ['*.slack.com', slack.com]\n    methods: ['*']\n"
BUDGET = f"{READ}  budgets: [{{requests: 5}}]\n"
RENAMED = READ.replace("api", "other")
BARE = "- name: files\n  type: volume\n"


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        pytest.param(None, None, [], id="none and none"),
        pytest.param(READ, READ, [], id="the same"),
        pytest.param(None, READ, ["+ capability api: GET to slack.com, every path"], id="new"),
        pytest.param(READ, None, ["- capability api: GET to slack.com, every path"], id="gone"),
        pytest.param(
            READ,
            ALL,
            ["+ capability api: every method to *.slack.com, slack.com, every path"],
            id="wider: what it allowed is still allowed",
        ),
        pytest.param(
            READ, BUDGET, ["~ capability api: other text, the same requests are allowed"], id="other text"
        ),
        pytest.param(
            READ,
            RENAMED,
            [
                "~ capability api: other text, the same requests are allowed",
                "~ capability other: other text, the same requests are allowed",
            ],
            id="another name",
        ),
        pytest.param(
            READ,
            READ + BARE,
            ["+ capability files: no rules, so the runtime decides what its type volume allows"],
            id="without rules",
        ),
    ],
)
def test_a_change_is_told_by_what_it_allows(old: str | None, new: str | None, lines: list[str]) -> None:
    assert capability_lines(old, new) == lines


def test_rules_that_an_answer_leaves_out_are_counted() -> None:
    rule = {"name": "api", "type": "http", "domains": ["a.com"], "methods": ["GET"], "paths": ["/a", "/b/*"]}

    assert rule_text(rule) == "api: GET to a.com, paths /a, /b/*"
    assert list(difference_lines({"added": [], "removed": [rule], "removed_in_all": 3})) == [
        "- capability api: GET to a.com, paths /a, /b/*",
        "- 2 more",
    ]
