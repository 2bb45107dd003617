"""Reading the list of events."""

from typing import Any

from tests.gateway import Answer
from tests.service import ACME, Service

from packyard.tenants.caller import Caller


def events(service: Service, caller: Caller = ACME, /, **query: str) -> list[dict[str, Any]]:
    """Return all events that are old enough to be listed, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = listing(service, caller, **query, **cursor)
        assert answer.status == 200, answer.body
        found += answer.body["events"]
        if "next_cursor" not in answer.body:
            return found
        cursor = {"cursor": answer.body["next_cursor"]}


def listing(service: Service, caller: Caller = ACME, /, **query: str) -> Answer:
    """Ask for a page of events."""
    return service.send("list_events", "GET", "/events", caller=caller, query=query)
