"""The door for `skills` (npm), and the zips, which other doors lead to as well."""

import re
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.doors.agent_skills import skills_index
from packyard.doors.door import Door
from packyard.doors.served_pack import Catalogue
from packyard.errors import PackNotFound, RouteNotFound
from packyard.http.doors import NOT_KEPT, below_the_door, index_response
from packyard.http.entity_tags import ETAG
from packyard.operations.served_packs import Selection, ServedPacks

ZIPS: Final = "zips"
_FORM: Final = 1
_INDEX: Final = re.compile(r"(?:([^/]+)/)?\.well-known/agent-skills/index\.json")
_ZIP: Final = re.compile(rf"{ZIPS}/([^/]+\.zip)")


def agent_skills_response(
    event: APIGatewayProxyEvent, selection: Selection, *, served: ServedPacks
) -> Response[Any]:
    """Return an index, or 302 to a zip.

    Raises:
        RouteNotFound: Nothing has this path.
        PackNotFound: The index is of a pack that is not served here, or the zip is not one of the present ones.
        PayloadTooLarge, ServiceUnavailable: As for `index_response`.
    """
    path = below_the_door(event)
    if index := _INDEX.fullmatch(path):
        return _index(event, selection, index[1], served=served)
    if zipped := _ZIP.fullmatch(path):
        return _zip(selection, zipped[1], served=served)
    raise RouteNotFound


def _index(
    event: APIGatewayProxyEvent, selection: Selection, only: str | None, *, served: ServedPacks
) -> Response[Any]:
    def write(catalogue: Catalogue) -> bytes:
        packs = catalogue.fitting(Door.AGENT_SKILLS)
        if only is not None:
            packs = [pack for pack in packs if pack.flat_name == only]
            if not packs and not catalogue.pending:
                raise PackNotFound
        return skills_index(packs, zips=f"{'' if only is None else '../'}../../{ZIPS}")

    return index_response(event, selection, served=served, door=Door.AGENT_SKILLS, form=_FORM, write=write)


def _zip(selection: Selection, name: str, *, served: ServedPacks) -> Response[Any]:
    for pack in served.catalogue(selection).packs:
        if pack.zip_name == name and pack.zip is not None and pack.is_usable:
            headers = {"Location": served.zip_url(pack), ETAG: f'"{pack.zip.digest}"', **NOT_KEPT}
            return Response(HTTPStatus.FOUND, body="", headers=dict(headers))
    raise PackNotFound
