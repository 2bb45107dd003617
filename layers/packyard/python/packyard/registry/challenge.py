"""The challenges of a 401 answer: the header `WWW-Authenticate` (RFC 9110, section 11.6.1).

Registries write it in forms that the grammar does not allow: a URL without quotes (regclient #265), single quotes
(okhttp #6743), no closing quote (external-auth-server PR #162), commas inside an unquoted URL. The parser accepts all
of these. It reads a bounded number of characters only, because any registry on the internet may have sent them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_MAX_HEADERS: Final = 8
_MAX_TEXT: Final = 4096

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A comma ends an unquoted value before white space, before the next parameter, and before the next scheme.
_SEPARATES: Final = (
    rf"(?:[ \t]|$|,|{_WORD}[ \t]*=|{_WORD}[ \t]+{_WORD}[ \t]*=|(?i:basic|bearer|negotiate|ntlm)\b)"
)
_BARE: Final = rf"[^\s\",]+(?:,(?!{_SEPARATES})[^\s\",]+)*"
# A parameter, or else a word. A word without a following `=` names a scheme.
_ITEM: Final = re.compile(
    rf"""(?P<key>{_WORD})[ \t]*=[ \t]*"""
    rf"""(?:"(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\\?$)|'(?P<single>[^']*)'|(?P<bare>{_BARE})?)"""
    rf"""|(?P<word>{_WORD})"""
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One authentication scheme that a registry offers.

    Attributes:
        scheme: Its name in lower case.
        parameters: Values by name in lower case; of a repeated name, the first value.
    """

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Return the challenges in the order given; text that is not a challenge is ignored.

    Args:
        headers: The values of all `WWW-Authenticate` headers of an answer. The first 8 headers and the first 4,096
            characters in total are read.
    """
    found: list[tuple[str, dict[str, str]]] = []
    left = _MAX_TEXT
    for header in list(headers)[:_MAX_HEADERS]:
        in_this_header = len(found)
        for item in _ITEM.finditer(header[:left]):
            if item["word"]:
                found.append((item["word"].lower(), {}))
            elif len(found) > in_this_header:
                found[-1][1].setdefault(item["key"].lower(), _value(item))
        left -= len(header[:left])
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


def bearer_of(challenges: Iterable[Challenge]) -> Challenge | None:
    """Return the first Bearer challenge that names a token server (`realm`), or None."""
    bearers = (challenge for challenge in challenges if challenge.scheme == "bearer")
    return next((bearer for bearer in bearers if bearer.parameters.get("realm", "").strip()), None)


def offers_basic(challenges: Iterable[Challenge]) -> bool:
    """Tell whether one of the challenges accepts a user and a password."""
    return any(challenge.scheme == "basic" for challenge in challenges)


def _value(item: re.Match[str]) -> str:
    if item["quoted"] is not None:
        return _ESCAPED.sub(r"\1", item["quoted"])
    return item["single"] if item["single"] is not None else (item["bare"] or "").rstrip(";")
