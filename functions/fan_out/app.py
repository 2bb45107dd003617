"""The consumer of the table's stream that gets events: tells webhooks of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from packyard.composition import bootstrap
from packyard.messaging.event_changes import serve_events


def send(items: Sequence[Mapping[str, Any]]) -> None:
    """Send the messages of some events."""
    bootstrap.services().fan_out.send(items)


bootstrap.prepare(lambda services: services.fan_out)
lambda_handler = serve_events(send, begins=bootstrap.invocation_begins)
