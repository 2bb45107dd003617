"""The JSON bodies that name an image: `POST /packs` and `PUT /packs/{id}`."""

import json
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.revision_field import REVISION, is_revision
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
_BACK_TO: Final = REVISION._replace(description="The revision whose image the pack goes back to.")
REPLACEMENT: Final = Body(
    name="Replacement",
    description="Another tag or digest of the pack's image, or the revision whose image the pack goes back to.",
    fields=(_IMAGE_REF._replace(required=False), _BACK_TO),
    one_of=(_IMAGE_REF.name, _BACK_TO.name),
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


def read_replacement(event: APIGatewayProxyEvent) -> Reference | int:
    """Return the new image of a pack, or the revision whose image it is.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: The reference or the revision is not valid, or both are given, or none.
    """
    given = read_json(event, REPLACEMENT)
    if len(given) > 1:
        raise InvalidRequest({_BACK_TO.name: f"goes without {_IMAGE_REF.name}; send one of them"})
    if _BACK_TO.name in given:
        revision = given[_BACK_TO.name]
        if not is_revision(revision):
            raise InvalidRequest({_BACK_TO.name: f"must be a whole number from 1, as in {_BACK_TO.example}"})
        return int(revision)
    faults: dict[str, str] = {}
    if _IMAGE_REF.name not in given:
        example = json.dumps({_IMAGE_REF.name: _IMAGE_REF.example})
        advice = f"or a revision to go back to, as in {json.dumps({_BACK_TO.name: _BACK_TO.example})}"
        raise InvalidRequest({_IMAGE_REF.name: f"send it, as in {example}; {advice}"})
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
