"""Agent roles in requests and answers."""

from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.packs.manifest.name import nearest_slug
from packyard.packs.pack import PACK_ID, is_pack_id
from packyard.packs.precondition import revision_tag
from packyard.packs.role import MAX_PACKS, ROLE_ID, Role, is_role_id

_EXAMPLE: Final = "pack_01JQ2V7N3T5W8XABCDEFGHJKMN"
_PACK_IDS: Final = Field(
    name="pack_ids",
    kind="array",
    required=True,
    items=Field(
        name="id",
        pattern=PACK_ID.pattern,
        example=_EXAMPLE,
        description="Never reused; survives every update.",
    ),
    max_items=MAX_PACKS,
    example=[_EXAMPLE],
)
ROLE_ASSIGNMENT: Final = Body(
    name="RoleAssignment", description="All packs that a role is to have.", fields=(_PACK_IDS,)
)
ROLE: Final = Field(
    name="role_id", required=True, pattern=ROLE_ID.pattern, example="support-agent", description="The role."
)


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


def read_pack_ids(event: APIGatewayProxyEvent) -> tuple[str, ...]:
    """Return the packs' ids that a body lists, in its order.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not an object of `pack_ids`, or that is not a list of at most 49 ids, each once.
    """
    pack_ids = read_json(event, ROLE_ASSIGNMENT)[_PACK_IDS.name]
    fault = _fault(pack_ids)
    if fault is not None:
        raise InvalidRequest({_PACK_IDS.name: fault})
    return tuple(pack_ids)


def _fault(pack_ids: Any) -> str | None:
    if not isinstance(pack_ids, list):
        return f'must be a list of ids of packs, as in ["{_EXAMPLE}"]; an empty one takes all packs from the role'
    if len(pack_ids) > MAX_PACKS:
        return f"must be at most {MAX_PACKS} packs; this has {len(pack_ids)}"
    for number, pack_id in enumerate(pack_ids, 1):
        if not isinstance(pack_id, str):
            return f'entry {number} is not text; list the ids alone, as in ["{_EXAMPLE}"]'
        if not is_pack_id(pack_id):
            return f"entry {number} is not the id of a pack; ids begin with pack_, and GET /packs?q=NAME finds them"
        if pack_id in pack_ids[: number - 1]:
            return f"entry {number} repeats {pack_id}; list each pack once"
    return None


def role_response(role: Role) -> Response[str]:
    """Return a role as its organisation sees it, with its revision as the entity tag."""
    body = {"role_id": role.role_id, "revision": role.revision, "pack_ids": role.pack_ids}
    return json_response(200, body, {ETAG: revision_tag(role.revision)})
