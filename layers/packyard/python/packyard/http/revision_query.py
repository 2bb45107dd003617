"""The revision of a pack that a query names."""

from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field

_DIGITS: Final = 10
REVISION: Final = Field(
    name="revision",
    kind="integer",
    description="A revision of the pack; the present one by default.",
    minimum=1,
    example=3,
)


def read_revision(event: APIGatewayProxyEvent) -> int | None:
    """Return the revision that a query names; None if it names none.

    Raises:
        InvalidRequest: On `revision`: it is not a whole number from 1.
    """
    text = event.query_string_parameters.get(REVISION.name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) >= 1):
        raise InvalidRequest(
            {REVISION.name: "must be a whole number from 1, as GET /packs/{id}/revisions lists"}
        )
    return int(text)
