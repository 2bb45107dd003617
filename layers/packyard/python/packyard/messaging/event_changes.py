"""The table's stream: the events that it tells of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()

_EVENTS: Final = "EVENTS#"
_INSERTED: Final = "INSERT"
StreamHandler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def items_of(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the items of the events among the records of the stream, in DynamoDB's own form and in their order."""
    return [
        record["dynamodb"]["NewImage"]
        for record in records
        if record["eventName"] == _INSERTED and record["dynamodb"]["Keys"]["PK"]["S"].startswith(_EVENTS)
    ]


def serve_events(
    settle: Callable[[Sequence[Mapping[str, Any]]], None], *, begins: Callable[[float, str], None]
) -> StreamHandler:
    """Return the Lambda handler of the stream's consumer that gets events.

    A batch is settled as a whole. If that fails, all of it comes again.

    Args:
        settle: Handles the items of some events, in their order.
        begins: Called at the start of each invocation with the seconds for which it may run, and its id.
    """

    @logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        begins(context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
        records = event["Records"]
        try:
            settle(items_of(records))
        except Exception:
            logger.exception("left for a retry", extra={"event_id": records[0].get("eventID")})
            return {"batchItemFailures": [{"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}]}
        return {"batchItemFailures": []}

    return handle
