"""Retention policies in requests and answers."""

from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json, whole_number
from packyard.packs.retention import MAX_KEPT, retention_tag

_KEEP: Final = Field(
    name="keep",
    kind="integer",
    required=True,
    nullable=True,
    minimum=1,
    maximum=MAX_KEPT,
    example=20,
    description="How many of the newest revisions are kept in any case; null for all. The content of older ones is "
    "deleted unless a role pins it.",
)
RETENTION: Final = Body(name="RetentionPolicy", description="What is kept of a pack.", fields=(_KEEP,))


def read_keep(event: APIGatewayProxyEvent) -> int | None:
    """Return how many revisions a body keeps; None for all.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not such an object; or on `keep`: it is neither such a number nor null.
    """
    given = read_json(event, RETENTION)[_KEEP.name]
    number = whole_number(given)
    if given is not None and (number is None or not 1 <= number <= MAX_KEPT):
        raise InvalidRequest(
            {_KEEP.name: f"must be a whole number from 1 to {MAX_KEPT}, or null to keep all"}
        )
    return number


def retention_response(keep: int | None) -> Response[str]:
    """Return a policy with its entity tag."""
    return json_response(200, {"keep": keep}, {ETAG: f'"{retention_tag(keep)}"'})
