"""The JSON body of `POST /packs/{id}/clone`."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.json_body import read_json
from packyard.http.visibility import parse_visibility
from packyard.packs.manifest.name import PackName, parse_slug
from packyard.packs.pack import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneRequest:
    """What a client asks of a clone.

    Attributes:
        name: None for the source's.
        visibility: Who may see it.
    """

    name: PackName | None
    visibility: Visibility


def read_clone(event: APIGatewayProxyEvent) -> CloneRequest:
    """Return what a body states; without one, the clone has the source's name and the visibility `org`.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: The name or the visibility is not valid.
    """
    given = read_json(event, fields=frozenset({"name", "visibility"}))
    faults: dict[str, str] = {}
    name = _name(given["name"], faults) if "name" in given else None
    visibility = parse_visibility(given.get("visibility", Visibility.ORG), faults)
    if faults:
        raise InvalidRequest(faults)
    return CloneRequest(name=name, visibility=visibility)


def _name(value: Any, faults: dict[str, str]) -> PackName | None:
    if not isinstance(value, str):
        faults["name"] = 'must be text, as in "our-slack"'
        return None
    try:
        return parse_slug(value)
    except ValueError as error:
        faults["name"] = str(error)
        return None
