"""The common Lambda handler of all queue consumers. Each message succeeds or fails on its own.

A message that was not settled stays in the queue and is delivered again, until the queue's `maxReceiveCount` moves it
to the dead-letter queue. The wait until then is set by changing the message's visibility timeout. No message is sent
again, so none can be lost. A message that failed waits twice as long each time. A message that is held (`NotYet`) waits
as long as it must, but at least as long as a failed one would: every delivery counts towards `maxReceiveCount`, so
messages must not be delivered in quick succession.
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
# SQS hides a message for at most twelve hours after it was received (API_ChangeMessageVisibility). It may have been
# received up to one visibility timeout and one invocation ago, so this is shorter. A message that must wait longer is
# delivered early and held again.
LONGEST_HOLD_SECONDS: Final = 11 * 3600

QueueHandler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def serve_queue(
    settle: Callable[[str], None],
    *,
    begins: Callable[[float, str], None],
    put_back: Callable[[str, int], None] | None = None,
    report_left: Callable[[str, datetime], None] | None = None,
) -> QueueHandler:
    """Return the Lambda handler of a queue's consumer.

    Args:
        settle: Handles one message; its argument is the body. If it raises, that message stays in the queue, and the
            others are still handled. `NotYet` means that the message has not failed and can be settled later.
        begins: Called before each message with the seconds that it may take, and the invocation's id. The seconds are
            an equal share of the time left, so that one slow message takes no time from the following ones.
        put_back: Called for a message that stays, with its receipt handle and the seconds until it is to be delivered
            again. Without this function, the queue's own visibility timeout applies.
        report_left: Called for a message that stays, held or failed, with its body and the time when it was first sent.
    """
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def leave(record: SQSRecord, at_least: int) -> None:
        if report_left is not None:
            report_left(record.body, _sent_at(record))
        if put_back is not None:
            _wait(record, at_least, put_back)

    def settle_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
        done = len(processor.success_messages) + len(processor.fail_messages)
        share = lambda_context.get_remaining_time_in_millis() / 1000 / (len(processor.records) - done)
        begins(share, lambda_context.aws_request_id)
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
    """Return how many seconds a failed message waits: 30 at first, doubled for each earlier delivery, at most 3,600.

    Args:
        receive_count: How often the message has been received, including this time.
    """
    # The bound of 12 keeps the shift small. The limit of an hour is reached before that.
    return min(_FIRST_WAIT_SECONDS << min(max(receive_count, 1), 12) - 1, _LONGEST_WAIT_SECONDS)


def _wait(record: SQSRecord, at_least: int, put_back: Callable[[str, int], None]) -> None:
    """Set the visibility timeout of a message that stays. If that fails, the queue's own timeout applies."""
    attributes = record.raw_event.get("attributes") or {}
    handle, count = record.raw_event.get("receiptHandle"), attributes.get("ApproximateReceiveCount")
    # An event written by hand (`sam local invoke`) may lack either.
    if not handle or not str(count).isdecimal():
        return
    seconds = min(max(at_least, retry_wait_seconds(int(str(count)))), LONGEST_HOLD_SECONDS)
    try:
        put_back(handle, seconds)
    except Exception:
        logger.exception("the visibility timeout was not changed", extra={"message_id": record.message_id})


def _sent_at(record: SQSRecord) -> datetime:
    """Return when a message was first sent, or the current time if an event written by hand does not state it."""
    sent = str((record.raw_event.get("attributes") or {}).get("SentTimestamp"))
    return datetime.fromtimestamp(int(sent) / 1000, UTC) if sent.isdecimal() else datetime.now(UTC)
