import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from packyard.packs.event import Event, EventDraft, EventType
from packyard.store.event_items import from_item
from packyard.store.events import EventLog

NOW = datetime(2026, 3, 1, 12, 0, 0, 678_000, tzinfo=UTC)
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
DRAFT = EventDraft(
    type=EventType.PACK_UPDATED,
    org_id="org_a",
    actor="key:1",
    pack_id="pack_p",
    revision=2,
    data={"name": "slack", "count": 3, "share": 0.5},
)


def log(request_id: str = "request-1") -> EventLog:
    return EventLog(
        clock=lambda: NOW,
        new_ulid=lambda: ULID,
        request_id=lambda: request_id,
        kept=timedelta(days=400),
    )


def test_the_item_of_an_event_reads_back_as_the_event() -> None:
    put = log().put(DRAFT)

    event = from_item(put.item)
    assert event == Event(
        id=event.id,
        type=EventType.PACK_UPDATED,
        org_id="org_a",
        at=NOW,
        actor="key:1",
        request_id="request-1",
        pack_id="pack_p",
        revision=2,
        data={"name": "slack", "count": 3, "share": 0.5},
    )
    assert event.id.endswith(ULID[10:])
    assert put.condition == "attribute_not_exists(PK)"


def test_an_event_of_an_earlier_request_keeps_that_request_s_id() -> None:
    draft = EventDraft(type=EventType.PACK_DELETED, org_id="org_a", actor="key:1", request_id="earlier")

    assert log().put(draft).item["request_id"] == "earlier"


def test_an_event_is_forgotten_after_the_days_that_it_is_kept() -> None:
    assert log().put(DRAFT).item["expires_at"] == int((NOW + timedelta(days=400)).timestamp())


@pytest.mark.parametrize(
    ("of", "indexes"),
    [
        ({}, {"GSI3": "TYPE#pack.updated", "GSI4": "ACTOR#key:1"}),
        ({"pack_id": "p"}, {"GSI1": "PACK#p", "GSI3": "TYPE#pack.updated", "GSI4": "ACTOR#key:1"}),
        ({"role_id": "r"}, {"GSI2": "ROLE#r", "GSI3": "TYPE#pack.updated", "GSI4": "ACTOR#key:1"}),
        (
            {"pack_id": "p", "role_id": "r"},
            {"GSI1": "PACK#p", "GSI2": "ROLE#r", "GSI3": "TYPE#pack.updated", "GSI4": "ACTOR#key:1"},
        ),
    ],
)
def test_an_event_is_indexed_by_what_it_is_about_under_its_organisation(
    of: dict[str, Any], indexes: dict[str, str]
) -> None:
    item = log().put(EventDraft(type=EventType.PACK_UPDATED, org_id="org_a", actor="key:1", **of)).item

    assert item["PK"] == "EVENTS#org_a"
    assert {name[:4]: value for name, value in item.items() if name.endswith("PK") and name != "PK"} == {
        index: f"EVENTS#org_a#{facet}" for index, facet in indexes.items()
    }
    assert {value for name, value in item.items() if name.endswith("SK")} == {item["id"]}


def test_the_data_of_an_event_is_one_text_so_that_its_numbers_stay_as_they_are() -> None:
    assert json.loads(log().put(DRAFT).item["data"]) == {"name": "slack", "count": 3, "share": 0.5}
