"""Run by a schedule: measures how many packs wait for their deletion."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.composition import bootstrap
from packyard.operations.backlog import measure_backlog

logger = Logger()
bootstrap.prepare(lambda services: services.deletions)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Measure once. The schedule's event is not used."""
    bootstrap.invocation_begins(context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
    services = bootstrap.services()
    backlog = measure_backlog(services.deletions, now=services.clock())
    return {"pending_deletions": backlog.count}
