"""The one way a function consumes a queue: each record on its own, failures reported one by one.

What is not settled stays in the queue and comes again, until the queue's `maxReceiveCount` sends it to the dead
letters. How long it waits is the message's own visibility timeout: nothing is sent anew, so that nothing can be lost.
What fails waits twice as long each time. What is held (`NotYet`) waits as long as it has to, and no less than what
fails would: each time counts towards `maxReceiveCount`, so no message may come again in quick succession.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.messaging.not_yet import NotYet

logger = Logger()

_FIRST_WAIT_SECONDS: Final = 30
_LONGEST_WAIT_SECONDS: Final = 3600
# SQS hides a message for twelve hours at most, counted from when it was received (API_ChangeMessageVisibility). It may
# have been received up to one visibility timeout and one run of the function before. What must wait longer than this
# comes early and is held again.
LONGEST_HOLD_SECONDS: Final = 11 * 3600

QueueHandler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def serve_queue(
    settle: Callable[[str], None],
    *,
    begins: Callable[[float], None],
    put_back: Callable[[str, int], None] | None = None,
    report_left: Callable[[str, datetime], None] | None = None,
) -> QueueHandler:
    """Return the Lambda handler of a queue's consumer.

    Args:
        settle: Takes one message's body; what it raises sends that message, and only that one, back to the queue.
            `NotYet` says that the message has not failed and when it can be settled.
        begins: Told before each message for how many seconds it may be worked on: its share of what is left, so that
            one that waits in vain takes no time from those behind it.
        put_back: Takes the receipt handle of a message and how many seconds to wait before it comes again. Without
            it, the queue's visibility timeout decides.
        report_left: Takes the body of a message that is left in the queue, held or failed, and when it was first sent.
    """
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def leave(record: SQSRecord, at_least: int) -> None:
        if report_left is not None:
            report_left(record.body, _sent_at(record))
        if put_back is not None:
            _wait(record, at_least, put_back)

    def settle_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
        done = len(processor.success_messages) + len(processor.fail_messages)
        begins(lambda_context.get_remaining_time_in_millis() / 1000 / (len(processor.records) - done))
        try:
            settle(record.body)
        except NotYet as held:
            logger.info("held", extra={"message_id": record.message_id, "until": held.until.isoformat()})
            leave(record, held.seconds)
            raise
        except Exception:
            logger.exception("left for a retry", extra={"message_id": record.message_id})
            leave(record, 0)
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


def _wait(record: SQSRecord, at_least: int, put_back: Callable[[str, int], None]) -> None:
    """Set the wait of a message that stays; when that cannot be done, the queue's visibility timeout stands."""
    attributes = record.raw_event.get("attributes") or {}
    handle, count = record.raw_event.get("receiptHandle"), attributes.get("ApproximateReceiveCount")
    # An event written by hand (`sam local invoke`) may lack either.
    if not handle or not str(count).isdecimal():
        return
    seconds = min(max(at_least, retry_wait_seconds(int(str(count)))), LONGEST_HOLD_SECONDS)
    try:
        put_back(handle, seconds)
    except Exception:
        logger.exception("the wait stays as it was", extra={"message_id": record.message_id})


def _sent_at(record: SQSRecord) -> datetime:
    """Return when a message was first sent; now, when an event written by hand does not say."""
    sent = str((record.raw_event.get("attributes") or {}).get("SentTimestamp"))
    return datetime.fromtimestamp(int(sent) / 1000, UTC) if sent.isdecimal() else datetime.now(UTC)
