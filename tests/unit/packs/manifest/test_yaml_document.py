import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from packyard.errors import InvalidRequest
from packyard.packs.manifest.yaml_document import MAX_DEPTH, MAX_NODES, dump, load_mapping

KIB_256 = 256 * 1024

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
lookalikes = st.sampled_from(
    [
        "yes",
        "no",
        "on",
        "off",
        "null",
        "~",
        "",
        "1",
        "-1.5",
        "1e3",
        "0o17",
        "0644",
        "0x1f",
        "1_000",
        "1:30",
        "2024-01-01",
        ".inf",
        ".nan",
        "<<",
        "=",
        "- a",
        "a: b",
        "#",
        "&a",
        "*a",
        "!a",
        "%a",
        "@",
        "`",
        "[",
        "{",
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**63), max_value=2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    text,
    lookalikes,
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text | lookalikes, inner, max_size=4),
    max_leaves=15,
)
mappings = st.dictionaries(text | lookalikes, values, max_size=5)


def fault_in(content: bytes) -> str | None:
    try:
        load_mapping(content)
    except InvalidRequest as refusal:
        return refusal.fields["pack.yaml"]
    return None


def refusal_of(content: bytes) -> str:
    with pytest.raises(InvalidRequest) as caught:
        load_mapping(content)
    assert list(caught.value.fields) == ["pack.yaml"]
    return caught.value.fields["pack.yaml"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", "text"),
        ("1.4.0", "1.4.0"),
        ("'1'", "1"),
        ('"\\x41\\u00e9"', "Aé"),
        ("|\n  a\n  b", "a\nb"),
        (">\n  a\n  b", "a b"),
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("'true'", "true"),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("0x1F", 31),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        ("1.10", 1.1),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5e+3", -1500.0),
        ("nope", "nope"),
        ("yes!", "yes!"),
        ("none", "none"),
        ("1,000", "1,000"),
        ("2024-1", "2024-1"),
        ("12 monkeys", "12 monkeys"),
        ("'<<'", "<<"),
        ("[a, 1]", ["a", 1]),
        ("{a: {b: []}}", {"a": {"b": []}}),
    ],
)
def test_what_all_readers_of_yaml_agree_on_is_read_so(written: str, value: Any) -> None:
    read = load_mapping(f"key: {written}".encode())["key"]

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "written",
    [
        "yes",
        "No",
        "ON",
        "off",
        # yaml.org/type/bool.html has them; libyaml's readers do not, go-yaml v2 does.
        "y",
        "N",
        # Ruby's Psych takes booleans and null in any case (scalar_scanner.rb).
        "yEs",
        "tRUE",
        "nULL",
        # go-yaml takes a date with single digits (resolve.go, "2006-1-2").
        "2024-1-2",
        "0644",
        "00",
        "-017",
        "0b11",
        "0o17",
        "1_000",
        "1:30",
        "1:30:00",
        "1e3",
        "1.5e3",
        "+.5",
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        ".inf",
        "-.Inf",
        ".nan",
        "=",
        "<<",
    ],
)
def test_a_value_on_which_readers_differ_is_refused_unless_in_quotes(written: str) -> None:
    assert refusal_of(f"key: {written}".encode()) == (
        f"line 1, column 6: {written!r} is not the same to every reader of YAML and JSON; put it in quotes"
    )
    assert load_mapping(f"key: '{written}'".encode()) == {"key": written}


@pytest.mark.parametrize(
    "written", [str(2**63), "-" + "9" * 30, "9" * 100_000, "0x" + "f" * 20, "1.0e+999", "1." + "0" * 50_000]
)
def test_a_number_that_does_not_fit_is_refused(written: str) -> None:
    assert refusal_of(f"key: {written}".encode()).endswith("; put it in quotes")


@pytest.mark.parametrize("key", ["a", "'on'", '"no"', "'2024-01-01'", "'1'", '"null"', "a b"])
def test_a_key_is_text(key: str) -> None:
    assert load_mapping(f"{key}: 1".encode()) == {key.strip("'\""): 1}


