"""The one way a function consumes a queue: each record on its own, failures reported one by one."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()

QueueHandler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def serve_queue(settle: Callable[[str], None]) -> QueueHandler:
    """Return the Lambda handler of a queue's consumer.

    Args:
        settle: Takes one message's body; what it raises sends that message, and only that one, back to the queue.
    """
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def settle_record(record: SQSRecord) -> None:
        try:
            settle(record.body)
        except Exception:
            logger.exception("left for a retry", extra={"message_id": record.message_id})
            raise

    @logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        response = process_partial_response(event, settle_record, processor, context)
        return dict(response)

    return handle
