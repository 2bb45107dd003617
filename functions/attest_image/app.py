"""The consumer of the queue of new images: makes statements about them, and attaches these."""

from datetime import datetime

from packyard.composition import bootstrap
from packyard.messaging.consumer import serve_queue


def attest(body: str) -> None:
    """Handle one message, or have it wait."""
    bootstrap.services().attester.settle(body)


def put_back(receipt_handle: str, seconds: int) -> None:
    """Let a message come again later."""
    bootstrap.services().attestation_queue.put_back(receipt_handle, seconds)


def report_left(_body: str, sent_at: datetime) -> None:
    """Measure for how long a message that stays in the queue has waited."""
    bootstrap.services().attester.measure(sent_at)


bootstrap.prepare(lambda services: (services.attester, services.attestation_queue))
lambda_handler = serve_queue(
    attest, begins=bootstrap.invocation_begins, put_back=put_back, report_left=report_left
)
