"""The `If-Match` header (RFC 9110, section 13.1.1): change the pack only as the client has seen it."""

import re
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.packs.precondition import IfMatch

HEADER: Final = "If-Match"
_MAX_CHARACTERS: Final = 1024
# One element of the list: an entity tag (section 8.8.3), or nothing, which recipients must pass over (5.6.1.2).
_ELEMENT: Final = re.compile(
    r'[ \t]*(?P<tag>(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|\Z)'
)


def read_if_match(event: APIGatewayProxyEvent) -> IfMatch | None:
    """Return the condition that a request states, or None when it states none.

    A weak tag is accepted and matches nothing, since `If-Match` compares strongly (RFC 9110, section 8.8.3.2).

    Raises:
        InvalidRequest: Neither `*` nor a list of entity tags, or longer than 1024 characters.
    """
    lines = event.multi_value_headers.get(HEADER) or []
    if not lines:
        return None
    # A header on several lines means the same as one that lists them all (RFC 9110, section 5.3).
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return IfMatch(None)
    return IfMatch(_strong_tags(text))


def _strong_tags(text: str) -> frozenset[str]:
    refusal = InvalidRequest({HEADER: 'must be * or entity tags in quotes, such as "3", joined by commas'})
    if len(text) > _MAX_CHARACTERS:
        raise refusal
    strong: set[str] = set()
    tags, start = 0, 0
    while start < len(text):
        element = _ELEMENT.match(text, start)
        if element is None:
            raise refusal
        tags += element["tag"] is not None
        if element["tag"] is not None and element["weak"] is None:
            strong.add(element["opaque"])
        start = element.end()
    if not tags:
        raise refusal
    return frozenset(strong)
