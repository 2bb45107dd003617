"""The cleanup queue's consumer: removes staged archives and images that nothing uses."""

from packyard import bootstrap
from packyard.events import serve_queue


def clean_up(body: str) -> None:
    """Settle one message, or put it back until it is due."""
    bootstrap.services().cleaner.settle(body)


lambda_handler = serve_queue(clean_up)
