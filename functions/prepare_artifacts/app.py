"""The consumer of the queue of images that doors are to serve: makes the zip and the document of each."""

from datetime import datetime

from packyard.composition import bootstrap
from packyard.messaging.consumer import serve_queue


def prepare(body: str) -> None:
    """Handle one message."""
    bootstrap.services().preparer.settle(body)


def put_back(receipt_handle: str, seconds: int) -> None:
    """Let a message come again later."""
    bootstrap.services().preparation_queue.put_back(receipt_handle, seconds)


def report_left(_body: str, sent_at: datetime) -> None:
    """Measure for how long a message that stays in the queue has waited."""
    bootstrap.services().preparer.measure(sent_at)


bootstrap.prepare(lambda services: (services.preparer, services.preparation_queue))
lambda_handler = serve_queue(
    prepare, begins=bootstrap.invocation_begins, put_back=put_back, report_left=report_left
)
