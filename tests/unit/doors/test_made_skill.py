"""The SKILL.md that is made of a pack."""

from typing import Any, Final

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from packyard.doors.fitness import unfit_doors
from packyard.doors.made_skill import MadeSkill, made_skill
from packyard.packs.skill.frontmatter import read_frontmatter

PACK: Final[dict[str, Any]] = {
    "name": "slack",
    "display_name": "Slack",
    "version": "1.4.0",
    "description": "Post and read messages.",
    "behavior": b"# How to behave\r\n\r\nBe brief.\r\n",
    "paths": ["pack.yaml", "guides/a b.md", "guides/post.md", "scripts/run.sh"],
}


def made(**changes: Any) -> MadeSkill:
    return made_skill(**PACK | changes)


def test_it_says_what_the_pack_says_and_lists_its_guides() -> None:
    assert made().text == (
        "---\nname: slack\ndescription: Post and read messages.\nmetadata:\n  version: 1.4.0\n---\n\n"
        "# How to behave\n\nBe brief.\n\n"
        "## Guides\n\n- [a b.md](guides/a%20b.md)\n- [post.md](guides/post.md)\n"
    )


def test_a_pack_without_words_has_a_description_and_a_title_all_the_same() -> None:
    skill = made(description=None, behavior=None, paths=[], display_name="S*lack")

    assert skill.frontmatter["description"] == "The content pack S*lack."
    assert skill.text.endswith("---\n\n# S\\*lack\n")


def test_a_long_description_is_cut() -> None:
    assert len(made(description="wor " * 400).frontmatter["description"]) == 1023


def test_nothing_in_the_frontmatter_ends_it() -> None:
    """`skills-ref` 0.1.1 takes the first three hyphens behind the opening line for its end."""
    skill = made(description="a --- b", version="1.0.0---a")

    assert skill.frontmatter == {"name": "slack", "description": "a \u2014 b"}
    assert skill.text.split("---", 2)[1] == "\nname: slack\ndescription: a \u2014 b\n"


def test_what_cannot_be_seen_is_removed() -> None:
    hidden = "Be\u200b br\u202eief\U000e0041\u2066.\ufeff\u00ad\ufe0f"
    skill = made(description=hidden, behavior=hidden.encode(), display_name=hidden)

    assert skill.frontmatter["description"] == "Be brief."
    assert "Be brief.\n" in skill.text
    assert skill.text.isascii()


def test_a_behaviour_that_is_no_utf_8_is_taken_as_far_as_it_is() -> None:
    assert "caf\ufffd\n" in made(behavior=b"caf\xe9").text


def test_of_many_guides_the_first_are_listed() -> None:
    text = made(paths=[f"guides/{number:03}.md" for number in range(203)]).text

    assert text.count("](guides/") == 200
    assert text.endswith("The folder `guides` has 3 more.\n")


@given(
    description=st.one_of(st.none(), st.text(max_size=80)),
    display_name=st.text(min_size=1, max_size=30),
    behavior=st.one_of(st.none(), st.binary(max_size=80), st.text(max_size=80).map(str.encode)),
)
def test_every_reader_of_yaml_reads_what_the_pack_says(
    description: str | None, display_name: str, behavior: bytes | None
) -> None:
    skill = made(
        description=description and description.encode("utf-8", "replace").decode(),
        display_name=display_name.encode("utf-8", "replace").decode(),
        behavior=behavior,
    )
    read = read_frontmatter(skill.text.encode(), max_bytes=1 << 16)

    assert read.values == skill.frontmatter == yaml.safe_load(skill.text.split("---\n")[1])
    assert (read.warnings, read.uncertain) == ((), ())
    assert unfit_doors([], skill.frontmatter, name="slack") == {}


@pytest.mark.parametrize("name", ["1", "null", "true", "1e3", "0x10", "2024-01-01"])
def test_a_name_that_yaml_would_misread_stays_text(name: str) -> None:
    assert yaml.safe_load(made(name=name).text.split("---\n")[1])["name"] == name
