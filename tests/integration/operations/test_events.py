"""GET /events, and the event that each accepted write leaves."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.changes import change
from tests.event_lists import events, listing
from tests.fake_registry.moods import Refuses
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.staged_uploads import arrive, deliver, start

from packyard.composition.deadline import CONNECT_SECONDS, READ_SECONDS
from packyard.packs.event import SHOWN_AFTER, EventDraft, EventType
from packyard.store.table import ATTEMPTS_SECONDS

DRAFT: Final = EventDraft(type=EventType.KEY_ISSUED, org_id=ACME.org_id, actor="key:late")
WIDE: Final = {
    "capabilities": [{"name": "api", "type": "http", "allow": [{"domains": ["a.com"], "methods": ["GET"]}]}]
}


@contextmanager
def new_events(service: Service) -> Iterator[list[dict[str, Any]]]:
    """Return a list that has, at the end of the context, the events made in it, the oldest first."""
    service.clock.advance(SHOWN_AFTER)
    before = listing(service, limit="1").body["events"]
    made: list[dict[str, Any]] = []
    yield made
    service.clock.advance(SHOWN_AFTER)
    made += events(service, **({"after": before[0]["id"]} if before else {}))


def ok(answer: Answer) -> Answer:
    assert answer.status in (200, 201, 202), answer.body
    return answer


def reupload(service: Service, pack_id: str, version: str, name: str = "slack", **contents: Any) -> Answer:
    body, headers = multipart({"archive": PackArchive(name=name, version=version, **contents).build()})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    return service.request("reupload_pack", request)


def write_file(service: Service, pack_id: str, content: bytes) -> Answer:
    path = f"/packs/{pack_id}/files/README.md"
    return service.request(
        "put_file", Request(method="PUT", resource=path, path=path, body=content, caller=ACME)
    )


def make_key(service: Service) -> Answer:
    return service.send("keys", "POST", "/keys", json={"label": "ci", "scopes": ["caps:write"]})


class Standing:
    """A service with a pack, a role that holds it, another pack, and a key."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.pack = ok(service.upload(PackArchive(version="1.0.0").build())).body["id"]
        self.held = ok(service.upload(PackArchive(name="held").build())).body["id"]
        ok(service.set_role("standing", [self.held]))
        ok(reupload(service, self.held, "2.0.0", "held"))
        self.key = ok(make_key(service)).body["id"]


def staged(at: Standing) -> Answer:
    started = ok(start(at.service))
    archive = PackArchive(name="staged").build()
    assert deliver(at.service, arrive(at.service, started.body["upload_id"], archive)) == []
    return started


WRITES: Final[Mapping[str, tuple[Callable[[Standing], Answer], dict[str, Any]]]] = {
    "an upload": (
        lambda at: ok(at.service.upload(PackArchive(name="new").build())),
        {"type": "pack.created", "revision": 1, "data.operation": "upload", "data.name": "new"},
    ),
    "a new archive": (
        lambda at: ok(reupload(at.service, at.pack, "2.0.0")),
        {"type": "pack.updated", "revision": 2, "data.version": "2.0.0", "data.version_before": "1.0.0"},
    ),
    "a change of files": (
        lambda at: ok(change(at.service, at.pack, {"README.md": b"# New\n"})),
        {"type": "pack.updated", "revision": 2},
    ),
    "a file": (
        lambda at: ok(write_file(at.service, at.pack, b"# Other\n")),
        {"type": "pack.updated", "revision": 2},
    ),
    "a clone": (
        lambda at: ok(at.service.clone(at.pack, name="cloned")),
        {"type": "pack.created", "data.operation": "clone", "data.name": "cloned"},
    ),
    "a visibility": (
        lambda at: ok(at.service.update(at.pack, "community")),
        {
            "type": "pack.visibility_changed",
            "revision": 2,
            "data.visibility": "community",
            "data.visibility_before": "org",
        },
    ),
    "a deletion": (
        lambda at: ok(at.service.delete(at.pack)),
        {"type": "pack.deleted", "revision": 2, "data.name": "slack"},
    ),
    "a role": (
        lambda at: ok(at.service.set_role("new", [at.pack])),
        {"type": "role.updated", "role_id": "new", "revision": 1, "data.operation": "set"},
    ),
    "a refreshed role": (
        lambda at: ok(at.service.refresh_role("standing")),
        {"type": "role.updated", "role_id": "standing", "revision": 2, "data.operation": "refresh"},
    ),
    "a deleted role": (
        lambda at: ok(at.service.delete_role("standing")),
        {"type": "role.deleted", "role_id": "standing", "revision": 2},
    ),
    "a key": (
        lambda at: ok(make_key(at.service)),
        {"type": "key.issued", "data.label": "ci", "data.scopes": ["caps:write"]},
    ),
    "a revoked key": (
        lambda at: ok(at.service.send("keys", "DELETE", f"/keys/{at.key}")),
        {"type": "key.revoked", "data.label": "ci"},
    ),
    "a staged archive": (staged, {"type": "pack.created", "data.name": "staged"}),
}


