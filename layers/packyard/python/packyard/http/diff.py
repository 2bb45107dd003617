"""GET /packs/{id}/diff in requests and answers."""

from typing import Any, Final, NamedTuple

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.http.large_json import AS, json_answer, read_as
from packyard.http.revision_field import MAX_REVISION, parse_revision
from packyard.operations.comparison import Comparison
from packyard.operations.file_views import change_view, file_view
from packyard.operations.files import PackFiles

_FROM: Final = Field(
    name="from",
    kind="integer",
    required=True,
    description="The revision to compare with.",
    minimum=1,
    maximum=MAX_REVISION,
    example=3,
)
_TO: Final = Field(
    name="to",
    kind="integer",
    description="The revision to compare; the present one by default. It may be the earlier one.",
    minimum=1,
    maximum=MAX_REVISION,
    example=4,
)
QUERY: Final = (_FROM, _TO, AS)


class AskedDiff(NamedTuple):
    """The revisions to compare.

    Attributes:
        before: The one.
        after: The other one; None for the present one.
    """

    before: int
    after: int | None


def read_diff(event: APIGatewayProxyEvent) -> AskedDiff:
    """Return the revisions that a query names.

    Raises:
        InvalidRequest: On `from`, `to` or `as`: it is missing, or not one of its values.
    """
    given = event.query_string_parameters or {}
    read_as(event)
    if _FROM.name not in given:
        raise InvalidRequest(
            {
                _FROM.name: "is required: the number of a revision, as in ?from=3&to=4; "
                "GET /packs/{id}/revisions lists them"
            }
        )
    to = given.get(_TO.name)
    return AskedDiff(
        parse_revision(given[_FROM.name], _FROM.name), None if to is None else parse_revision(to, _TO.name)
    )


def diff_response(found: Comparison, event: APIGatewayProxyEvent, *, files: PackFiles) -> Response[str]:
    """Return what differs between two revisions, or a short-lived URL of it if it is too large for an answer."""
    body: dict[str, Any] = {
        "from": found.before.revision,
        "to": found.after.revision,
        "manifest": found.manifest,
        "capabilities": found.capabilities.shown(),
    }
    if found.files is None:
        body["files_unknown"] = found.unknown
    else:
        body["files"] = {
            "added": [file_view(file) for file in found.files.added],
            "removed": [file_view(file) for file in found.files.removed],
            "changed": [change_view(*pair) for pair in found.files.changed],
        }
    if found.bump is not None:
        body["bump"] = found.bump
    return json_answer(body, event, name="diff.json", files=files)
