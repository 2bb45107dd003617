"""What a registry asks for when it answers 401: `WWW-Authenticate` (RFC 9110, section 11.6.1).

A stranger writes it, so it is read leniently, but only the beginning of it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_MAX_HEADERS: Final = 8
_MAX_TEXT: Final = 4096

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A parameter, else a word; a word that no `=` follows names a scheme.
_ITEM: Final = re.compile(
    rf"""(?P<key>{_WORD})[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>{_WORD}))|(?P<word>{_WORD})"""
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to be let in.

    Attributes:
        scheme: In lower case.
        parameters: Their names in lower case; of two of one name the first is kept.
    """

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Return the challenges in the order given; what is not one is passed over.

    Args:
        headers: The values of all the answer's `WWW-Authenticate` headers.
    """
    text = ", ".join(list(headers)[:_MAX_HEADERS])[:_MAX_TEXT]
    found: list[tuple[str, dict[str, str]]] = []
    for item in _ITEM.finditer(text):
        if item["word"]:
            found.append((item["word"].lower(), {}))
        elif found:
            value = item["bare"] if item["quoted"] is None else _ESCAPED.sub(r"\1", item["quoted"])
            found[-1][1].setdefault(item["key"].lower(), value)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)
