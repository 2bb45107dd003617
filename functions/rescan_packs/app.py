"""Run by a schedule: scans images again whose results are due."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.composition import bootstrap

logger = Logger()
bootstrap.prepare(lambda services: services.rescanner)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int | bool]:
    """Scan as many as there is time for. The schedule's event is not used."""
    bootstrap.invocation_begins(context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
    walked = bootstrap.services().rescanner.walk()
    return {"scanned": walked.scanned, "withdrawn": walked.withdrawn, "more": walked.more}
