import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.packs.manifest.version import tag_of
from packyard.packs.manifest.version_text import parse_version, proposal_for

# OCI distribution-spec, "Pulling manifests".
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")

numbers = st.integers(min_value=0, max_value=10**9).map(str)
identifiers = st.one_of(numbers, st.from_regex(r"[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,5}", fullmatch=True))
dotted = st.lists(identifiers, min_size=1, max_size=3).map(".".join)
versions = st.builds(
    "{}{}{}".format,
    st.tuples(numbers, numbers, numbers).map(".".join),
    st.just("") | dotted.map("-{}".format),
    st.just("") | dotted.map("+{}".format),
)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0",
        "1.4.0",
        "1.10.0",
        "1.0.0-alpha.1",
        "1.0.0-0A.is.legal",
        "1.0.0+001",
        "1.0.0-rc.1+build.5",
        "1.0.0--",
        "99999999999999999999.0.0",
        "1.0.0-" + "a" * 122,
    ],
)
def test_semver_is_taken_as_it_is(text: str) -> None:
    assert parse_version(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "three numbers", id="empty"),
        pytest.param("1", "three numbers", id="one number"),
        pytest.param("1.10", "three numbers", id="two numbers"),
        pytest.param("1.2.3.4", "three numbers", id="four numbers"),
        pytest.param("latest", "three numbers", id="a word"),
        pytest.param("1.4.0-", "three numbers", id="empty pre-release"),
        pytest.param("1.4.0+", "three numbers", id="empty build"),
        pytest.param("1.4.0_5", "three numbers", id="underscore, which a tag has for plus"),
        pytest.param("1.4.0\n", "three numbers", id="newline last"),
        pytest.param(" 1.4.0", "three numbers", id="space first"),
        pytest.param("१.४.५", "three numbers", id="devanagari digits"),
        pytest.param("v1.4.0", "must not begin with v", id="v"),
        pytest.param("01.4.0", "leading zeros", id="leading zero in major"),
        pytest.param("1.4.00", "leading zeros", id="leading zero in patch"),
        pytest.param("1.4.0-rc.01", "leading zeros", id="leading zero in pre-release"),
        pytest.param("1.4.0-" + "a" * 123, "at most 128", id="longer than a tag"),
        pytest.param("1" * 100_000, "at most 128", id="a number too long to convert"),
    ],
)
def test_what_is_not_semver_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_version(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1.0", "1.0.0"),
        ("v1.2.3", "1.2.3"),
        ("release-1.2", "1.2.0"),
        ("^1.2.3", "1.2.3"),
        (">= 1.2", "1.2.0"),
        # PEP 440, which Python's packages follow.
        ("1.0.0beta1", "1.0.0-beta1"),
        ("1.0b2", "1.0.0-b2"),
        ("1.0.0.dev3", "1.0.0-dev3"),
        ("1.2.post2", "1.2.0+post2"),
        # .NET and Windows have four numbers.
        ("1.2.3.0", "1.2.3"),
        ("1.2.3.4", "1.2.3+4"),
        ("1.2.3.4-beta", "1.2.3-beta+4"),
        ("1.2.3.4+x", "1.2.3+x.4"),
        ("1.4.0 beta", "1.4.0-beta"),
        ("1.4.0-rc_1", "1.4.0-rc-1"),
        ("1.4.0-rc.01", "1.4.0-rc.1"),
        ("1.4.0-", "1.4.0"),
        ("“1.0.0”", "1.0.0"),
        # As the tag of an image has it.
        ("1.4.0_5", "1.4.0+5"),
        ("2024-01-05", "2024.1.5"),
        ("2024.01.05", "2024.1.5"),
        ("1e3", None),
        ("1.5e-3", None),
        ("1:30", None),
        ("1_000", None),
        ("0x10", None),
        ("1.2.x", None),
        ("latest", None),
        ("1.4.0-é", None),
        ("", None),
    ],
)
def test_what_is_nearly_a_version_is_answered_with_the_one_that_was_meant(
    text: str, meant: str | None
) -> None:
    assert proposal_for(text) == meant
    with pytest.raises(ValueError, match=re.escape(f": write {meant}" if meant else "such as 1.4.0")):
        parse_version(text)


@given(st.text(alphabet="0123456789.-+_ vxeEbrcpost^", max_size=30))
def test_a_proposal_is_a_version(text: str) -> None:
    proposal = proposal_for(text)

    assert proposal is None or parse_version(proposal) == proposal


@given(versions)
def test_every_version_has_a_valid_tag_from_which_it_can_be_told(text: str) -> None:
    version = parse_version(text)

    tag = tag_of(version)

    assert TAG.fullmatch(tag)
    assert tag.replace("_", "+") == version


@given(st.text(alphabet="0123456789.-+vaA_ ", max_size=20) | st.text(max_size=200))
def test_any_text_is_a_version_or_refused(text: str) -> None:
    try:
        version = parse_version(text)
    except ValueError:
        return
    assert version == text
    assert TAG.fullmatch(tag_of(version))
