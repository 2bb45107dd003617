"""The reason of a withdrawal in requests."""

from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.packs.image_state import MAX_REASON_CHARACTERS, parse_reason

_REASON: Final = Field(
    name="reason",
    required=True,
    min_length=1,
    max_length=MAX_REASON_CHARACTERS,
    example="It has a password of the staging database.",
    description="Why, for your own organisation. Others do not see it.",
)
WITHDRAWAL: Final = Body(
    name="WithdrawalRequest", description="Why a revision is withdrawn.", fields=(_REASON,)
)


def read_reason(event: APIGatewayProxyEvent) -> str:
    """Return the reason of a body that has no other field.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not such an object; or on `reason`: it is no such text.
    """
    reason = parse_reason(read_json(event, WITHDRAWAL)[_REASON.name])
    if reason is None:
        raise InvalidRequest(
            {
                _REASON.name: f"must be a text of 1 to {MAX_REASON_CHARACTERS} characters, without control characters "
                "other than line feeds"
            }
        )
    return reason
