"""The consumer of the queues of deliveries: sends events to webhooks."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.composition import bootstrap
from packyard.messaging.consumer import is_fifo, serve_queue


def first(body: str) -> None:
    """Handle a message of the queue of first attempts."""
    bootstrap.services().deliverer.first(body)


def again(body: str) -> None:
    """Handle a message of the queue of what has failed."""
    bootstrap.services().deliverer.again(body)


def put_back(receipt_handle: str, seconds: int) -> None:
    """Let a message that has failed come again later."""
    bootstrap.services().delivery_queue.put_back(receipt_handle, seconds)


_serve_first = serve_queue(first, begins=bootstrap.invocation_begins)
_serve_again = serve_queue(again, begins=bootstrap.invocation_begins, put_back=put_back)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of messages, which is of one of the two queues."""
    bootstrap.services().deliverer.begin()
    return (_serve_first if is_fifo(event) else _serve_again)(event, context)


bootstrap.prepare(lambda services: services.deliverer)
