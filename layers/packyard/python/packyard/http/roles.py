"""Agent roles in requests and answers."""

from typing import Any, Final, NamedTuple

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.role_fields import (
    ACCEPT,
    EXAMPLE_ID,
    PACK_IDS,
    PACKS,
    read_accepted,
    read_entries,
    read_ids,
)
from packyard.http.views import deprecation_view
from packyard.operations.role_plan import Wish
from packyard.packs.image_state import ImageStatus
from packyard.packs.manifest.name import nearest_slug
from packyard.packs.precondition import role_tag
from packyard.packs.role import ROLE_ID, RolePack, RoleState, is_role_id

ROLE_ASSIGNMENT: Final = Body(
    name="RoleAssignment",
    description="All packs that a role is to have: by their ids, or each with where it is pinned.",
    fields=(PACK_IDS, PACKS, ACCEPT),
    one_of=(PACK_IDS.name, PACKS.name),
)
REFRESH: Final = Body(
    name="RoleRefresh",
    description="Which pins are to move; all without `pack_ids`.",
    fields=(PACK_IDS, ACCEPT),
)
ROLE: Final = Field(
    name="role_id", required=True, pattern=ROLE_ID.pattern, example="support-agent", description="The role."
)


class Assignment(NamedTuple):
    """The packs that a role is to have.

    Attributes:
        wishes: In the order wanted.
        accepts: By pack, the revision whose capabilities the client accepts.
    """

    wishes: tuple[Wish, ...]
    accepts: dict[str, int]


class Refresh(NamedTuple):
    """The pins that are to move.

    Attributes:
        pack_ids: Of these packs; None for all.
        accepts: As for `Assignment`.
    """

    pack_ids: tuple[str, ...] | None
    accepts: dict[str, int]


def require_role_id(text: str) -> None:
    """Check that a path names a role.

    Raises:
        InvalidRequest: On `role_id`.
    """
    if not is_role_id(text):
        near = nearest_slug(text)
        hint = f", such as {near}" if near else ""
        raise InvalidRequest(
            {ROLE.name: f"must be 1 to 128 of A-Z, a-z, 0-9, _, . and -, the first a letter or a digit{hint}"}
        )


def read_assignment(event: APIGatewayProxyEvent) -> Assignment:
    """Return the packs that a body lists, in its order.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body has neither `pack_ids` nor `packs`, or both, or one of its fields is wrong.
    """
    given = read_json(event, ROLE_ASSIGNMENT)
    if (PACK_IDS.name in given) == (PACKS.name in given):
        what = "give only one of pack_ids and packs" if PACKS.name in given else "give pack_ids or packs"
        raise InvalidRequest({PACK_IDS.name: f'{what}, as in {{"pack_ids": ["{EXAMPLE_ID}"]}}'})
    accepts = read_accepted(given)
    if PACKS.name in given:
        return Assignment(read_entries(given[PACKS.name]), accepts)
    return Assignment(tuple(Wish(pack_id) for pack_id in read_ids(given[PACK_IDS.name])), accepts)


def read_refresh(event: APIGatewayProxyEvent) -> Refresh:
    """Return which pins a body names.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: One of its fields is wrong.
    """
    given = read_json(event, REFRESH)
    accepts = read_accepted(given)
    return Refresh(read_ids(given[PACK_IDS.name]) if PACK_IDS.name in given else None, accepts)


def role_response(state: RoleState) -> Response[str]:
    """Return a role as its organisation sees it, with its revision in the entity tag."""
    body = role_view(state)
    headers = {ETAG: role_tag(state.role.revision, _changing(state))}
    return json_response(200, body | ({"more": True} if state.more else {}), headers)


def role_view(state: RoleState) -> dict[str, Any]:
    """Return a role: its packs, where they are pinned, and which of them are stale."""
    return {
        "role_id": state.role.role_id,
        "revision": state.role.revision,
        "pack_ids": state.role.pack_ids,
        "packs": [_pack_view(pack) for pack in state.packs],
    }


def _pack_view(pack: RolePack) -> dict[str, Any]:
    pin = pack.pin
    fields: dict[str, Any] = {
        "id": pin.pack_id,
        "name": pin.name,
        "owner": pin.owner,
        "alias": pin.alias,
        "version": pin.version,
        "revision": pin.revision,
        "image_ref": pin.image_ref,
        "image_digest": pin.image_digest,
        "content_digest": pin.content_digest,
        "follow": pin.follow,
        "stale": pack.stale,
        "status": pack.status.value,
        "deprecated": deprecation_view(pack.deprecated),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _changing(state: RoleState) -> list[Any]:
    """Return what an answer says that can change without a new revision of the role."""
    return [
        _pack_view(pack)
        for pack in state.packs
        if pack.stale or pack.floating or pack.deprecated or pack.status is not ImageStatus.ACTIVE
    ]
