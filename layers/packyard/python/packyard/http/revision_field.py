"""The revision of a pack that a request names."""

from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.http.json_body import whole_number

_FAULT: Final = "must be a whole number from 1, as GET /packs/{id}/revisions lists"
# DynamoDB holds larger numbers; a history's keys have ten digits.
MAX_REVISION: Final = 9_999_999_999
REVISION: Final = Field(
    name="revision",
    kind="integer",
    description="A revision of the pack; the present one by default.",
    minimum=1,
    maximum=MAX_REVISION,
    example=3,
)
# In paths.
NUMBER: Final = Field(
    name="n",
    kind="integer",
    required=True,
    description="The revision's number.",
    minimum=1,
    maximum=MAX_REVISION,
    example=3,
)


def is_revision(value: Any) -> bool:
    """Return whether a value of a JSON body can be a revision."""
    number = whole_number(value)
    return number is not None and 1 <= number <= MAX_REVISION


def read_revision(event: APIGatewayProxyEvent) -> int | None:
    """Return the revision that a query names; None if it names none.

    Raises:
        InvalidRequest: On `revision`: it is not a whole number from 1.
    """
    text = event.query_string_parameters.get(REVISION.name)
    return None if text is None else parse_revision(text, REVISION.name)


def parse_revision(text: str, field: str = REVISION.name) -> int:
    """Return the revision that a text in a path or a query is.

    Args:
        text: The text.
        field: The parameter's name, for the refusal.

    Raises:
        InvalidRequest: On `field`: it is not a whole number from 1.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_REVISION)) and int(text) >= 1):
        raise InvalidRequest({field: _FAULT})
    return int(text)