@pytest.mark.parametrize("name", WRITES)
def test_an_accepted_write_is_one_event_of_its_actor_and_its_request(service: Service, name: str) -> None:
    write, expected = WRITES[name]
    at = Standing(service)

    with new_events(service) as made:
        answer = write(at)

    (event,) = made
    for path, value in expected.items():
        found: Any = event
        for part in path.split("."):
            found = found[part]
        assert found == value, path
    assert event["actor"] == ACME.principal
    assert event["request_id"] == answer.headers["X-Request-Id"]


REPEATS: Final[Mapping[str, Callable[[Standing], object]]] = {
    "the same upload": lambda at: ok(at.service.upload(PackArchive(version="1.0.0").build())),
    "the same archive": lambda at: ok(reupload(at.service, at.pack, "1.0.0")),
    "the same visibility": lambda at: ok(at.service.update(at.pack, "org")),
    "the same role": lambda at: ok(at.service.set_role("standing", [at.held])),
    "a name that is taken": lambda at: at.service.upload(PackArchive(version="9.0.0").build()),
    "an archive that is none": lambda at: at.service.upload(b"no archive"),
    "a pack in use": lambda at: at.service.delete(at.held),
    "somebody else's pack": lambda at: at.service.update(at.pack, "community", GLOBEX),
    "a dry run": lambda at: ok(start(at.service, dry_run=True)),
}


@pytest.mark.parametrize("name", REPEATS)
def test_what_changes_nothing_is_no_event(service: Service, name: str) -> None:
    at = Standing(service)

    with new_events(service) as made:
        REPEATS[name](at)

    assert made == []


def test_what_is_done_twice_is_one_event(service: Service) -> None:
    at = Standing(service)

    with new_events(service) as made:
        for _ in range(2):
            ok(service.delete(at.pack))
            ok(service.send("keys", "DELETE", f"/keys/{at.key}"))

    assert [event["type"] for event in made] == ["pack.deleted", "key.revoked"]


def test_a_deletion_that_the_background_ends_names_who_asked_for_it_and_the_request(service: Service) -> None:
    at = Standing(service)
    service.registry.moods.append(Refuses(method="DELETE", status=500))

    with new_events(service) as made:
        refused = service.delete(at.pack)
        assert refused.status == 502
        service.registry.moods.clear()
        service.clock.advance(timedelta(minutes=10))
        service.deliver()

    (event,) = made
    assert (event["type"], event["actor"]) == ("pack.deleted", ACME.principal)
    assert event["request_id"] == refused.headers["X-Request-Id"]


def test_a_consent_is_an_event_beside_that_of_the_role(service: Service) -> None:
    pack = ok(service.upload(PackArchive(name="wide").build())).body["id"]
    ok(service.set_role("r", [pack]))
    ok(reupload(service, pack, "2.0.0", "wide", fields=WIDE))

    with new_events(service) as made:
        ok(service.refresh_role("r", accept_capabilities={pack: 2}))

    assert sorted((event["type"], event["revision"]) for event in made) == [
        ("capabilities.accepted", 2),
        ("role.updated", 2),
    ]
    (consent,) = (event for event in made if event["type"] == "capabilities.accepted")
    assert (consent["data"], consent["pack_id"]) == ({"accepted": {pack: 2}}, pack)


def test_a_pin_that_follows_is_moved_by_an_actor_of_its_own(service: Service) -> None:
    pack = ok(service.upload(PackArchive(name="followed").build())).body["id"]
    ok(service.pin("r", [{"id": pack, "follow": True}]))
    ok(reupload(service, pack, "2.0.0", "followed"))

    with new_events(service) as made:
        service.follow(pack)

    (event,) = made
    assert (event["type"], event["actor"], event["role_id"]) == ("role.updated", "follow", "r")
    assert event["data"]["pins"] == {pack: 2}


def test_an_event_appears_when_it_is_ten_seconds_old(service: Service) -> None:
    ok(make_key(service))
    service.clock.advance(SHOWN_AFTER - timedelta(milliseconds=1))
    assert events(service) == []
    assert events(service, after="0" * 26) == []

    service.clock.advance(timedelta(milliseconds=1))

    assert len(events(service)) == len(events(service, after="0" * 26)) == 1


def test_a_reader_who_goes_on_misses_no_event_of_a_clock_that_is_behind(service: Service) -> None:
    """A container's clock is two seconds behind, and its transaction takes eight."""
    read: list[str] = []
    for _ in range(12):
        service.clock.advance(timedelta(seconds=1))
        ok(make_key(service))
        last = {"after": read[-1]} if read else {"after": "0" * 26}
        read += [event["id"] for event in events(service, **last)]
    behind = replace(service.services, clock=lambda: service.clock.now - timedelta(seconds=2))
    late = behind.events.put(DRAFT)
    service.clock.advance(timedelta(seconds=ATTEMPTS_SECONDS + CONNECT_SECONDS + READ_SECONDS - 2))
    read += [event["id"] for event in events(service, after=read[-1])]

    service.aws.table.put(late)

    service.clock.advance(SHOWN_AFTER)
    read += [event["id"] for event in events(service, after=read[-1])]
    assert read == [event["id"] for event in reversed(events(service))]
    assert late.item["id"] in read
