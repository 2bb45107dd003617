"""The deletion of a revision's content in requests and answers."""

from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.http.fields import Field
from packyard.http.query import read_flag
from packyard.packs.image_state import Removal

FORCE: Final = Field(
    name="force",
    kind="boolean",
    description="`true`: delete it although roles pin it. This counts from 24 hours after its withdrawal on.",
)
QUERY: Final = (FORCE,)


def read_force(event: APIGatewayProxyEvent) -> bool:
    """Return whether pins are not to hold the revision.

    Raises:
        InvalidRequest: `force` is neither true nor false.
    """
    return read_flag(event, FORCE)


def deletion_view(removal: Removal) -> dict[str, Any]:
    """Return what has been deleted, and where the same content may still be."""
    view: dict[str, Any] = {
        "status": "deleted",
        "also_in": removal.also_in,
        "clones": removal.clones,
    }
    return view | ({"not_compared": removal.not_compared} if removal.not_compared else {})
