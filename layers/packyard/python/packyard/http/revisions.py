"""Reading the query of `GET /packs/{id}/revisions`, and the body of its answer."""

from typing import Any, Final, NamedTuple

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.page_limit import CURSOR, LIMIT, parse_limit
from packyard.packs.revision import Revision
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursor import Binding, Position
from packyard.store.cursors import Cursors
from packyard.store.history import HistoryPage

QUERY: Final = (LIMIT, CURSOR)


class HistoryRequest(NamedTuple):
    """The page of a history that a client asks for.

    Attributes:
        limit: The most revisions on the page, 1 to 100. It may differ from page to page.
        position: Where the page begins; None for the newest.
    """

    limit: int
    position: Position | None


def read_history_request(event: APIGatewayProxyEvent, binding: Binding, cursors: Cursors) -> HistoryRequest:
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
    cursor = given.get(CURSOR.name)
    position = None if cursor is None else cursors.decode(cursor, binding)
    return HistoryRequest(limit=limit, position=position)


def history_view(page: HistoryPage, binding: Binding, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"revisions": [_revision_view(revision) for revision in page.revisions]}
    if page.next_position is not None:
        body["next_cursor"] = cursors.encode(page.next_position, binding)
    return body


def _revision_view(revision: Revision) -> dict[str, Any]:
    content = {} if revision.content_digest is None else {"content_digest": revision.content_digest}
    return {
        **content,
        "revision": revision.number,
        "operation": revision.operation,
        "version": revision.version,
        "image_digest": revision.image_digest,
        "actor": revision.actor,
        "at": format_timestamp(revision.at),
    }
