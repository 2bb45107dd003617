"""The build queue's consumer: makes an image and a pack of an archive that a client has staged."""

from packyard.composition import bootstrap
from packyard.messaging.consumer import serve_queue


def build_upload(body: str) -> None:
    """Build the archive that has arrived, or leave the message for later."""
    bootstrap.services().builder.settle(body)


def put_back(receipt_handle: str, seconds: int) -> None:
    """Let a message come again later."""
    bootstrap.services().build_queue.put_back(receipt_handle, seconds)


bootstrap.prepare(lambda services: (services.builder, services.build_queue))
lambda_handler = serve_queue(build_upload, begins=bootstrap.invocation_begins, put_back=put_back)
