import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.packs.manifest.name import parse_slug

SLUG_CHARACTERS = string.ascii_lowercase + string.digits


@pytest.mark.parametrize("text", ["slack", "slack-api", "7", "a-1-b", "0-0", "a" * 64])
def test_a_slug_is_taken_as_it_is(text: str) -> None:
    assert parse_slug(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("Slack", id="upper case"),
        pytest.param("-slack", id="hyphen first"),
        pytest.param("slack-", id="hyphen last"),
        pytest.param("slack--api", id="two hyphens"),
        pytest.param("slack_api", id="underscore"),
        pytest.param("slack.api", id="dot"),
        pytest.param("../slack", id="path"),
        pytest.param("slack\n", id="newline last"),
        pytest.param("sla\x00ck", id="nul"),
        pytest.param("slаck", id="cyrillic a"),  # noqa: RUF001
        pytest.param("١٢", id="arabic digits"),
    ],
)
def test_what_is_not_a_slug_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be lower-case letters and digits"):
        parse_slug(text)


def test_a_slug_has_at_most_64_characters() -> None:
    with pytest.raises(ValueError, match="must be at most 64 characters"):
        parse_slug("a" * 65)


@given(st.text(alphabet=SLUG_CHARACTERS + "-", min_size=1, max_size=64))
def test_words_joined_by_single_hyphens_are_slugs_and_nothing_else_is(text: str) -> None:
    if all(text.split("-")):
        assert parse_slug(text) == text
    else:
        with pytest.raises(ValueError, match="hyphens"):
            parse_slug(text)
