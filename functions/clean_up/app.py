"""The cleanup queue's consumer: removes what nothing uses, and finishes deletions."""

from packyard.composition import bootstrap
from packyard.messaging.consumer import serve_queue


def clean_up(body: str) -> None:
    """Settle one message, or put it back until it is due."""
    bootstrap.services().cleaner.settle(body)


def put_back(receipt_handle: str, seconds: int) -> None:
    """Let a message come again later."""
    bootstrap.services().cleanup_queue.put_back(receipt_handle, seconds)


bootstrap.prepare(lambda services: services.cleaner)
lambda_handler = serve_queue(clean_up, begins=bootstrap.invocation_begins, put_back=put_back)
