"""The cleanup queue's consumer: removes what nothing uses, and finishes deletions."""

from datetime import datetime

from packyard.composition import bootstrap
from packyard.messaging.consumer import serve_queue


def clean_up(body: str) -> None:
    """Handle one message, or have it held until it is due."""
    bootstrap.services().cleaner.settle(body)


def put_back(receipt_handle: str, seconds: int) -> None:
    """Let a message come again later."""
    bootstrap.services().cleanup_queue.put_back(receipt_handle, seconds)


def report_left(body: str, sent_at: datetime) -> None:
    """Measure for how long a message that stays in the queue has been due."""
    bootstrap.services().cleaner.measure(body, sent_at=sent_at)


bootstrap.prepare(lambda services: (services.cleaner, services.cleanup_queue))
lambda_handler = serve_queue(
    clean_up, begins=bootstrap.invocation_begins, put_back=put_back, report_left=report_left
)
