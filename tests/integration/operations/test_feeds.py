"""Making, reading and removing feeds through the real handlers, and finding the feed of an address."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.aws import TABLE
from tests.door import DoorClient, login
from tests.engine.taps import Log
from tests.feeds import listed, make, read, remove, secret_of
from tests.gateway import Request, multipart
from tests.publishers import put_acme
from tests.revisions import withdraw
from tests.service import ACME, GLOBEX, PackArchive, Service

from packyard.errors import FeedNotFound
from packyard.operations.feed_watch import FeedWatch
from packyard.packs.event import SHOWN_AFTER
from packyard.packs.feed import MAX_FEEDS
from packyard.store.feed_uses import MAX_NETWORKS, SHARED_FROM

PACK: Final = "pack_01J9ZQ5T7RK8M3V6W2X4Y0B1CD"
UNKNOWN: Final = "feed_01JQ2V7N3T5W8XABCDEFGHJKMN"


@pytest.fixture
def role(service: Service) -> Service:
    service.set_role("support", [])
    return service


def events(service: Service) -> list[tuple[str, Any]]:
    service.clock.advance(SHOWN_AFTER)
    found = service.send("list_events", "GET", "/events").body["events"]
    return [(event["type"], event["data"]) for event in found if event["type"].startswith("feed.")]


def reupload(service: Service, pack_id: str) -> Any:
    body, headers = multipart({"archive": PackArchive(name="slack", version="2.0.0").build()})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    return service.request("reupload_pack", request).body


def stored(service: Service) -> str:
    return str(service.aws.dynamodb.scan(TableName=TABLE)["Items"])


def found(service: Service, secret: str) -> str | None:
    try:
        return service.services.feed_reader.find(secret).id
    except FeedNotFound:
        return None


def test_a_feed_of_a_role_has_its_address_in_one_answer_only(role: Service) -> None:
    made = make(role, label="laptops", expires_in=3600)

    shown = {name: value for name, value in made.body.items() if name != "url"}
    assert made.status == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert made.body["url"].startswith("http")
    assert f"/f/{secret_of(made)}/" in made.body["url"]
    assert shown == {
        "id": made.body["id"],
        "role_id": "support",
        "label": "laptops",
        "expires_at": "2026-03-01T13:00:00.000Z",
        "created_at": "2026-03-01T12:00:00.000Z",
        "created_by": "key:acme",
    }
    read_again = read(role, made.body["id"]).body
    assert {name: value for name, value in read_again.items() if name not in ("doors", "preparing")} == shown
    assert listed(role) == {"feeds": [shown]}
    assert found(role, secret_of(made)) == made.body["id"]


def test_nothing_that_is_stored_has_the_secret(role: Service) -> None:
    secret = secret_of(make(role))

    assert secret not in stored(role)


def test_a_feed_of_packs_takes_what_the_organisation_can_see(service: Service) -> None:
    own = service.upload(PackArchive(name="slack").build()).body["id"]
    shared = service.upload(PackArchive(name="jira").build(), GLOBEX, visibility="community").body["id"]
    hidden = service.upload(PackArchive(name="teams").build(), GLOBEX).body["id"]

    assert make(service, pack_ids=[shared, own]).body["pack_ids"] == [shared, own]
    refused = make(service, pack_ids=[own, hidden])
    assert (refused.status, refused.error["code"]) == (404, "pack_not_found")
    assert refused.error["details"] == {"pack_ids": [hidden]}


def test_a_role_that_is_not_there_is_404(service: Service) -> None:
    assert make(service).error["code"] == "role_not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role_id"),
        ({"role_id": "support", "pack_ids": [PACK]}, "role_id"),
        ({"role_id": 7}, "role_id"),
        ({"pack_ids": []}, "pack_ids"),
        ({"pack_ids": "slack"}, "pack_ids"),
        ({"pack_ids": [7]}, "pack_ids"),
        ({"pack_ids": ["slack"]}, "pack_ids"),
        ({"pack_ids": [PACK, PACK]}, "pack_ids"),
        ({"pack_ids": [f"a{number}" for number in range(101)]}, "pack_ids"),
        ({"role_id": "support", "label": ""}, "label"),
        ({"role_id": "support", "label": "a\nb"}, "label"),
        ({"role_id": "support", "label": "a" * 121}, "label"),
        ({"role_id": "support", "expires_in": 59}, "expires_in"),
        ({"role_id": "support", "expires_in": True}, "expires_in"),
        ({"role_id": "support", "expires_in": 366 * 86400 + 1}, "expires_in"),
        ({"role_id": "support", "lable": "a"}, "lable"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(role: Service, body: dict[str, Any], field: str) -> None:
    answer = role.send("feeds", "POST", "/feeds", json=body)

    assert (answer.status, list(answer.fields)) == (400, [field])


def test_a_feed_does_not_outlive_the_key_that_makes_it(role: Service) -> None:
    ends_at = role.clock.now + timedelta(hours=1)
    short, person = replace(ACME, ends_at=ends_at), replace(ACME, ends_at=ends_at, principal="user:ada")

    assert make(role, short).body["expires_at"] == "2026-03-01T13:00:00.000Z"
    assert make(role, short, expires_in=60).body["expires_at"] == "2026-03-01T12:01:00.000Z"
    assert make(role, short, expires_in=3601).error["code"] == "permission_denied"
    assert "expires_at" not in make(role, person).body


@pytest.mark.parametrize("scopes", [frozenset[str](), frozenset({"caps:write"})])
def test_making_and_removing_take_the_scope_of_roles_and_reading_takes_none(
    role: Service, scopes: frozenset[str]
) -> None:
    feed = make(role).body["id"]
    caller = replace(ACME, scopes=scopes)

    assert make(role, caller).status == remove(role, feed, caller).status == 403
    assert read(role, feed, caller).status == 200


def test_a_repeat_with_one_idempotency_key_makes_one_and_does_not_show_the_address_again(
    role: Service,
) -> None:
    body, headers = {"role_id": "support"}, {"Idempotency-Key": "k1"}
    first, again = (role.send("feeds", "POST", "/feeds", json=body, headers=headers) for _ in range(2))

    assert (again.status, again.error["code"]) == (409, "already_created")
    assert again.error["details"] == {"id": first.body["id"]}
    assert [feed["id"] for feed in listed(role)["feeds"]] == [first.body["id"]]


def test_a_list_begins_with_the_newest_and_goes_on_where_a_page_ended(role: Service) -> None:
    made = []
    for _ in range(5):
        made.append(make(role).body["id"])
        role.clock.advance(timedelta(seconds=1))

    pages = [listed(role, limit="2")]
    while "next_cursor" in pages[-1]:
        pages.append(listed(role, limit="2", cursor=pages[-1]["next_cursor"]))

    assert [[feed["id"] for feed in page["feeds"]] for page in pages] == [
        [made[4], made[3]],
        [made[2], made[1]],
        [made[0]],
    ]


def test_there_are_a_hundred_at_most_and_a_removed_one_makes_room(role: Service) -> None:
    feeds = [make(role).body["id"] for _ in range(MAX_FEEDS)]

    assert make(role).error["details"] == {"limit": MAX_FEEDS}
    remove(role, feeds[0])
    assert make(role).status == 201


def test_removing_ends_the_address_at_once_and_is_an_event(role: Service) -> None:
    made = make(role, label="laptops")
    feed = made.body["id"]

    gone = remove(role, feed)

    assert (gone.status, gone.body) == (200, {"status": "deleted"})
    assert found(role, secret_of(made)) is None
    assert read(role, feed).error["code"] == remove(role, feed).error["code"] == "feed_not_found"
    data = {"feed_id": feed, "label": "laptops"}
    assert events(role) == [("feed.removed", data), ("feed.created", data)]


def test_an_expired_feed_is_refused_and_listed(role: Service) -> None:
    made = make(role, expires_in=60)
    role.clock.advance(timedelta(seconds=60))

    assert found(role, secret_of(made)) is None
    assert read(role, made.body["id"]).status == 200


@pytest.mark.parametrize("feed", [UNKNOWN, "feed_", "x", "COUNT"])
def test_what_is_not_there_is_404(role: Service, feed: str) -> None:
    assert read(role, feed).error["code"] == remove(role, feed).error["code"] == "feed_not_found"


def test_another_organisations_feed_is_not_there(role: Service) -> None:
    made = make(role).body["id"]

    assert read(role, made, GLOBEX).status == remove(role, made, GLOBEX).status == 404
    assert listed(role, GLOBEX) == {"feeds": []}


@pytest.mark.parametrize(
    "secret", ["", "pyf_", "pyf_" + 43 * "A", "../../feeds", "\udc80", "ä" * 4000, "feed_x", "sk_x"]
)
def test_whatever_stands_in_the_place_of_a_secret_is_looked_up_once(service: Service, secret: str) -> None:
    reader, log = service.services.feed_reader, Log()
    with service.wire.tapped(log), pytest.raises(FeedNotFound):
        reader.find(secret)

    assert log.calls == ["dynamodb.GetItem"]


class TestUses:
    """From where feeds are used."""

    def watch(self, service: Service) -> FeedWatch:
        """Return that of a new container."""
        return FeedWatch(uses=service.services.feed_uses, clock=service.clock)

    def test_the_last_day_of_use_and_its_networks_are_shown(self, role: Service) -> None:
        made = make(role)
        feed = role.services.feed_reader.find(secret_of(made))
        for address in ("192.0.2.1", "192.0.2.77", "198.51.100.1", "2001:db8::1", "2001:db8::2", "nowhere"):
            self.watch(role).note(feed, address)

        shown = read(role, made.body["id"]).body
        assert (shown["last_seen"], shown["networks"]) == ("2026-03-01", 3)

        role.clock.advance(timedelta(days=1))
        self.watch(role).note(feed, "192.0.2.1")
        shown = read(role, made.body["id"]).body
        assert (shown["last_seen"], shown["networks"]) == ("2026-03-02", 1)

    def test_no_address_is_stored(self, role: Service) -> None:
        feed = role.services.feed_reader.find(secret_of(make(role)))
        self.watch(role).note(feed, "192.0.2.1")

        assert "192.0.2" not in stored(role)

    def test_many_networks_in_a_day_are_one_event(self, role: Service) -> None:
        made = make(role, label="laptops")
        feed = role.services.feed_reader.find(secret_of(made))
        for number in range(MAX_NETWORKS + 5):
            self.watch(role).note(feed, f"10.0.{number}.1")

        data = {"feed_id": made.body["id"], "label": "laptops", "networks": SHARED_FROM}
        assert events(role)[0] == ("feed.shared", data)
        assert len(events(role)) == 2
        assert read(role, made.body["id"]).body["networks"] == MAX_NETWORKS

    def test_one_container_writes_a_network_once_a_day(self, role: Service) -> None:
        feed = role.services.feed_reader.find(secret_of(make(role)))
        watch, log = self.watch(role), Log()
        with role.wire.tapped(log):
            for _ in range(3):
                watch.note(feed, "192.0.2.1")

        assert log.calls == ["dynamodb.UpdateItem"]


class TestTheDistributionDoor:
    """`feed` with the secret of a feed as a login."""

    def pull(self, client: DoorClient, name: str = "slack", *, image: str) -> int:
        return client.manifest(f"acme/{name}", image).status

    def test_a_feed_of_a_role_opens_what_the_role_pins(self, service: Service) -> None:
        pack = service.upload(PackArchive(name="slack").build()).body
        service.set_role("support", [pack["id"]])
        made = make(service)
        client = DoorClient(service=service).logged_in("feed", secret_of(made))
        newer = reupload(service, pack["id"])

        assert self.pull(client, image=pack["image_digest"]) == 200
        assert self.pull(client, image=newer["image_digest"]) == 404
        assert read(service, made.body["id"]).body["networks"] == 1

        remove(service, made.body["id"])
        assert self.pull(client, image=pack["image_digest"]) == 404
        assert DoorClient(service=service).token("feed", secret_of(made)).status == 401

    def test_a_feed_of_packs_opens_their_present_images(self, service: Service) -> None:
        put_acme(service)
        pack = service.upload(PackArchive(name="slack").build()).body
        other = service.upload(PackArchive(name="jira").build()).body
        made = make(service, pack_ids=[pack["id"]], expires_in=60)
        client = DoorClient(service=service).logged_in("feed", secret_of(made))
        newer = reupload(service, pack["id"])

        assert self.pull(client, image=newer["image_digest"]) == 200
        assert self.pull(client, image=pack["image_digest"]) == 404
        assert self.pull(client, "jira", image=other["image_digest"]) == 404

        withdraw(service, pack["id"], 2)
        assert self.pull(client, image=newer["image_digest"]) == 404

        service.clock.advance(timedelta(seconds=60))
        assert client.manifest("acme/slack", newer["image_digest"]).status == 401

    def test_a_pack_that_the_organisation_cannot_see_any_more_is_closed(self, service: Service) -> None:
        pack = service.upload(PackArchive(name="slack").build(), GLOBEX, visibility="community").body
        made = make(service, pack_ids=[pack["id"]])
        client = DoorClient(service=service).logged_in("feed", secret_of(made))
        repository = f"{GLOBEX.org_id}/slack"

        assert client.manifest(repository, pack["image_digest"]).status == 200
        assert service.update(pack["id"], "org", GLOBEX).status == 200
        assert client.manifest(repository, pack["image_digest"]).status == 404

    def test_a_role_that_is_called_feed_logs_in_as_any_role(self, service: Service) -> None:
        service.set_role("feed", [])
        password = login(service, "feed").body["password"]

        assert DoorClient(service=service).token("feed", password).status == 200
        assert DoorClient(service=service).token("feed", f"pyf_{password}").status == 401
