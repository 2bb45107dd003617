"""A queue without an order that takes many messages at once."""

from collections.abc import Sequence
from typing import Any, Final

from packyard.aws.outages import outages_translated
from packyard.errors import ServiceUnavailable
from packyard.messaging.cleanup_queue import Queue

# API_SendMessageBatch: the most messages.
_BATCH_MESSAGES: Final = 10
_ATTEMPTS: Final = 3


class BatchQueue(Queue):
    """A standard queue."""

    def send_bodies(self, bodies: Sequence[str]) -> None:
        """Send messages. One call for up to ten, and none for none.

        Raises:
            ServiceUnavailable: SQS did not take all of them.
        """
        for start in range(0, len(bodies), _BATCH_MESSAGES):
            batch = bodies[start : start + _BATCH_MESSAGES]
            self._send([{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)])

    def _send(self, entries: list[Any]) -> None:
        for _ in range(_ATTEMPTS):
            with outages_translated():
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            failed = {failure["Id"] for failure in answer.get("Failed", [])}
            entries = [entry for entry in entries if entry["Id"] in failed]
            if not entries:
                return
        raise ServiceUnavailable
