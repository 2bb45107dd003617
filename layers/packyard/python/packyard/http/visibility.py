"""Who may see a pack, as clients state it in forms and in JSON."""

from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.json_body import read_json
from packyard.packs.pack import Visibility

_FIELD: Final = "visibility"


def read_visibility(event: APIGatewayProxyEvent) -> Visibility:
    """Return the visibility that a body of this field alone asks for.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not such an object, or the visibility is not one we know.
    """
    given = read_json(event, fields=frozenset({_FIELD}), required={_FIELD: Visibility.COMMUNITY})
    faults: dict[str, str] = {}
    visibility = parse_visibility(given[_FIELD], faults)
    if faults:
        raise InvalidRequest(faults)
    return visibility


def parse_visibility(value: Any, faults: dict[str, str]) -> Visibility:
    """Return the visibility that `value` names, adding to `faults` under `visibility` when it names none."""
    try:
        return Visibility(value)
    except ValueError:
        faults[_FIELD] = (
            f"must be {Visibility.ORG} (only your organisation sees the pack) or {Visibility.COMMUNITY} (all do)"
        )
        return Visibility.ORG
