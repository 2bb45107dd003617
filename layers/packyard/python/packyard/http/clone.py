"""The JSON body of `POST /packs/{id}/clone`."""

from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.visibility import VISIBILITY, stated_visibility
from packyard.packs.manifest.name import MAX_LENGTH, SLUG, PackName, parse_slug
from packyard.packs.pack import Visibility

_NAME: Final = Field(
    name="name",
    pattern=SLUG.pattern,
    max_length=MAX_LENGTH,
    example="our-slack",
    description="By default that of the pack that is cloned.",
)
CLONE: Final = Body(name="CloneRequest", description="What the copy is to be.", fields=(_NAME, VISIBILITY))


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneRequest:
    """The body of `POST /packs/{id}/clone`.

    Attributes:
        name: The name of the clone; None for the source's.
        visibility: The visibility of the clone.
    """

    name: PackName | None
    visibility: Visibility


def read_clone(event: APIGatewayProxyEvent) -> CloneRequest:
    """Return what a body asks for. By default, the clone has the source's name and the visibility `org`.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: The name or the visibility is not valid.
    """
    given = read_json(event, CLONE)
    faults: dict[str, str] = {}
    name = _name(given[_NAME.name], faults) if _NAME.name in given else None
    visibility = stated_visibility(given, faults)
    if faults:
        raise InvalidRequest(faults)
    return CloneRequest(name=name, visibility=visibility)


def _name(value: Any, faults: dict[str, str]) -> PackName | None:
    if not isinstance(value, str):
        faults[_NAME.name] = f'must be text, as in "{_NAME.example}"'
        return None
    try:
        return parse_slug(value)
    except ValueError as error:
        faults[_NAME.name] = str(error)
        return None
