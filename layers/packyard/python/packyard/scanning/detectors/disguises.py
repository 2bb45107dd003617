"""Words that are written so that a search for them finds nothing, and that a reader or a program reads all the same."""

import html
import re
from typing import Final

from packyard.scanning.file_kind import FileKind

# Marks of emphasis, comments and tags within a word. It begins with its first sign, so that `re` skips to the next one.
_WITHIN_WORDS: Final = re.compile(
    r"[*<](?<=\w.)(?:(?<=\*)\*{0,2}|(?<=<)(?:!--.{0,60}?--|/?[A-Za-z]{1,8})>)"
    r"(?:<!--.{0,60}?-->|</?[A-Za-z]{1,8}>|\*{1,3}){0,3}(?=\w)"
)
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
# Of what is in ASCII. JSON and most programming languages have it.
_ESCAPE: Final = re.compile(r"\\u00([2-7][0-9A-Fa-f])")
# As JSON writes ends of lines within a text. The letter would belong to the word that follows.
_BREAK: Final = re.compile(r"\\[nrt]")
_READ_AS_VALUES: Final = frozenset({FileKind.CONFIG, FileKind.DATA})
_READ_AS_MARKUP: Final = frozenset({FileKind.GUIDE, FileKind.PAGE})


def undisguised(text: str, kind: FileKind) -> str:
    """Return a text without what divides words and with what stands for characters replaced. Lines stay lines.

    Args:
        text: The text.
        kind: The kind of its file.
    """
    if kind in _READ_AS_MARKUP:
        if "*" in text or "<" in text:
            text = _WITHIN_WORDS.sub("", text)
        if "&#" in text:
            text = _ENTITY.sub(lambda match: html.unescape(match[0]).replace("\n", " "), text)
    elif "\\" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        if kind in _READ_AS_VALUES:
            text = _BREAK.sub("  ", text)
    return text
