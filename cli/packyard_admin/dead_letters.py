"""Dead letters: listing them, and sending them back to their queue."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from packyard_admin.deployment import WorkQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# The maximum of one call (API_ReceiveMessage).
_BATCH: Final = 10
# How long a listed message stays hidden: longer than it takes to list all of them.
_LOOK_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that SQS moved aside after its last attempt.

    Attributes:
        sent_at: When it was first sent.
        body: What it says.
    """

    message_id: str
    sent_at: datetime
    body: str


def list_dead_letters(queue: WorkQueue, *, limit: int, sqs: "SQSClient") -> list[DeadLetter]:
    """Return a queue's dead letters without removing them.

    Args:
        queue: The queue that they were in first.
        limit: The most to return.
        sqs: The client.
    """
    taken = list(_take(queue.dead_letters_url, limit=limit, sqs=sqs))
    for message in taken:
        # It was only read, so the next reader must see it too.
        sqs.change_message_visibility(
            QueueUrl=queue.dead_letters_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return [
        DeadLetter(message_id=message["MessageId"], sent_at=_sent_at(message), body=message["Body"])
        for message in taken
    ]


def redrive(queue: WorkQueue, *, limit: int, sqs: "SQSClient") -> int:
    """Send a queue's dead letters back to it and return how many there were.

    Each is sent before it is removed, so a crash in between leaves it in both. Settling a message twice does no harm.

    Args:
        queue: The queue that they were in first.
        limit: The most to move.
        sqs: The client.
    """
    moved = 0
    for message in _take(queue.dead_letters_url, limit=limit, sqs=sqs):
        sqs.send_message(QueueUrl=queue.url, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=queue.dead_letters_url, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
    return moved


def _take(url: str, *, limit: int, sqs: "SQSClient") -> Iterator["MessageTypeDef"]:
    taken = 0
    while taken < limit:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(_BATCH, limit - taken),
            VisibilityTimeout=_LOOK_SECONDS,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        taken += len(messages)
        yield from messages


def _sent_at(message: "MessageTypeDef") -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
