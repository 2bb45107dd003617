"""Answers of JSON that may be too large for the gateway: then a short-lived URL leads to them (contract, section 1)."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import JSON, json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Field
from packyard.http.inline_limit import MAX_INLINE_BYTES
from packyard.operations.files import PackFiles

_URL: Final = "url"
AS: Final = Field(
    name="as",
    values=(_URL,),
    description="`url`: answer 200 with a short-lived URL of the body and its digest, whatever its size.",
)
# Everybody who has the URL can read the body, so that no cache may share it.
_NOT_SHARED: Final = {"Cache-Control": "private, no-store"}


def read_as(event: APIGatewayProxyEvent) -> bool:
    """Return whether a query asks for a URL in place of the body.

    Raises:
        InvalidRequest: On `as`: it is something other than `url`.
    """
    given = (event.query_string_parameters or {}).get(AS.name)
    if given not in (None, _URL):
        raise InvalidRequest({AS.name: "must be url, or left out"})
    return given == _URL


def json_answer(
    body: Mapping[str, Any],
    event: APIGatewayProxyEvent,
    *,
    name: str,
    files: PackFiles,
    tag: str | None = None,
) -> Response[str]:
    """Return a body; or, if it is over 4.3 MiB or the query asks for it, a short-lived URL of it.

    Args:
        body: The body.
        event: The gateway's event.
        name: The name under which a browser saves the body.
        files: Where large bodies are staged.
        tag: The entity tag, with its quotes; None for one that is made of the body.

    Raises:
        InvalidRequest: See `read_as`.
        ServiceUnavailable: S3 did not answer.
    """
    wants_url = read_as(event)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    content = text.encode()
    if len(content) <= MAX_INLINE_BYTES and not wants_url:
        return Response(200, JSON, text, {} if tag is None else {ETAG: tag})
    sha256 = hashlib.sha256(content).hexdigest()
    download = files.stage_text(sha256, content)
    url = files.downloads.url(download, content_type=JSON, disposition=attached(name))
    if wants_url:
        return json_response(200, {"url": url, "digest": f"sha256:{sha256}"}, _NOT_SHARED)
    # API Gateway takes only answers whose body is a string.
    headers = {"Location": url, **_NOT_SHARED, ETAG: tag or f'"{sha256}"'}
    return Response(302, body="", headers=dict(headers))


def attached(path: str) -> str:
    """Return the header that makes a browser save a file (RFC 6266; its name encoded as RFC 8187 has it)."""
    return f"attachment; filename*=UTF-8''{quote(PurePosixPath(path).name, safe='')}"
