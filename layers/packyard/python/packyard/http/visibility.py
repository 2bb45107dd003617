"""The visibility of a pack, in forms and in JSON bodies."""

from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.packs.pack import Visibility

VISIBILITY: Final = Field(name="visibility", values=Visibility, default=Visibility.ORG)
VISIBILITY_CHANGE: Final = Body(
    name="VisibilityChange",
    description="Who may see the pack.",
    fields=(Field(name="visibility", values=Visibility, required=True, example=Visibility.COMMUNITY),),
)


def read_visibility(event: APIGatewayProxyEvent) -> Visibility:
    """Return the visibility of a body that has no other field.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not such an object, or the visibility is unknown.
    """
    given = read_json(event, VISIBILITY_CHANGE)
    faults: dict[str, str] = {}
    visibility = parse_visibility(given[VISIBILITY.name], faults)
    if faults:
        raise InvalidRequest(faults)
    return visibility


def stated_visibility(given: Mapping[str, Any], faults: dict[str, str]) -> Visibility:
    """Return the visibility that a body's fields state; `org` by default. Add to `faults` when it is unknown."""
    return parse_visibility(given.get(VISIBILITY.name, VISIBILITY.default), faults)


def parse_visibility(value: Any, faults: dict[str, str]) -> Visibility:
    """Return the visibility that `value` names. When it names none, add to `faults` under `visibility`."""
    try:
        return Visibility(value)
    except ValueError:
        faults[VISIBILITY.name] = (
            f"must be {Visibility.ORG} (only your organisation sees the pack) or {Visibility.COMMUNITY} (all do)"
        )
        return Visibility.ORG
