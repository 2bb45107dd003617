"""Which words a text has, and which packs a query wants."""

import pytest

from packyard.packs.search_words import (
    MAX_INDEXED_WORDS,
    MAX_WORD_BYTES,
    MAX_WORDS,
    Place,
    parse_search,
    places_of,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Post and read messages.", ["post", "and", "read", "messages"]),
        ("slack-api_v2", ["slack", "api", "v2"]),
        ("C++, C# and .NET 8.0", ["c", "c", "and", "net", "8", "0"]),
        ("", []),
        ("… — !?", []),
        # Accents do not count: metacran/metacranweb #90, TryGhost/Ghost #22764.
        ("Café Über ÉCOLE", ["cafe", "uber", "ecole"]),
        # The same letters, decomposed, as macOS writes names.
        ("Cafe\u0301", ["cafe"]),
        # Turkish, German, Greek: full case folding.
        ("İstanbul Straße ΣΊΣΥΦΟΣ", ["istanbul", "strasse", "σισυφοσ"]),
        ("ﬀ \uff21\uff42\uff43 ℡", ["ff", "abc", "tel"]),
        # A part of a sentence without spaces is found: NuGet/NuGetGallery #2013, nicobailon/pi-mcp-adapter #607.
        ("数据 tools", ["数", "据", "tools"]),
        ("ひらがな", ["ひ", "ら", "が", "な"]),
        ("हिन्दी भाषा।", ["हिन्दी", "भाषा"]),
        ("パッケージ", ["パ", "ッ", "ケ", "ー", "ジ"]),
        # Syllables stay whole, also those that macOS decomposes (see Ghost #22764).
        ("한국어", ["한국어"]),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165", ["한국어"]),
        ("emoji 🚀 launch", ["emoji", "launch"]),
    ],
)
def test_a_text_has_these_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_long_word_counts_up_to_its_first_bytes_and_never_ends_within_a_character() -> None:
    (latin,) = words_of("x" * 5000)
    (greek,) = words_of("ω" * 5000)
    (astral,) = words_of("\U00010480" * 5000)

    assert latin == "x" * MAX_WORD_BYTES
    assert greek == "ω" * (MAX_WORD_BYTES // 2)
    assert astral == "\U00010480" * (MAX_WORD_BYTES // 4)


def test_the_last_word_of_a_query_is_a_start_and_the_others_are_whole() -> None:
    wanted = parse_search("Read Slack mess")

    assert (wanted.whole, wanted.start) == (("read", "slack"), "mess")
    assert wanted.words == ("read", "slack", "mess")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("messages", True),
        ("mess", True),
        ("MESS", True),
        ("slack mess", True),
        ("mess slack", False),  # of the first words, the start is not enough
        ("slack slack slack", True),
        ("slack jira", False),
        ("sl", True),
        ("lack", False),
        ("messagess", False),
    ],
)
def test_a_pack_is_wanted_if_it_has_all_words(query: str, found: bool) -> None:
    places = places_of(name="slack", display_name="Slack", category="chat", description="Posts messages.")

    assert parse_search(query).matches(places) is found


@pytest.mark.parametrize("query", ["", " ", "++", "🚀", "-"])
def test_a_query_without_a_word_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="letters or digits"):
        parse_search(query)


def test_a_query_of_many_words_is_refused_and_repeated_words_count_once() -> None:
    assert parse_search("a " * 50 + "b").words == ("a", "b")
    assert len(parse_search(" ".join(f"w{n}" for n in range(MAX_WORDS))).words) == MAX_WORDS
    with pytest.raises(ValueError, match=f"more than {MAX_WORDS}"):
        parse_search(" ".join(f"w{n}" for n in range(MAX_WORDS + 1)))


def test_each_word_of_a_pack_has_its_best_place() -> None:
    places = places_of(
        name="slack-api", display_name="Slack for teams", category="chat", description="Chat by the Slack API"
    )

    assert places == {
        "slack": Place.NAME,
        "api": Place.NAME,
        "for": Place.DISPLAY_NAME,
        "teams": Place.DISPLAY_NAME,
        "chat": Place.CATEGORY,
        "by": Place.DESCRIPTION,
        "the": Place.DESCRIPTION,
    }


def test_the_words_of_a_pack_are_bounded_and_its_name_comes_first() -> None:
    han = "".join(chr(0x4E00 + number) for number in range(2000))
    places = places_of(name="slack", display_name="Slack", category=None, description=han)

    assert len(places) == MAX_INDEXED_WORDS
    assert next(iter(places)) == "slack"
