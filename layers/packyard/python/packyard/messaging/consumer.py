"""The one way a function consumes a queue: each record on its own, failures reported one by one.

What fails comes again, after a wait that doubles each time, until the queue's `maxReceiveCount` sends it to the dead
letters. The wait is the message's own visibility timeout, so that nothing is sent anew and nothing can be lost.
"""

from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()

_FIRST_WAIT_SECONDS: Final = 30
_LONGEST_WAIT_SECONDS: Final = 3600

QueueHandler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def serve_queue(
    settle: Callable[[str], None],
    *,
    begins: Callable[[float], None],
    put_back: Callable[[str, int], None] | None = None,
) -> QueueHandler:
    """Return the Lambda handler of a queue's consumer.

    Args:
        settle: Takes one message's body; what it raises sends that message, and only that one, back to the queue.
        begins: Told before each message for how many seconds it may be worked on: its share of what is left, so that
            one that waits in vain takes no time from those behind it.
        put_back: Takes the receipt handle of a message and how many seconds to wait before it comes again. Without
            it, the queue's visibility timeout decides.
    """
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def settle_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
        done = len(processor.success_messages) + len(processor.fail_messages)
        begins(lambda_context.get_remaining_time_in_millis() / 1000 / (len(processor.records) - done))
        try:
            settle(record.body)
        except Exception:
            logger.exception("left for a retry", extra={"message_id": record.message_id})
            if put_back is not None:
                _wait_longer(record, put_back)
            raise

    @logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        response = process_partial_response(event, settle_record, processor, context)
        return dict(response)

    return handle


def retry_wait_seconds(receive_count: int) -> int:
    """Return how long a message that failed waits: half a minute, doubled for every time before, at most an hour.

    Args:
        receive_count: How often it has been received, this time included.
    """
    # Beyond the twelfth time, doubling changes nothing.
    return min(_FIRST_WAIT_SECONDS << min(max(receive_count, 1), 12) - 1, _LONGEST_WAIT_SECONDS)


def _wait_longer(record: SQSRecord, put_back: Callable[[str, int], None]) -> None:
    """Set the wait of a message that failed; when that cannot be done, the queue's visibility timeout stands."""
    attributes = record.raw_event.get("attributes") or {}
    handle, count = record.raw_event.get("receiptHandle"), attributes.get("ApproximateReceiveCount")
    # An event written by hand (`sam local invoke`) may lack either.
    if not handle or not str(count).isdecimal():
        return
    try:
        put_back(handle, retry_wait_seconds(int(str(count))))
    except Exception:
        logger.exception("the wait stays as it was", extra={"message_id": record.message_id})
