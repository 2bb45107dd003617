"""The consumer of the queue of deliveries that have failed: sends events to webhooks again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.composition import bootstrap
from packyard.messaging.consumer import serve_queue


def again(body: str) -> None:
    """Handle one message, or have it wait."""
    bootstrap.services().deliverer.again(body)


def put_back(receipt_handle: str, seconds: int) -> None:
    """Let a message come again later."""
    bootstrap.services().delivery_queue.put_back(receipt_handle, seconds)


_serve = serve_queue(again, begins=bootstrap.invocation_begins, put_back=put_back)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of messages."""
    bootstrap.services().deliverer.begin()
    return _serve(event, context)


bootstrap.prepare(lambda services: (services.deliverer, services.kms))
