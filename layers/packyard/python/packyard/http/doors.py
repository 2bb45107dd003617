"""What the doors have in common: where a request has come in, and answers that hold what a role or a feed serves.

A door is below `/doors/roles/{role_id}/` for clients that send a credential, and below `/f/{secret}/` for those that
cannot. What follows is the client's own, so that an unknown parameter in its query is no fault.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.doors.door import Door
from packyard.doors.served_pack import Catalogue
from packyard.errors import PayloadTooLarge
from packyard.http.app import JSON
from packyard.http.entity_tags import ETAG, is_known, not_modified
from packyard.http.fields import Field
from packyard.http.inline_limit import MAX_INLINE_BYTES
from packyard.http.own_url import link_base
from packyard.operations.served_packs import Selection, ServedPacks

SECRET: Final = Field(
    name="secret",
    required=True,
    example="pyf_n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    description="The secret of a feed, from the answer that made it.",
)
# An answer that leads somewhere for five minutes, or that lacks what will be there in seconds.
NOT_KEPT: Final = {"Cache-Control": "private, no-store"}
_BASE: Final = re.compile(r"(/doors/roles/[^/]+|/f/[^/]+)/(.*)", re.DOTALL)


def below_the_door(event: APIGatewayProxyEvent) -> str:
    """Return what of a request's path follows the role or the secret, without a slash at its start."""
    found = _BASE.fullmatch(_operation_path(event))
    return "" if found is None else found[2]


def address_of(event: APIGatewayProxyEvent) -> str:
    """Return the client's address, as the gateway states it; empty if it does not."""
    identity = event["requestContext"].get("identity") or {}
    return str(identity.get("sourceIp", ""))


def door_url(event: APIGatewayProxyEvent, *, public_url: str) -> str:
    """Return the URL by which the client knows the role or the feed, without a slash at its end.

    Args:
        event: The gateway's event.
        public_url: The deployment's URL, where clients know it by another one than the gateway does; else empty.
    """
    path = _operation_path(event)
    found = _BASE.fullmatch(path)
    base = path if found is None else found[1]
    return f"{link_base(event, public_url=public_url, path=path)}{base}"


def index_response(  # noqa: PLR0913 - by name: what is asked for, and how it is made
    event: APIGatewayProxyEvent,
    selection: Selection,
    *,
    served: ServedPacks,
    door: Door,
    form: int,
    write: Callable[[Catalogue], bytes],
) -> Response[str]:
    """Return the index that a door makes of a catalogue, or 304 after no further read.

    An index that lacks what is still being prepared has no lasting tag, and is not kept by anybody.

    Args:
        event: The gateway's event.
        selection: What is served.
        served: Finds the catalogue.
        door: Which door it is.
        form: Of what it writes: one more when that changes.
        write: Returns the index of a catalogue.

    Raises:
        PayloadTooLarge: The index would be too large for an answer.
        ServiceUnavailable: A backing service did not answer.
    """
    tag = None if selection.tag is None else f'"{selection.tag}.{door}{form}"'
    if tag is not None and is_known(event, tag):
        return not_modified(tag, content_type=JSON)
    catalogue = served.catalogue(selection)
    body = write(catalogue)
    if len(body) > MAX_INLINE_BYTES:
        raise PayloadTooLarge(
            f"This index would be over {MAX_INLINE_BYTES} bytes, the most for an answer; serve fewer packs, or use the "
            "index of one pack."
        )
    if tag is None or catalogue.pending:
        return Response(HTTPStatus.OK, JSON, body.decode(), dict(NOT_KEPT))
    return Response(HTTPStatus.OK, JSON, body.decode(), {ETAG: tag})


def _operation_path(event: APIGatewayProxyEvent) -> str:
    """Return the path below the stage, or below the base path of the organisations' hosts."""
    return event.path.removeprefix("/v1")
