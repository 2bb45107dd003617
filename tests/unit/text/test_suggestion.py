import pytest

from packyard.text.suggestion import closest, not_one_of, unknown_name

KNOWN = ("name", "visibility", "display_name")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("visiblity", "visibility"),
        ("Visibility", "visibility"),
        ("displayName", "display_name"),
        ("display-name", "display_name"),
        ("DISPLAY NAME", "display_name"),
        ("displ", "display_name"),
        ("nmae", "name"),
        ("licence", None),
        ("", None),
        ("é", None),
        ("n" * 100_000, None),
    ],
)
def test_the_name_that_was_meant_is_found_when_one_is_near(word: str, meant: str | None) -> None:
    assert closest(word, KNOWN) == meant


def test_a_refusal_has_the_one_that_is_near_or_all() -> None:
    assert unknown_name("nam", KNOWN, kind="a field") == "is not a field; did you mean name?"
    assert unknown_name("x", KNOWN, kind="a field") == (
        "is not a field; known are display_name, name, visibility"
    )


def test_the_proper_place_is_named_instead_of_all_known_names() -> None:
    assert (
        unknown_name("x", KNOWN, kind="a field", place="the path has it") == "is not a field; the path has it"
    )
    assert unknown_name("nam", KNOWN, kind="a field", place="y") == "is not a field; did you mean name?"
    assert unknown_name("nmae", KNOWN, kind="a field", place="y") == "is not a field; y"


def test_a_message_about_an_unknown_value_lists_the_few_choices_and_the_likely_one() -> None:
    assert not_one_of("Verifed", ("verified", "community")) == (
        "must be one of: verified, community; did you mean verified?"
    )
    assert not_one_of("x", ("verified", "community")) == "must be one of: verified, community"
