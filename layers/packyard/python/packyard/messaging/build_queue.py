"""The build queue. S3 sends a message to it when an archive arrives; a builder sends one again that must wait."""

from packyard.aws.outages import outages_translated
from packyard.messaging.cleanup_queue import Queue


class BuildQueue(Queue):
    """The queue that `build_upload` reads."""

    def send_again(self, body: str, *, group: str, seconds: int) -> None:
        """Send a message that is delivered later.

        Args:
            body: The message.
            group: Whose message it is. SQS delivers the messages of groups with few of them in flight first.
            seconds: The delay, at most 900 (API_SendMessage, DelaySeconds).

        Raises:
            ServiceUnavailable: SQS did not answer.
        """
        with outages_translated():
            self._client.send_message(
                QueueUrl=self._url, MessageBody=body, MessageGroupId=group, DelaySeconds=seconds
            )