@pytest.mark.parametrize(
    "key",
    [
        *("1", "1.5", "1e3", "0x1f", "true", "null", "~", "<<", "? []", "? {}", "[a, b]", "?"),
        *("on", "No", "y", "2024-01-01", "1:30", "0644", "1_000", "="),
    ],
)
def test_a_key_that_is_not_text_is_refused(key: str) -> None:
    assert "text" in refusal_of(f"{key}\n: 1".encode() if key[0] == "?" else f"{key}: 1".encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf", "is empty", id="byte order mark alone"),
        pytest.param(b"# nothing\n", "is empty", id="comment alone"),
        pytest.param(b"---\n", "line 2, column 1: must be a mapping", id="null"),
        pytest.param(b"- a\n", "line 1, column 1: must be a mapping", id="list"),
        pytest.param(b"text", "line 1, column 1: must be a mapping", id="text"),
        pytest.param(
            b"a: 1\n---\na: 1\n", "line 2, column 1: a second document begins here", id="two documents"
        ),
        pytest.param(
            b"a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' is given twice", id="repeated key"
        ),
        pytest.param(
            b"a: [{b: 1, 'b': 2}]", "line 1, column 12: the key 'b' is given twice", id="deep repeated key"
        ),
        pytest.param(b"a: &x 1", "line 1, column 4: anchors", id="anchor on a scalar"),
        pytest.param(b"a: &x [1]", "line 1, column 4: anchors", id="anchor on a list"),
        pytest.param(b"&x a: 1", "line 1, column 1: anchors", id="anchor on a key"),
        pytest.param(b"a: *x", "line 1, column 4: anchors", id="alias of nothing"),
        pytest.param(b"&x\na: *x", "line 1, column 1: anchors", id="mapping that holds itself"),
        pytest.param(b"a: !!str 1", "line 1, column 4: tags", id="standard tag"),
        pytest.param(b"a: ! 1", "line 1, column 4: tags", id="non-specific tag"),
        pytest.param(b"!!map {a: 1}", "line 1, column 1: tags", id="tag on the mapping"),
        pytest.param(b"!!str a: 1", "line 1, column 1: tags", id="tag on a key"),
        pytest.param(b"a: !!python/name:os.system x", "line 1, column 4: tags", id="python tag"),
        pytest.param(b"a: !%ed%a0%80 1", "holds a tag", id="tag that unescapes to half a surrogate pair"),
        pytest.param(
            b"a: [1", "line 1, column 4: the list that begins here with [ is not", id="unclosed list"
        ),
        pytest.param(b"a: {b: 1", "line 1, column 4: the mapping that begins here", id="unclosed mapping"),
        pytest.param(b"a:\n\tb: 2", "line 2, column 1: a tab cannot indent in YAML; use spaces", id="tab"),
        pytest.param(b"a: |\n\tb", "line 2, column 1: a tab cannot indent", id="tab in a block"),
        pytest.param(b"a: b: c", "line 1, column 5: a second colon in one value", id="two colons"),
        pytest.param(
            b"a b\nc: 1", "line 1, column 1: must be a mapping: lines of key: value", id="no colon at first"
        ),
        pytest.param(b"a: 1\nb c\n", "line 2, column 1: has no colon: write key: value", id="no colon later"),
        pytest.param(b"a: 1\nb:1.0\n", "line 2, column 1: has no colon: write key: value", id="no space"),
        pytest.param(b"a: 1\n b: 2", "line 2, column 3: is indented differently", id="indented more"),
        pytest.param(b"a:\n  b: 1\n c: 2", "line 3, column 2: is indented differently", id="indented less"),
        pytest.param(b"a:\n  - b\n - c", "line 3, column 2: a list entry where a key belongs", id="entry"),
        pytest.param(b"a: - b", "line 1, column 4: a list begins on a line of its own", id="list in a line"),
        pytest.param(b"a: [*.b.com]", "line 1, column 5: a * begins an alias in YAML; put", id="star"),
        pytest.param(b"a: &", "line 1, column 4: an & begins an anchor in YAML; put", id="ampersand"),
        pytest.param(b"a: @b", "line 1, column 4: a value cannot begin with @ in YAML; put it", id="at"),
        pytest.param(
            b"a: `b`", "line 1, column 4: a value cannot begin with ` in YAML; put it", id="backtick"
        ),
        pytest.param(b'a: "b', "line 1, column 4: the quote that opens here is not closed", id="open quote"),
        pytest.param(b"a: 'it's'", "line 1, column 8: text after the closing quote", id="apostrophe"),
        pytest.param(b'a: "\\w+"', "line 1, column 5: is no escape in double quotes; write", id="backslash"),
        pytest.param(b"a: [1,,2]", "line 1, column 7: a value is missing", id="two commas"),
        pytest.param(b"a: | b\n c", "line 1, column 6: only a comment may be here", id="block"),
        pytest.param(b"a: !b!c d", "line 1, column 4: tags are not taken", id="tag with a handle"),
        pytest.param(b"%YAML 2.0\n---\na: 1", "line 1, column 1: of the directives only", id="YAML 2.0"),
        pytest.param(b"a: %b", "line 1, column 4: a value cannot begin with % in YAML", id="per cent"),
        # json.dumps writes a face as \ud83d\ude00.
        pytest.param(
            b'a: "x\\ud83d\\ude00"',
            "write the character itself, or \\U0001F600",
            id="a surrogate pair, as in JSON",
        ),
        pytest.param(b'a: "\\ud800"', "write the character itself, or \\U and 8", id="half a surrogate pair"),
        pytest.param(b'a: "\\uDE00 x"', "is half of a surrogate pair", id="the other half"),
        pytest.param(b'a: "\\U00110000"', "the last one is \\U0010FFFF", id="an escape beyond Unicode"),
        pytest.param(
            b'a: "\\u12"', "an escape has 2 digits 0-9 and a-f after", id="an escape that is too short"
        ),
        pytest.param(
            b"a: 1\nb: \xff",
            "line 2, column 4: the byte 0xFF is not UTF-8; in Latin-1 or Windows-1252 it is \u00ff; save the file",
            id="Latin-1",
        ),
        pytest.param(
            b"\xef\xbb\xbf\x80", "line 1, column 1: the byte 0x80 is not UTF-8", id="behind a byte order mark"
        ),
        pytest.param(
            b"\xef\xbb\xbfa: \xff",
            "line 1, column 4: the byte 0xFF is not UTF-8",
            id="further behind a byte order mark",
        ),
        pytest.param(b"a: \x81", "the byte 0x81 is not UTF-8; save the file as UTF-8", id="no encoding"),
        pytest.param(b"a: \xed\xa0\x80", "line 1, column 4: the byte 0xED is not", id="surrogate in UTF-8"),
        pytest.param("a: 1".encode("utf-16"), "is in UTF-16; save the file as UTF-8", id="UTF-16 by Notepad"),
        pytest.param("a: 1".encode("utf-16-le"), "is in UTF-16; save", id="UTF-16 without a mark"),
        pytest.param("a: 1".encode("utf-16-be"), "is in UTF-16; save", id="the other UTF-16"),
        pytest.param("a: 1".encode("utf-32"), "is in UTF-32; save", id="UTF-32"),
        pytest.param("é: 1\nb: \x07\n".encode(), "line 2, column 4: the character U+0007", id="control"),
        pytest.param(b"a: \x00", "line 1, column 4: the character U+0000 is not allowed", id="nul"),
    ],
)
def test_a_document_that_is_not_one_plain_mapping_is_refused_with_the_place(
    content: bytes, reason: str
) -> None:
    assert reason in refusal_of(content)


