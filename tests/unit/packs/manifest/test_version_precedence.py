"""How versions are ordered (SemVer 2.0.0, section 11), compared with a library that orders them."""

from itertools import product

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from packyard.packs.manifest.version import Version, precedence, version_after

# The example of section 11.4, and what sorts badly as text.
ORDERED = [
    *("0.0.0-0", "0.0.1", "0.9.0", "0.10.0", "1.0.0--", "1.0.0-0", "1.0.0-2", "1.0.0-11"),
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-alpha-1", "1.0.0-beta", "1.0.0-beta.2"),
    *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1-a", "2.0.0", "2.1.0", "2.1.1", "10.0.0"),
    f"{'9' * 40}.0.0",
]
NUMBERS = st.integers(0, 10**12).map(str)
WORDS = st.from_regex(r"[0-9]*[A-Za-z-][0-9A-Za-z-]{0,3}", fullmatch=True)
PRE_RELEASES = st.lists(NUMBERS | WORDS, max_size=3).map(".".join)


@st.composite
def versions(draw: st.DrawFn) -> Version:
    core = ".".join(draw(NUMBERS) for _ in range(3))
    label, build = draw(PRE_RELEASES), draw(WORDS | st.just(""))
    return Version(core + (f"-{label}" if label else "") + (f"+{build}" if build else ""))


def test_these_versions_are_ordered_as_the_library_orders_them() -> None:
    for one, other in product(ORDERED, repeat=2):
        assert agrees(Version(one), Version(other)), (one, other)


@given(versions(), versions())
def test_any_versions_are_ordered_as_the_library_orders_them(one: Version, other: Version) -> None:
    assert agrees(one, other)


def agrees(one: Version, other: Version) -> bool:
    mine = (precedence(one) > precedence(other)) - (precedence(one) < precedence(other))
    return mine == semver.Version.parse(one).compare(other)


@pytest.mark.parametrize(
    ("version", "after"),
    [("1.4.0", "1.4.1"), ("1.4.9+build.7", "1.4.10"), ("2.0.0-rc.1", "2.0.0"), ("0.0.0", "0.0.1")],
)
def test_the_least_release_after_a_version_is_higher(version: str, after: str) -> None:
    assert version_after(Version(version)) == after


@given(versions())
def test_what_is_proposed_is_always_a_higher_version(version: Version) -> None:
    assert precedence(version_after(version)) > precedence(version)
    assert semver.Version.is_valid(version_after(version))
