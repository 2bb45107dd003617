"""The conditions of a write: only if a thing is as the client has seen it, or only if it is not there yet.

`If-Match` is RFC 9110, section 13.1.1; `If-None-Match` is section 13.1.2. Writes take only `*` of the latter, and only
where they may make something new. Elsewhere `If-None-Match` is refused, since its sender wants nothing overwritten.
"""

import re
from typing import Final, NamedTuple

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.packs.precondition import IfMatch, revision_tag

HEADER: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"
_TAG: Final = r'(W/)?"[!#-~]*"'
# The pattern is for writers of the header. Readers take more (RFC 9110, sections 5.6.1.2 and 8.8.3): see _ELEMENT.
IF_MATCH: Final = Field(
    name=HEADER,
    pattern=rf"(\*|{_TAG}(, *{_TAG})*)",
    example='"3"',
    description="Only if it is at one of these revisions: entity tags as in ETag, quotes included, or `*`.",
)
CREATE_ONLY: Final = Field(
    name=IF_NONE_MATCH, values=("*",), description="`*`: only if nothing is there yet."
)
_MAX_CHARACTERS: Final = 1024
_SHOWN_CHARACTERS: Final = 64
# One element of the list: an entity tag (section 8.8.3), or an empty element, which is ignored (section 5.6.1.2).
_ELEMENT: Final = re.compile(
    r'[ \t]*(?P<tag>(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|\Z)'
)
# A revision without the quotes of an entity tag, which people forget and shells remove.
_BARE: Final = re.compile(r"""\s*(?:[Ww]/)?\s*["'\\“”]*([0-9]{1,18})["'\\“”]*\s*""")


class Conditions(NamedTuple):
    """The conditions of a write that may make something new.

    Attributes:
        if_match: What the client has seen; None without `If-Match`.
        create_only: Whether to write only if nothing is there.
    """

    if_match: IfMatch | None
    create_only: bool


def read_if_match(event: APIGatewayProxyEvent) -> IfMatch | None:
    """Return the condition of a request that changes what is there; None without one.

    A weak tag is accepted and matches nothing, since `If-Match` compares strongly (RFC 9110, section 8.8.3.2).

    Raises:
        InvalidRequest: On `If-Match`: neither `*` nor a list of entity tags, or longer than 1024 characters. On
            `If-None-Match`: it is given.
    """
    if event.multi_value_headers.get(IF_NONE_MATCH):
        raise InvalidRequest(
            {IF_NONE_MATCH: "is not taken here; to change only what you have seen, send If-Match"}
        )
    return _if_match(event)


def read_conditions(event: APIGatewayProxyEvent) -> Conditions:
    """Return the conditions of a request that changes what is there or makes it new.

    Raises:
        InvalidRequest: On `If-Match`: as for `read_if_match`. On `If-None-Match`: it is not `*`.
    """
    lines = event.multi_value_headers.get(IF_NONE_MATCH) or []
    if lines and [line.strip(" \t") for line in lines] != ["*"]:
        raise InvalidRequest(
            {IF_NONE_MATCH: "must be * on a write: write only if nothing is there; else send If-Match"}
        )
    return Conditions(if_match=_if_match(event), create_only=bool(lines))


def refuse_conditions(
    event: APIGatewayProxyEvent, why: str = "this makes a new pack, and never changes one that is there"
) -> None:
    """Refuse a condition on a request about something of which no client can have seen a revision.

    Args:
        event: The gateway's event.
        why: Why there is none.

    Raises:
        InvalidRequest: On `If-Match` or `If-None-Match`: it is given.
    """
    for header in (HEADER, IF_NONE_MATCH):
        if event.multi_value_headers.get(header):
            raise InvalidRequest({header: f"is not taken here: {why}"})


def _if_match(event: APIGatewayProxyEvent) -> IfMatch | None:
    lines = event.multi_value_headers.get(HEADER) or []
    if not lines:
        return None
    # A header on several lines means the same as one that lists them all (RFC 9110, section 5.3).
    text = ",".join(lines)
    if text.strip(" \t") == "*":
        return IfMatch(None)
    return _tags(text)


def _tags(text: str) -> IfMatch:
    refusal = InvalidRequest({HEADER: _advice(text)})
    if len(text) > _MAX_CHARACTERS:
        raise refusal
    tags: dict[bool, set[str]] = {False: set(), True: set()}
    start = 0
    while start < len(text):
        element = _ELEMENT.match(text, start)
        if element is None:
            raise refusal
        if element["tag"] is not None:
            tags[element["weak"] is not None].add(element["opaque"])
        start = element.end()
    if not any(tags.values()):
        raise refusal
    return IfMatch(frozenset(tags[False]), frozenset(tags[True]))


def _advice(text: str) -> str:
    bare = _BARE.fullmatch(text[:_SHOWN_CHARACTERS])
    if bare is None:
        return 'must be * or entity tags in quotes, such as "3", joined by commas: what ETag said, quotes included'
    tag = revision_tag(int(bare[1]))
    return f"must be in quotes: If-Match: {tag}. In a shell, keep them by single quotes around: -H 'If-Match: {tag}'"