# yaml/go-yaml issue 922: a comment of one reader is a key of the other.
@pytest.mark.parametrize(
    ("character", "escape"), [("\x85", "\\N"), ("\u2028", "\\L"), ("\u2029", "\\P"), ("\ufeff", "\\uFEFF")]
)
@pytest.mark.parametrize(
    ("document", "place"),
    [
        pytest.param("# a{}b: 1\nc: 2\n", "line 1, column 4", id="in a comment"),
        pytest.param('a: 1\nb: "c{}d"\n', "line 2, column 6", id="in double quotes"),
        pytest.param("a: 1\r\nb: 'c{}d'\r\n", "line 2, column 6", id="in single quotes"),
        pytest.param("a: 1\nb: c{}d\n", "line 2, column 5", id="in plain text"),
        pytest.param("a: |\n  é\n  {}d\n", "line 3, column 3", id="in a block"),
        pytest.param("a: 1\n{}b: 2\n", "line 2, column 1", id="at the start of a line"),
    ],
)
def test_what_some_readers_take_for_a_line_break_is_refused_with_the_place_and_the_escape(
    document: str, place: str, character: str, escape: str
) -> None:
    refusal = refusal_of(document.format(character).encode())

    assert refusal.startswith(f"{place}: ")
    assert f"U+{ord(character):04X}" in refusal
    assert f"write {escape} in double quotes" in refusal
    assert load_mapping(f'a: "x{escape}y"'.encode()) == {"a": f"x{character}y"}


