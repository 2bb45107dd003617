"""The query parameter `dry_run`, and the answer to a request that has it."""

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.http.app import json_response
from packyard.http.fields import Field
from packyard.http.query import read_flag

if TYPE_CHECKING:
    # Only dry runs load what reads indexes of files.
    from packyard.operations.outcome import Outcome

DRY_RUN: Final = Field(
    name="dry_run",
    kind="boolean",
    description="`true`: make every check and build the image, answer 200 with what would come, and keep nothing. An "
    "`Idempotency-Key` is then ignored.",
)
QUERY: Final = (DRY_RUN,)


def read_dry_run(event: APIGatewayProxyEvent) -> bool:
    """Return whether a request is a dry run.

    Raises:
        InvalidRequest: `dry_run` is neither true nor false. A value that is misread would write.
    """
    return read_flag(event, DRY_RUN)


def dry_run_response(outcome: "Outcome") -> Response[str]:
    """Return what a request would do."""
    return json_response(200, outcome.document())
