"""The consumer of the queue of first attempts: sends events to webhooks."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.composition import bootstrap
from packyard.messaging.consumer import serve_queue


def first(body: str) -> None:
    """Handle one message."""
    bootstrap.services().deliverer.first(body)


_serve = serve_queue(first, begins=bootstrap.invocation_begins)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of messages."""
    deliverer = bootstrap.services().deliverer
    deliverer.begin()
    left = _serve(event, context)
    deliverer.end()
    return left


bootstrap.prepare(lambda services: (services.deliverer, services.kms))
