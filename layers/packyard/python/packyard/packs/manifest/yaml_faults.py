"""Translating libyaml's errors into messages that say what is wrong, where, and what helps.

libyaml describes errors in terms of its scanner ("could not find expected ':'"). Each of its messages has only a few
usual causes. The text of the line shows which one it is.
"""

import re
from typing import Any, Final

import yaml

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_COLON: Final = re.compile(r":(?:\s|\Z)")
# libyaml's mark is after the backslash and the letter.
_ESCAPE_BEGINS: Final = 2
_SURROGATE: Final = re.compile(
    r"\\u(?:(?P<high>d[89ab][0-9a-f]{2})(?:\\u(?P<low>d[c-f][0-9a-f]{2}))?|d[c-f][0-9a-f]{2})", re.IGNORECASE
)
_DIGITS: Final = (
    "an escape has 2 digits 0-9 and a-f after \\x, 4 after \\u, 8 after \\U; single quotes have no escapes"
)
_TAB: Final = "a tab cannot indent in YAML; use spaces"
_MISINDENTED: Final = "is indented differently from its neighbours; keys of one level begin in one column"

# A part of libyaml's message, whether to report its context mark as the place, and the message to show.
_SIMPLE: Final[tuple[tuple[str, bool, str], ...]] = (
    ("could not find expected ':'", True, "has no colon: write key: value, with a space after the colon"),
    ("',' or ']'", True, "the list that begins here with [ is not closed, or lacks a comma"),
    ("',' or '}'", True, "the mapping that begins here with { is not closed, or lacks a comma"),
    ("found unexpected end of stream", True, "the quote that opens here is not closed"),
    ("found unexpected document indicator", True, "the quote that opens here is not closed before a line --- or ..."),
    ("'-' indicator", False, "is indented differently from the entries of its list, or lacks its -"),
    ("block sequence entries", False, "a list begins on a line of its own, below its key"),
    ("node content", False, "a value is missing, or begins with a character that must be in quotes"),
    ("unknown escape", False, "is no escape in double quotes; write \\\\ for a backslash, or use single quotes"),
    ("hexdecimal", False, _DIGITS),
    ("a tab character", False, _TAB),
    ("indentation indicator", False, "after | or > only +, - or a digit 1 to 9 is allowed"),
    ("comment or line break", False, "only a comment may be here; a text begins on the line below | or >"),
    ("tag", False, "tags are not taken; put a value that begins with ! in quotes"),
    ("%YAML", False, "of the directives only one %YAML 1.1 or %YAML 1.2 is taken"),
    ("incompatible YAML", False, "of the directives only one %YAML 1.1 or %YAML 1.2 is taken"),
    ("directive", False, "a line that begins with % is a directive; put the text in quotes"),
)  # fmt: skip
_BY_CONTEXT: Final = (
    ("alias", "a * begins an alias in YAML; put the value in quotes"),
    ("anchor", "an & begins an anchor in YAML; put the value in quotes"),
    ("a tag", "tags are not taken; put a value that begins with ! in quotes"),
    ("a directive", "a line that begins with % is a directive; put the text in quotes"),
)


# Lines that are not YAML but something else, and the message to show.
_LOOKS: Final = (
    (
        re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?: |$)"),
        "git has left this mark at a conflict; keep one of the two sides, without the marks",
    ),
    (
        re.compile(r":[ \t]*(?:\{\{|\{%|<%)|^[ \t]*\{%"),
        "this is a template that nobody has filled in; fill it in before packing, or put the value in quotes",
    ),
    (
        re.compile(r"^(?:[^#'\"]*:)?[ \t]*\xa0"),
        "here is a no-break space (U+00A0), which is no space to YAML; write a plain one",
    ),
    (re.compile(r"^[ \t]*[A-Za-z_-]+[ \t]*=(?:[ \t]|$)"), "has = where YAML has a colon: write key: value"),
    (re.compile(r"^\[[A-Za-z_.-]+\][ \t]*$"), "is a section of TOML or INI; YAML has lines of key: value"),
)


def explain(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return a message for an error of libyaml, beginning with line and column.

    Args:
        error: The error.
        text: The text that was parsed.
    """
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return "is not YAML"
    context, problem = error.context or "", error.problem or ""
    start = error.context_mark or mark
    for at in (start, mark):
        mistake = mistake_in(line_of(at, text))
        if mistake is not None:
            return place(at) + mistake
    for part, reason in _BY_CONTEXT:
        if part in context:
            return place(start) + reason
    for part, at_context, reason in _SIMPLE:
        if part in problem:
            return place(start if at_context else mark) + reason
    return _by_line(mark, problem, _BREAK.split(text))


def _by_line(mark: Any, problem: str, lines: list[str]) -> str:
    """Return a message for an error whose cause only the line shows."""
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "mapping values" in problem:
        return _stray_colon(mark, lines)
    if "Unicode character escape" in problem:
        return place(mark) + _unfit_escape(line[max(mark.column - _ESCAPE_BEGINS, 0) :])
    if "cannot start any token" in problem:
        return place(mark) + _unfit_start(line[mark.column : mark.column + 1])
    return place(mark) + (_no_key(line, mark.column) if "expected key" in problem else "is not YAML")


def mistake_in(line: str) -> str | None:
    """Return a message for a line that looks like something other than YAML; None if it does not.

    Args:
        line: The line at which the text was refused.
    """
    return next((reason for looks, reason in _LOOKS if looks.search(line)), None)


def line_of(mark: Any, text: str) -> str:
    """Return the line of a text that contains a mark."""
    lines = _BREAK.split(text)
    return lines[mark.line] if mark.line < len(lines) else ""


def place(mark: Any) -> str:
    """Return the beginning of a message about a fault: its line and column."""
    return f"line {mark.line + 1}, column {mark.column + 1}: "


def _unfit_escape(rest: str) -> str:
    """Return a message for an escape that stands for no character.

    Args:
        rest: The line from the escape on.
    """
    half = _SURROGATE.match(rest)
    if half is None:
        return "the escape names no character, for the last one is \\U0010FFFF; single quotes have no escapes"
    escape = "\\U and 8 digits"
    if half["low"]:
        code = 0x10000 + ((int(half["high"], 16) - 0xD800) << 10) + int(half["low"], 16) - 0xDC00
        escape = f"\\U{code:08X}"
    return (
        "is half of a surrogate pair, as JSON writes characters above U+FFFF; write the character itself, or "
        f"{escape}"
    )


def _unfit_start(character: str) -> str:
    if character == "\t":
        return _TAB
    return f"a value cannot begin with {character} in YAML; put it in quotes"


def _stray_colon(mark: Any, lines: list[str]) -> str:
    before = lines[mark.line][: mark.column]
    if _COLON.search(before):
        return place(mark) + "a second colon in one value; put the value in quotes"
    previous = next((at for at in range(mark.line - 1, -1, -1) if lines[at].strip()), None)
    if previous is not None and not _COLON.search(lines[previous]):
        return f"line {previous + 1}: has no colon: write key: value, with a space after the colon"
    return place(mark) + _MISINDENTED


def _no_key(line: str, column: int) -> str:
    if line[:column].strip():
        return "text after the closing quote; in quotes of one kind use the other, or double the single one"
    if line[column : column + 1] == "-":
        return "a list entry where a key belongs; put it below the key of its list"
    return _MISINDENTED
