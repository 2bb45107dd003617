"""The door for Claude Code: the plugin marketplace."""

from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.doors.door import Door
from packyard.doors.marketplace import marketplace, marketplace_name
from packyard.doors.served_pack import Catalogue
from packyard.http.agent_skills import ZIPS
from packyard.http.doors import door_url, index_response
from packyard.operations.served_packs import Selection, ServedPacks

_FORM: Final = 1


def marketplace_response(
    event: APIGatewayProxyEvent, selection: Selection, *, served: ServedPacks, public_url: str
) -> Response[str]:
    """Return the marketplace.

    Raises:
        PayloadTooLarge, ServiceUnavailable: As for `index_response`.
    """
    owner = selection.caller.org_slug
    zips = f"{door_url(event, public_url=public_url)}/{ZIPS}"

    def write(catalogue: Catalogue) -> bytes:
        name = marketplace_name(owner, selection.name)
        return marketplace(catalogue.fitting(Door.MARKETPLACE), name=name, owner=owner, zips=zips)

    return index_response(event, selection, served=served, door=Door.MARKETPLACE, form=_FORM, write=write)
