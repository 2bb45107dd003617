"""Lock documents in requests and answers."""

import hashlib
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import JSON
from packyard.http.entity_tags import ETAG, is_known, not_modified
from packyard.http.fields import Field
from packyard.http.inline_limit import MAX_INLINE_BYTES
from packyard.operations.lock import LockReader
from packyard.packs.lock import lock_tag
from packyard.packs.role import Role
from packyard.tenants.caller import Caller

FILES: Final = Field(
    name="files",
    kind="boolean",
    default=False,
    description="Whether to list the files of packs that were built here, each with its digest.",
)
QUERY: Final = (FILES,)
_FILES: Final = {None: False, "false": False, "true": True}


def lock_response(
    role_id: str, event: APIGatewayProxyEvent, *, caller: Caller, locks: LockReader, role: Role | None = None
) -> Response[Any]:
    """Return a role's lock document, or 304, or 302 to a document that is too large for an answer.

    Args:
        role_id: The role.
        event: The gateway's event.
        caller: Whose role it is.
        locks: Reads roles and their documents.
        role: The role, if it has been read.

    Raises:
        InvalidRequest: On `files`: it is neither `true` nor `false`.
        RoleNotFound, RegistryUnavailable, ServiceUnavailable: As for `LockReader`.
    """
    given = (event.query_string_parameters or {}).get(FILES.name)
    if given not in _FILES:
        raise InvalidRequest({FILES.name: "must be true or false"})
    with_files = _FILES[given]
    role = role or locks.role(role_id, caller=caller)
    known = lock_tag(role, with_files=with_files)
    if known is not None and is_known(event, f'"{known}"'):
        return not_modified(f'"{known}"', content_type=JSON)
    content = locks.read(role, with_files=with_files, caller=caller)
    tag = known or hashlib.sha256(content).hexdigest()
    headers = {ETAG: f'"{tag}"'}
    if len(content) <= MAX_INLINE_BYTES:
        return Response(200, JSON, content.decode(), dict(headers))
    headers |= {"Location": locks.url(role, tag, content), "Cache-Control": "private, no-store"}
    return Response(302, body="", headers=dict(headers))
