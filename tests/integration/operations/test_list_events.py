"""GET /events: what it lists, in which order, and to whom."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.event_lists import events, listing
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service

from packyard.packs.event import SHOWN_AFTER
from packyard.tenants.caller import SCOPES, Caller


@pytest.fixture(scope="module")
def history() -> Iterator[Service]:
    """A service whose two organisations have written much."""
    with running_service() as service:
        packs = [service.upload(PackArchive(name=f"p{n}").build()).body["id"] for n in range(3)]
        for pack in packs:
            service.clock.advance(timedelta(seconds=1))
            assert service.update(pack, "community", replace(ACME, principal="user:ada")).status == 200
        for role in ("a", "b"):
            service.clock.advance(timedelta(seconds=1))
            assert service.set_role(role, packs[:1]).status == 200
        assert service.set_role("a", packs[:1], GLOBEX).status == 200
        service.clock.advance(SHOWN_AFTER)
        yield service


def test_the_newest_event_comes_first_and_all_pages_together_are_the_whole(history: Service) -> None:
    everything = events(history)

    assert len(everything) == 8
    ids = [event["id"] for event in everything]
    assert ids == sorted(ids, reverse=True)
    for limit in ("1", "3", "7", "8"):
        assert events(history, limit=limit) == everything


def test_after_an_event_the_oldest_comes_first(history: Service) -> None:
    ids = [event["id"] for event in reversed(events(history))]

    for place, after in enumerate(ids):
        assert [event["id"] for event in events(history, after=after, limit="2")] == ids[place + 1 :]
        assert [event["id"] for event in events(history, before=after)] == ids[:place][::-1]
    between = events(history, after=ids[1], before=ids[5], limit="2")
    assert [event["id"] for event in between] == ids[2:5]
    assert events(history, after=ids[5], before=ids[1]) == []
    assert [event["id"] for event in events(history, after="0" * 26)] == ids
    assert events(history, after="7" + "Z" * 25) == []


def test_each_filter_and_each_two_of_them_list_what_fits(history: Service) -> None:
    everything = events(history)
    filters: dict[str, tuple[str, str]] = {
        "type": ("type", "pack.visibility_changed"),
        "pack_id": ("pack_id", next(event["pack_id"] for event in everything if "pack_id" in event)),
        "role_id": ("role_id", "a"),
        "actor": ("actor", "user:ada"),
    }

    for one, (field, value) in filters.items():
        fitting = [event for event in everything if event.get(field) == value]
        assert fitting
        assert events(history, limit="1", **{one: value}) == fitting
        assert events(history, after="0" * 26, **{one: value}) == fitting[::-1]
        for other, (second, wanted) in filters.items():
            both = [event for event in fitting if event.get(second) == wanted]
            assert events(history, limit="1", **{one: value, other: wanted}) == both


def test_another_organisation_s_events_are_not_listed(history: Service) -> None:
    (theirs,) = events(history, GLOBEX)

    assert (theirs["type"], theirs["role_id"]) == ("role.updated", "a")
    assert theirs["id"] not in [event["id"] for event in events(history)]
    assert events(history, GLOBEX, actor=ACME.principal) == []
    foreign = next(event["pack_id"] for event in events(history) if "pack_id" in event)
    assert events(history, GLOBEX, pack_id=foreign) == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"after": "1"}, "must be the id of an event"),
        ({"before": "pack_01JQ2V7N3T5W8XABCDEFGHJKMN"}, "must be the id of an event"),
        ({"after": "01jq2v7n3t5w8xabcdefghjkmn"}, "must be the id of an event"),
        ({"type": "pack.update"}, "pack.updated"),
        ({"pack_id": "slack"}, "must be the id of a pack"),
        ({"role_id": "a b"}, "must be the id of a role"),
        ({"actor": ""}, "must be a principal"),
        ({"actor": "x" * 513}, "must be a principal"),
        ({"limit": "0"}, "from 1 to 100"),
        ({"cursor": "A" * 24}, "start again without it"),
        ({"since": "1"}, "is not a query parameter"),
    ],
)
def test_what_no_list_takes_is_refused_by_name(history: Service, query: dict[str, str], says: str) -> None:
    refused = listing(history, **query)

    assert refused.status == 400
    (name,) = query
    assert says in refused.error["details"]["fields"][name]


@pytest.mark.parametrize("other", [{"type": "key.issued"}, {"after": "0" * 26}, {"actor": "key:x"}, {}])
def test_a_cursor_is_for_its_own_list_and_its_own_organisation(
    history: Service, other: dict[str, str]
) -> None:
    cursor = listing(history, limit="1").body["next_cursor"]
    caller = ACME if other else GLOBEX

    refused = listing(history, caller, cursor=cursor, **other)

    assert refused.status == 400
    assert list(refused.error["details"]["fields"]) == ["cursor"]


@pytest.mark.parametrize(
    ("caller", "says"),
    [
        (replace(ACME, scopes=SCOPES - {"audit:read"}), "lacks the scope audit:read"),
        (replace(ACME, pack_name="slack"), "is for the pack slack only"),
    ],
)
def test_events_are_for_those_who_may_audit_the_whole_organisation(
    history: Service, caller: Caller, says: str
) -> None:
    refused = listing(history, caller)

    assert refused.status == 403
    assert says in refused.error["message"]
