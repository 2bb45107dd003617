"""The door for runtimes and for sites without a network: the bundle of a role."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import JSON, json_response
from packyard.http.doors import NOT_KEPT
from packyard.http.entity_tags import ETAG, is_known, not_modified
from packyard.operations.served_packs import Selection
from packyard.packs.lock import lock_tag
from packyard.packs.role import Role
from packyard.tenants.caller import Caller

if TYPE_CHECKING:
    # Asking for the lock does without what reads images.
    from packyard.operations.bundle import BundleFinder

_WAIT_SECONDS = 5


def role_of(selection: Selection) -> Role:
    """Return the role that a feed serves.

    Raises:
        InvalidRequest: On `feed`: it serves a list of packs.
    """
    if selection.role is None:
        raise InvalidRequest(
            {"feed": "serves a list of packs, and a lock is of a role; make a feed of a role"}
        )
    return selection.role


def bundle_response(
    role: Role, event: APIGatewayProxyEvent, *, caller: Caller, bundles: "BundleFinder"
) -> Response[Any]:
    """Return 302 to the bundle, or 202 while it is made; 304 for a client that has it.

    Raises:
        InvalidRequest, PayloadTooLarge, ServiceUnavailable: As for `BundleFinder.url`.
    """
    decided = lock_tag(role, with_files=True)
    tag = f'"{decided}.bundle"'
    if decided is not None and is_known(event, tag):
        return not_modified(tag, content_type=JSON)
    url = bundles.url(role, caller=caller)
    if url is None:
        waiting = {"Retry-After": str(_WAIT_SECONDS), **NOT_KEPT}
        return json_response(HTTPStatus.ACCEPTED, {"status": "being_made"}, waiting)
    return Response(HTTPStatus.FOUND, body="", headers={"Location": url, ETAG: tag, **NOT_KEPT})