def test_no_message_about_yaml_quotes_the_parser() -> None:
    """Every text is one that libyaml refuses; its own words for them, in scanner.c and parser.c, begin so."""
    for text in ["a: [", "a: {", "a: '", 'a: "\\q"', "a: @", "\t- a", "a: b: c", "- a\nb", "? a: b: c", "%a"]:
        assert "found" not in refusal_of(text.encode())
        assert "expected" not in refusal_of(text.encode())


def test_a_byte_order_mark_and_document_markers_are_tolerated() -> None:
    assert load_mapping(b"\xef\xbb\xbf%YAML 1.1\n---\na: 1\n...\n") == {"a": 1}


def test_depth_is_bounded() -> None:
    lists = MAX_DEPTH - 1

    load_mapping(b"a: " + b"[" * lists + b"]" * lists)
    assert "is nested deeper than 32 levels" in refusal_of(b"a: " + b"[" * (lists + 1) + b"]" * (lists + 1))


def test_the_number_of_values_is_bounded() -> None:
    items = MAX_NODES - 3  # besides the mapping, its key and the list

    load_mapping(b"a: [" + b"1," * items + b"]")
    assert "holds more than 20000 values" in refusal_of(b"a: [" + b"1," * (items + 1) + b"]")


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "{a: ",
        "{",
        "- ",
        "? ",
        "a: ",
        "[? ",
        "[a, ",
        "&a ",
        "*a ",
        "!a ",
        "'",
        '"',
        "\n",
        "#",
        "%TAG !a! b\n",
        "1",
        "1_",
        "1:",
        ":30",
        ".",
        "0x",
        "a",
        "é",
        "\\",
        '"\\U0001F600',
        "a\n ",
        "|\n ",
        ">\n b",
        "\ufeff",
        "---\n",
    ],
)
@pytest.mark.parametrize("head", ["", "a: ", "a: [", "a: '", "a: |\n  ", "? "])
def test_a_hostile_document_is_answered_quickly(head: str, unit: str) -> None:
    content = (head + unit * KIB_256).encode()[:KIB_256].decode(errors="ignore").encode()
    began = time.process_time()

    fault = fault_in(content)

    assert time.process_time() - began < 1.5
    assert len(fault or "") < 200


@given(
    st.binary(max_size=200)
    | st.text("ab1.:-?[]{},&*!|>'\"%#\\ \t\n<=~_é\x85\u2028", max_size=60).map(str.encode)
)
def test_any_bytes_are_read_as_what_json_can_say_or_refused(content: bytes) -> None:
    if fault_in(content) is None:
        json.dumps(load_mapping(content), allow_nan=False).encode()


@given(mappings)
def test_what_is_written_reads_back_the_same_here_and_in_yaml_1_1(mapping: dict[str, Any]) -> None:
    written = dump(mapping)

    assert load_mapping(written.encode()) == mapping
    assert yaml.load(written, Loader=yaml.CSafeLoader) == mapping


def test_text_of_a_value_keeps_the_order_of_keys() -> None:
    assert dump([{"b": 1, "a": ["x", {"d": None}]}]) == "- b: 1\n  a:\n  - x\n  - d: null\n"
