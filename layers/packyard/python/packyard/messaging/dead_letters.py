"""Dead letters: messages that SQS, or a function, has moved aside after their last attempt."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from packyard.aws.outages import outages_translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# The most that one call returns (API_ReceiveMessage).
MAX_GLANCE: Final = 10
# How long a listed message stays hidden: longer than it takes to list all of them.
_LOOK_SECONDS: Final = 60
# With a wait, SQS asks all of its servers for messages, and not only some of them.
_WAIT_SECONDS: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was moved aside.

    Attributes:
        sent_at: When it was sent to the queue that it was in last: of a delivery, when it was given up.
        body: What it says.
    """

    message_id: str
    sent_at: datetime
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What there is in a dead-letter queue, without touching it.

    Attributes:
        count: How many letters there are, about: SQS counts them with some delay.
        letters: Up to `MAX_GLANCE` of them, in no order. Those that somebody lists or redrives at the time are not
            among them.
    """

    count: int
    letters: tuple[DeadLetter, ...]


class DeadLetters:
    """One dead-letter queue.

    Args:
        client: An SQS client.
        url: The queue's URL.
    """

    def __init__(self, *, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def glance(self) -> Glance:
        """Return how many letters there are, and some of them. One or two calls, which hide nothing.

        Each letter is received for zero seconds, so that nothing is left to put back if the process dies, and others
        who look or redrive at the same time find it all the same.

        Raises:
            ServiceUnavailable: SQS did not answer.
        """
        with outages_translated():
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
            visible, hidden = (
                int(answer["Attributes"][name])
                for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
            )
            letters = map(_letter, self._receive(MAX_GLANCE, hidden_for=0)) if visible else ()
            # Nothing keeps SQS from returning a message twice that is not hidden.
            by_id = {letter.message_id: letter for letter in letters}
        return Glance(count=max(visible + hidden, len(by_id)), letters=tuple(by_id.values()))

    def look(self, *, limit: int) -> list[DeadLetter]:
        """Return letters, which are hidden from others meanwhile and are there again afterwards.

        Args:
            limit: The most to return.

        Raises:
            ServiceUnavailable: SQS did not answer. What was read is there again after a minute.
        """
        with outages_translated():
            taken = list(self._take(limit))
            for message in taken:
                # It was only read, so the next reader must see it too.
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
        return [_letter(message) for message in taken]

    def redrive(self, to: str, *, limit: int) -> int:
        """Send letters back to their queue and return how many there were.

        Each is sent before it is removed, so a crash in between leaves it in both. Settling a message twice does no
        harm.

        Args:
            to: The URL of the queue that they were in first.
            limit: The most to move.

        Raises:
            ServiceUnavailable: SQS did not answer. Some may have been moved.
        """
        moved = 0
        with outages_translated():
            for message in self._take(limit):
                self._client.send_message(QueueUrl=to, MessageBody=message["Body"])
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
        return moved

    def _take(self, limit: int) -> Iterator["MessageTypeDef"]:
        taken = 0
        while taken < limit:
            messages = self._receive(min(MAX_GLANCE, limit - taken), hidden_for=_LOOK_SECONDS)
            if not messages:
                return
            taken += len(messages)
            yield from messages

    def _receive(self, most: int, *, hidden_for: int) -> list["MessageTypeDef"]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=hidden_for,
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return answer.get("Messages", [])


def _letter(message: "MessageTypeDef") -> DeadLetter:
    sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(message_id=message["MessageId"], sent_at=sent_at, body=message["Body"])
