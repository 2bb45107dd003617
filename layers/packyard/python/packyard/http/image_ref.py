"""The JSON bodies that name an image: `POST /packs` and `PUT /packs/{id}`."""

from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.visibility import VISIBILITY, stated_visibility
from packyard.oci.reference import Reference, parse_reference
from packyard.packs.pack import Visibility

_IMAGE_REF: Final = Field(
    name="image_ref",
    required=True,
    min_length=1,
    example="ghcr.io/acme/slack-pack:1.4.0",
    description="An image reference: `[registry/]repository[:tag][@digest]`.",
)
REGISTRATION: Final = Body(
    name="Registration", description="An image to make a pack of.", fields=(_IMAGE_REF, VISIBILITY)
)
REPLACEMENT: Final = Body(
    name="Replacement", description="Another tag or digest of the pack's image.", fields=(_IMAGE_REF,)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The body of `POST /packs`."""

    reference: Reference
    visibility: Visibility


def read_registration(event: APIGatewayProxyEvent) -> Registration:
    """Return the image and the visibility, which is `org` by default.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: The reference or the visibility is not valid.
    """
    given = read_json(event, REGISTRATION)
    faults: dict[str, str] = {}
    reference = _reference(given[_IMAGE_REF.name], faults)
    visibility = stated_visibility(given, faults)
    if reference is None or faults:
        raise InvalidRequest(faults)
    return Registration(reference=reference, visibility=visibility)


def read_replacement(event: APIGatewayProxyEvent) -> Reference:
    """Return the new image of a pack.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: The reference is not valid.
    """
    given = read_json(event, REPLACEMENT)
    faults: dict[str, str] = {}
    reference = _reference(given[_IMAGE_REF.name], faults)
    if reference is None:
        raise InvalidRequest(faults)
    return reference


def _reference(value: Any, faults: dict[str, str]) -> Reference | None:
    if not isinstance(value, str):
        faults[_IMAGE_REF.name] = f'must be text, as in "{_IMAGE_REF.example}"'
        return None
    try:
        return parse_reference(value)
    except ValueError as error:
        faults[_IMAGE_REF.name] = str(error)
        return None
