"""Entity tags of answers, and reads that a client has the answer of already (RFC 9110, sections 8.8.3 and 13.1.2).

Every 200 and 302 of a GET has a tag. An operation states one where something shorter says when the body changes, as a
revision does; the tag of any other body is its hash. An operation that knows the tag before it has the body asks
`is_known`, and need not make the body.
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
# A client that has lost the quotes of a tag means the same: no tag of ours holds a quote, a comma or a space.
_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"|(?:W/)?([^\s",]+)')
_HASH_CHARACTERS: Final = 32
# The headers of the 200 that a 304 repeats (section 15.4.5). The content type is there since API Gateway says
# application/json where a function says nothing, and caches take what a 304 says for the body that they have.
_KEPT: Final = (ETAG, "Cache-Control", "Vary", "Content-Type")
# What a tenant's client has got may be kept by that client, for that credential, and is asked about each time.
_PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


def conditional(app: APIGatewayRestResolver, next_middleware: "NextMiddleware") -> Response[Any]:
    """Give the answer to a GET its tag, and leave its body out where the client has it."""
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
    """Return whether a client says that it has the answer of a tag: `If-None-Match` names it, or is `*`.

    Tags are compared weakly, as the header wants it: a proxy that compresses may have made one weak. A header that is
    no list of tags names none, and the client gets the body.

    Args:
        event: The gateway's event.
        tag: The answer's, with its quotes.
    """
    text = ",".join(event.multi_value_headers.get(IF_NONE_MATCH.name) or [])
    if text.strip(" \t") == "*":
        return True
    return tag.strip('"') in (quoted or bare for quoted, bare in _TAG.findall(text))


def not_modified(tag: str, *, content_type: str) -> Response[str]:
    """Return the answer to a client that has the body already.

    Args:
        tag: The body's, with its quotes.
        content_type: The body's.
    """
    return Response(HTTPStatus.NOT_MODIFIED.value, content_type, "", {ETAG: tag})


def _hash(body: str | bytes | None) -> str:
    content = body.encode() if isinstance(body, str) else body or b""
    return hashlib.sha256(content).hexdigest()[:_HASH_CHARACTERS]
