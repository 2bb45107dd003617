"""The parameters of a list: how much a page holds, and where the page begins."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.store.cursor import Binding, Position
from packyard.store.cursors import Cursors

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 100
LIMIT: Final = Field(
    name="limit",
    kind="integer",
    description="The most to answer with.",
    minimum=1,
    maximum=MAX_LIMIT,
    default=DEFAULT_LIMIT,
)
CURSOR: Final = Field(name="cursor", min_length=1, description="The previous page's `next_cursor`.")
PAGE_QUERY: Final = (LIMIT, CURSOR)


class PageRequest(NamedTuple):
    """The page of a list that a client asks for.

    Attributes:
        limit: The most entries on the page, 1 to 100. It may differ from page to page.
        position: Where the page begins; None for the newest.
    """

    limit: int
    position: Position | None


def parse_limit(text: str | None, faults: dict[str, str]) -> int:
    """Return the `limit` of a query string, 50 unless given, adding to `faults` when it is not from 1 to 100."""
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT)) else 0
    if not 1 <= limit <= MAX_LIMIT:
        faults[LIMIT.name] = (
            f"must be a whole number from 1 to {MAX_LIMIT}; for more, send the answer's next_cursor as cursor"
        )
    return limit


def read_page_request(event: APIGatewayProxyEvent, binding: Binding, cursors: Cursors) -> PageRequest:
    """Return the page that a query string asks for.

    Raises:
        InvalidRequest: The parameter that is wrong, by name.
        ServiceUnavailable: There is a cursor, and the secret that signs cursors cannot be read.
    """
    given = event.query_string_parameters or {}
    faults: dict[str, str] = {}
    limit = parse_limit(given.get(LIMIT.name), faults)
    if faults:
        raise InvalidRequest(faults)
    return PageRequest(limit=limit, position=position_of(given, binding, cursors))


def position_of(given: Mapping[str, str], binding: Binding, cursors: Cursors) -> Position | None:
    """Return where the page begins that a query asks for; None for the start.

    Args:
        given: The parameters of the query.
        binding: What the list's cursors are valid for.
        cursors: Decodes cursors.

    Raises:
        InvalidRequest: On `cursor`: it is not one of this list.
        ServiceUnavailable: There is a cursor, and the secret that signs cursors cannot be read.
    """
    cursor = given.get(CURSOR.name)
    return None if cursor is None else cursors.decode(cursor, binding)


def with_next(
    body: dict[str, Any], position: Position | None, cursors: Cursors, binding: Binding
) -> dict[str, Any]:
    """Return the body of a page with `next_cursor`, unless it is the last page.

    Args:
        body: The page.
        position: Where the next page begins; None on the last.
        cursors: Encodes cursors.
        binding: What the list's cursors are valid for.

    Raises:
        ServiceUnavailable: There is a next page, and the secret that signs cursors cannot be read.
    """
    return body if position is None else {**body, "next_cursor": cursors.encode(position, binding)}
