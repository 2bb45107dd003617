"""Events on the operator's bus of EventBridge (parameter `EventBusName`)."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.service import Service
from tests.webhooks import Hooks


class Bus:
    """A client of EventBridge that refuses some entries."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refused = 0

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the SDK's name
        assert 1 <= len(Entries) <= 10
        results: list[dict[str, str]] = []
        for entry in Entries:
            if self.refused:
                self.refused -= 1
                results.append({"ErrorCode": "InternalException"})
            else:
                self.taken.append(entry)
                results.append({"EventId": "1"})
        return {"Entries": results, "FailedEntryCount": sum("ErrorCode" in result for result in results)}


@pytest.fixture
def bus(service: Service) -> Bus:
    made, client = Bus(), service.services.client
    settings = replace(service.services.settings, event_bus_name="events-of-packyard")
    service.new_process(settings=settings, client=lambda name: made if name == "events" else client(name))
    return made


def test_the_same_events_are_put_on_the_bus(service: Service, bus: Bus) -> None:
    hooks = Hooks(service)
    hooks.add("https://example.com/hooks")
    hooks.fan_out()

    (entry,) = bus.taken
    detail = json.loads(entry["Detail"])
    assert (entry["Source"], entry["DetailType"]) == ("packyard", "webhook.created")
    assert (entry["EventBusName"], detail["type"]) == ("events-of-packyard", "webhook.created")
    assert detail["org_id"].startswith("org_")


def test_what_the_bus_does_not_take_is_put_on_it_again(service: Service, bus: Bus) -> None:
    hooks = Hooks(service)
    for number in range(12):
        hooks.add(f"https://example.com/{number}", types=["pack.created"])
    bus.refused = 3
    hooks.fan_out()
    assert (len(bus.taken), hooks.waiting()) == (9, 3)
    bus.refused = 1
    hooks.retry()
    assert (len(bus.taken), hooks.waiting()) == (11, 1)
    hooks.retry()

    assert (len(bus.taken), hooks.waiting()) == (12, 0)
    assert len({json.loads(entry["Detail"])["id"] for entry in bus.taken}) == 12
