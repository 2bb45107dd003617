"""Entity tags of answers, and reads whose answer the client has already (RFC 9110, sections 8.8.3 and 13.1.2).

Every 200 and 302 of a GET has a tag. An operation states the tag where something shorter changes with the body, such as
a revision. The tag of any other body is its hash. An operation that knows the tag before it has the body can ask
`is_known` first, and need not make the body.
"""

import hashlib
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.http.fields import Field

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

ETAG: Final = "ETag"
IF_NONE_MATCH: Final = Field(
    name="If-None-Match",
    example='"3"',
    description="Entity tags of bodies that the client has: 304 when this one is among them.",
)
_READ: Final = "GET"
# A tag without its quotes means the same, since no tag of ours holds a quote, a comma or a space.
_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"|(?:W/)?([^\s",]+)')
_HASH_CHARACTERS: Final = 32
# The headers of the 200 that a 304 repeats (section 15.4.5). The content type is one of them, since API Gateway adds
# application/json where a function states none, and caches apply the headers of a 304 to the body that they have.
_KEPT: Final = (ETAG, "Cache-Control", "Vary", "Content-Type")
# A client may keep the answer for its own credential, and must revalidate it each time.
_PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


def conditional(app: APIGatewayRestResolver, next_middleware: "NextMiddleware") -> Response[Any]:
    """Add the tag to the answer to a GET, and leave out the body if the client has it."""
    response: Response[Any] = next_middleware(app)
    event = app.current_event
    if event.http_method != _READ or response.status_code >= HTTPStatus.BAD_REQUEST:
        return response
    if "Cache-Control" not in response.headers:
        response.headers.update(_PRIVATE)
    if ETAG not in response.headers and response.status_code == HTTPStatus.OK:
        response.headers[ETAG] = f'"{_hash(response.body)}"'
    if ETAG not in response.headers or not is_known(event, str(response.headers[ETAG])):
        return response
    headers = {name: value for name, value in response.headers.items() if name in _KEPT}
    return Response(HTTPStatus.NOT_MODIFIED.value, body="", headers=headers)


def is_known(event: APIGatewayProxyEvent, tag: str) -> bool:
    """Return whether a client has the answer with a tag: `If-None-Match` names the tag, or is `*`.

    Tags are compared weakly (section 13.1.2), since a proxy that compresses may have made one weak. A header that is
    not a list of tags names none, and the client gets the body.

    Args:
        event: The gateway's event.
        tag: The tag of the answer, with its quotes.
    """
    text = ",".join(event.multi_value_headers.get(IF_NONE_MATCH.name) or [])
    if text.strip(" \t") == "*":
        return True
    return tag.strip('"') in (quoted or bare for quoted, bare in _TAG.findall(text))


def not_modified(tag: str, *, content_type: str) -> Response[str]:
    """Return the 304 for a client that has the body already.

    Args:
        tag: The tag of the body, with its quotes.
        content_type: The content type of the body.
    """
    return Response(HTTPStatus.NOT_MODIFIED.value, content_type, "", {ETAG: tag})


def _hash(body: str | bytes | None) -> str:
    content = body.encode() if isinstance(body, str) else body or b""
    return hashlib.sha256(content).hexdigest()[:_HASH_CHARACTERS]
