"""The JSON bodies that name an image: `POST /packs` and `PUT /packs/{id}`."""

from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.json_body import read_json
from packyard.http.visibility import parse_visibility
from packyard.oci.reference import Reference, parse_reference
from packyard.packs.pack import Visibility

_FIELD: Final = "image_ref"
_EXAMPLE: Final = "ghcr.io/acme/slack-pack:1.4.0"
_REQUIRED: Final = {_FIELD: _EXAMPLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a client posts to `/packs`."""

    reference: Reference
    visibility: Visibility


def read_registration(event: APIGatewayProxyEvent) -> Registration:
    """Return the image and the visibility, `org` unless given.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: The reference or the visibility is not valid.
    """
    given = read_json(event, fields=frozenset({_FIELD, "visibility"}), required=_REQUIRED)
    faults: dict[str, str] = {}
    reference = _reference(given[_FIELD], faults)
    visibility = parse_visibility(given.get("visibility", Visibility.ORG), faults)
    if reference is None or faults:
        raise InvalidRequest(faults)
    return Registration(reference=reference, visibility=visibility)


def read_replacement(event: APIGatewayProxyEvent) -> Reference:
    """Return the image that a pack is to have.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: The reference is not valid.
    """
    given = read_json(event, fields=frozenset({_FIELD}), required=_REQUIRED)
    faults: dict[str, str] = {}
    reference = _reference(given[_FIELD], faults)
    if reference is None:
        raise InvalidRequest(faults)
    return reference


def _reference(value: Any, faults: dict[str, str]) -> Reference | None:
    if not isinstance(value, str):
        faults[_FIELD] = f'must be text, as in "{_EXAMPLE}"'
        return None
    try:
        return parse_reference(value)
    except ValueError as error:
        faults[_FIELD] = str(error)
        return None
