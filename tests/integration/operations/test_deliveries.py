"""From an event to its delivery, through the real handlers: what is sent, what is tried again, what is given up."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.aws import TABLE
from tests.engine.taps import Failure, Log, PointName
from tests.service import ACME, GLOBEX, Service, running_service
from tests.webhooks import Hooks, Receiver, running_receiver

from packyard.messaging.delivery_queue import WebhookMessage

URL = "https://example.com/hooks"


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


@pytest.fixture
def hooks(service: Service) -> Hooks:
    return Hooks(service)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def changed(hooks: Hooks, webhook_id: str, text: str) -> None:
    """Make an event of which every webhook of the organisation is told."""
    assert hooks.send("PATCH", f"/{webhook_id}", json={"description": text}).status == 200


def test_the_official_library_verifies_what_is_delivered(hooks: Hooks, receiver: Receiver) -> None:
    hooks.service.clock.now = datetime.now(UTC)
    first = hooks.add(receiver.url).body
    second = hooks.send("POST", f"/{first['id']}/rotate").body["secret"]
    hooks.carry()

    assert len(receiver.got) == 2
    for secret in (first["secret"], second):
        for got in receiver.got:
            event = Webhook(secret).verify(got.body, dict(got.headers))
            assert event["data"]["webhook_id"] == first["id"]


def test_a_payload_is_the_event_in_the_form_of_standard_webhooks(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(receiver.url)
    hooks.carry()
    (event,) = hooks.told("webhook.created")
    (got,) = receiver.got

    assert json.loads(got.body) == {
        "type": "webhook.created",
        "timestamp": event["at"],
        "id": event["id"],
        "actor": "key:acme",
        "request_id": event["request_id"],
        "data": json.loads(event["data"]),
    }
    assert got.headers["webhook-id"] == event["id"]
    assert got.headers["Content-Type"] == "application/json"


def test_a_webhook_gets_the_events_that_it_asks_for_and_no_others(hooks: Hooks, receiver: Receiver) -> None:
    all_of_them = hooks.add(receiver.url + "/all").body["id"]
    hooks.add(receiver.url + "/deleted", types=["webhook.deleted"])
    hooks.add(receiver.url + "/packs", pack_ids=[f"pack_{1:026d}"])
    hooks.add(receiver.url + "/globex", GLOBEX)
    changed(hooks, all_of_them, "x")
    hooks.carry()

    told = [(got.path.rpartition("/")[2], json.loads(got.body)["type"]) for got in receiver.got]
    assert sorted(told) == [
        ("all", "webhook.created"),
        ("all", "webhook.created"),
        ("all", "webhook.created"),
        ("all", "webhook.updated"),
        ("globex", "webhook.created"),
    ]


def test_events_about_one_thing_arrive_in_their_order(hooks: Hooks, receiver: Receiver) -> None:
    made = hooks.add(receiver.url).body["id"]
    for number in range(25):
        changed(hooks, made, str(number))
    hooks.carry()

    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert len(ids) == 26
    assert ids == sorted(ids)


def test_a_stream_that_tells_twice_makes_no_second_delivery(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(receiver.url)
    hooks.fan_out()
    hooks.seen.clear()
    hooks.fan_out()
    hooks.deliver()

    assert len(receiver.got) == 1


def test_what_came_of_a_delivery_can_be_read_for_a_week(hooks: Hooks, receiver: Receiver) -> None:
    made = hooks.add(receiver.url).body["id"]
    hooks.carry()
    (delivery,) = hooks.deliveries(made)
    (item,) = [
        item
        for item in hooks.service.aws.dynamodb.scan(TableName=hooks.service.services.settings.table)["Items"]
        if item["PK"]["S"].startswith("DELIVERIES#")
    ]

    assert delivery | {"first_at": "", "last_at": ""} == {
        "id": receiver.got[0].headers["webhook-id"],
        "type": "webhook.created",
        "status": "delivered",
        "attempts": 1,
        "first_at": "",
        "last_at": "",
        "response_status": 204,
    }
    until = hooks.service.clock() + timedelta(days=7)
    assert item["expires_at"]["N"] == str(int(until.timestamp()))


def ask_again(hooks: Hooks, webhook_id: str, event_id: str) -> None:
    """Send an event again as a client asks for it, although it was not delivered yet."""
    event = hooks.service.services.delivery_store.event(ACME.org_id, event_id)
    assert event is not None
    message = WebhookMessage(
        org_id=ACME.org_id,
        webhook_id=webhook_id,
        event_id=event_id,
        type=event.type,
        payload="{}",
        again="a",
    )
    hooks.service.services.delivery_queue.send([message])


class TestBatches:
    def test_what_came_of_a_batch_is_one_write(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        for number in range(5):
            changed(hooks, made, str(number))
        hooks.fan_out()
        log = Log()
        with hooks.service.wire.tapped(log):
            hooks.deliver()

        assert [call for call in log.calls if call.startswith("dynamodb.")] == [
            "dynamodb.GetItem",
            "dynamodb.TransactWriteItems",
        ]
        assert [each["attempts"] for each in hooks.deliveries(made)] == [1] * 6

    def test_a_delivery_and_its_redelivery_in_one_batch_are_two_attempts(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        hooks.carry()
        delivery = hooks.deliveries(made)[0]["id"]
        changed(hooks, made, "x")
        hooks.fan_out()
        for key in "ab":
            hooks.of_deliveries(
                "POST", f"/{made}/deliveries/{delivery}/redelivery", headers={"Idempotency-Key": key}
            )
        hooks.deliver()

        assert len(receiver.got) == 4
        assert [each["attempts"] for each in hooks.deliveries(made)] == [1, 3]

    def test_a_redelivery_that_fails_after_the_delivery_in_one_batch_is_what_the_list_says(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        hooks.fan_out()
        (event,) = hooks.told("webhook.created")
        ask_again(hooks, made, event["id"])
        receiver.statuses = [204, 500]
        hooks.deliver()

        (delivery,) = hooks.deliveries(made)
        assert (delivery["status"], delivery["attempts"]) == ("retrying", 2)
        assert "next_at" in delivery

    def test_what_could_not_be_written_within_a_batch_is_written_at_its_end(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        changed(hooks, made, "x")
        hooks.fan_out()
        (event,) = hooks.told("webhook.created")
        ask_again(hooks, made, event["id"])
        with hooks.service.wire.tapped(Failure(at=PointName("dynamodb.TransactWriteItems", 1))):
            hooks.deliver()

        assert [(each["status"], each["attempts"]) for each in hooks.deliveries(made)] == [
            ("delivered", 1)
        ] * 2
        assert hooks.waiting() == 1

    def test_what_cannot_be_written_of_a_batch_is_sent_again(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        changed(hooks, made, "x")
        hooks.fan_out()
        with hooks.service.wire.tapped(Failure(at=PointName("dynamodb.TransactWriteItems", 1))):
            hooks.deliver()
        assert (hooks.deliveries(made), hooks.waiting()) == ([], 2)
        hooks.service.clock.advance(timedelta(minutes=5))
        hooks.retry()

        assert [got.headers["webhook-id"] for got in receiver.got[:2]] == sorted(
            got.headers["webhook-id"] for got in receiver.got[2:]
        )
        assert [(each["status"], each["attempts"]) for each in hooks.deliveries(made)] == [
            ("delivered", 1)
        ] * 2
        assert hooks.waiting() == 0


class TestFailures:
    def test_an_attempt_counts_although_the_webhook_could_not_be_noted_as_working(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.statuses = [500]
        hooks.carry()
        hooks.service.clock.advance(timedelta(minutes=5))
        with hooks.service.wire.tapped(Failure(at=PointName("dynamodb.UpdateItem", 1))):
            hooks.retry()

        assert [(each["status"], each["attempts"]) for each in hooks.deliveries(made)] == [("delivered", 2)]
        assert hooks.waiting() == 1

    def test_a_delivery_that_fails_is_tried_again_with_the_same_id_and_a_new_signature(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.statuses = [500, 503]
        hooks.carry()
        assert hooks.deliveries(made)[0]["status"] == "retrying"
        for _ in range(2):
            hooks.service.clock.advance(timedelta(minutes=5))
            hooks.retry()

        assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
        assert len({got.headers["webhook-signature"] for got in receiver.got}) == 3
        (delivery,) = hooks.deliveries(made)
        assert (delivery["status"], delivery["attempts"]) == ("delivered", 3)
        assert "next_at" not in delivery
        assert "error" not in delivery
        assert hooks.waiting() == 0

    def test_what_fails_does_not_hold_up_what_comes_after_it(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.statuses = [500]
        hooks.carry()
        changed(hooks, made, "x")
        hooks.carry()

        statuses = {delivery["type"]: delivery["status"] for delivery in hooks.deliveries(made)}
        assert statuses == {"webhook.created": "retrying", "webhook.updated": "delivered"}

    def test_a_webhook_that_failed_is_not_tried_again_in_the_same_batch(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        for number in range(5):
            changed(hooks, made, str(number))
        receiver.statuses = [500]
        hooks.carry()

        assert len(receiver.got) == 1
        assert hooks.waiting() == 6

    def test_after_a_day_a_delivery_is_a_dead_letter(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.statuses = [500] * 100
        hooks.carry()
        hooks.service.clock.advance(timedelta(hours=23))
        hooks.retry()
        assert hooks.dead_letters() == []
        hooks.service.clock.advance(timedelta(hours=1))
        hooks.retry()

        (letter,) = hooks.dead_letters()
        assert json.loads(letter)["webhook_id"] == made
        (delivery,) = hooks.deliveries(made)
        assert (delivery["status"], delivery["response_status"], delivery["error"]) == (
            "failed",
            500,
            "status",
        )
        assert hooks.waiting() == 0

    @pytest.mark.parametrize(
        ("status", "error"),
        [(301, "redirect"), (307, "redirect"), (404, "status"), (400, "status"), (500, "status")],
    )
    def test_only_2xx_is_a_success(self, hooks: Hooks, receiver: Receiver, status: int, error: str) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.answer_headers["Location"] = receiver.url + "/elsewhere"
        receiver.statuses = [status]
        hooks.carry()

        (delivery,) = hooks.deliveries(made)
        assert (delivery["response_status"], delivery["error"]) == (status, error)
        assert [got.path for got in receiver.got] == ["/hooks"]

    def test_a_webhook_that_failed_for_five_days_is_disabled_which_is_an_event(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.statuses = [500] * 100
        hooks.carry()
        assert "failing_since" in hooks.get(made).body
        hooks.service.clock.advance(timedelta(days=5))
        changed(hooks, made, "x")
        hooks.carry()

        webhook = hooks.get(made).body
        assert (webhook["state"], webhook["disabled_because"]) == ("disabled", "failing")
        (event,) = hooks.told("webhook.disabled")
        assert (json.loads(event["data"]), event["actor"]) == (
            {"webhook_id": made, "because": "failing"},
            "delivery",
        )
        before = len(receiver.got)
        hooks.carry()
        hooks.retry()
        assert len(receiver.got) == before

    def test_a_success_forgets_the_failures(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.statuses = [500]
        hooks.carry()
        hooks.service.clock.advance(timedelta(days=4))
        hooks.retry()

        assert "failing_since" not in hooks.get(made).body
        receiver.statuses = [500]
        hooks.service.clock.advance(timedelta(days=4))
        changed(hooks, made, "x")
        hooks.carry()
        assert hooks.get(made).body["state"] == "active"

    def test_a_receiver_that_is_gone_gets_no_more(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        receiver.statuses = [410]
        hooks.carry()

        assert hooks.get(made).body["disabled_because"] == "gone"
        assert len(hooks.dead_letters()) == 1
        assert hooks.waiting() == 0

    def test_a_host_that_may_not_be_reached_and_one_that_is_not_there_look_alike(self, hooks: Hooks) -> None:
        settings = hooks.service.services.settings
        made = [hooks.add(f"https://{host}/").body["id"] for host in ("inside.invalid", "absent.invalid")]
        # Nobody can name such a host; a name may lead to such an address later.
        rename_host(hooks, "inside.invalid", "localhost")
        for webhook_id in made:
            hooks.of_deliveries("POST", f"/{webhook_id}/test")
        hooks.deliver()

        assert settings.trusted_webhook_hosts == "127.0.0.1:*"
        seen = [hooks.deliveries(webhook_id)[0] for webhook_id in made]
        facts = [{name: each.get(name) for name in ("status", "error", "response_status")} for each in seen]
        assert facts == [{"status": "failed", "error": "unreachable", "response_status": None}] * 2


class TestWhatIsAskedFor:
    def test_a_test_is_sent_once_even_to_a_disabled_webhook(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        hooks.send("PATCH", f"/{made}", json={"state": "disabled"})
        receiver.statuses = [500]
        asked = hooks.of_deliveries("POST", f"/{made}/test")
        hooks.carry()
        hooks.retry()

        assert (asked.status, len(receiver.got)) == (202, 1)
        assert json.loads(receiver.got[0].body)["type"] == "webhook.test"
        delivery = hooks.deliveries(made)[0]
        assert (delivery["id"], delivery["type"], delivery["status"]) == (
            asked.body["delivery_id"],
            "webhook.test",
            "failed",
        )
        assert "failing_since" not in hooks.get(made).body

    def test_an_event_is_sent_again_under_its_id(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        hooks.carry()
        delivery = hooks.deliveries(made)[0]["id"]
        again = hooks.of_deliveries("POST", f"/{made}/deliveries/{delivery}/redelivery")
        hooks.carry()

        assert (again.status, again.body) == (202, {"delivery_id": delivery})
        assert len(receiver.got) == 2
        assert receiver.got[0].body == receiver.got[1].body
        assert hooks.deliveries(made)[0]["attempts"] == 2

    def test_nobody_redelivers_what_was_not_delivered_to_this_webhook(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        other = hooks.add(URL, GLOBEX).body["id"]
        hooks.carry()
        delivery = hooks.deliveries(made)[0]["id"]

        for path, caller in (
            (f"/{made}/deliveries/{'0' * 26}/redelivery", ACME),
            (f"/{made}/deliveries/x/redelivery", ACME),
            (f"/{other}/deliveries/{delivery}/redelivery", GLOBEX),
            (f"/{made}/deliveries/{delivery}/redelivery", GLOBEX),
            (f"/{made}/test", GLOBEX),
        ):
            answer = hooks.of_deliveries("POST", path, caller=caller)
            assert (answer.status, answer.error["code"]) == (404, "webhook_not_found")

    def test_what_is_on_its_way_to_a_disabled_webhook_is_dropped_and_the_list_says_so(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        hooks.fan_out()
        hooks.send("PATCH", f"/{made}", json={"state": "disabled"})
        hooks.deliver()

        assert receiver.got == []
        assert [(each["status"], each["attempts"]) for each in hooks.deliveries(made)] == [("dropped", 0)]

    def test_what_is_on_its_way_to_a_deleted_webhook_is_not_sent(
        self, hooks: Hooks, receiver: Receiver
    ) -> None:
        made = hooks.add(receiver.url).body["id"]
        hooks.fan_out()
        hooks.send("DELETE", f"/{made}")
        hooks.carry()

        assert receiver.got == []

    def test_the_list_is_read_in_pages(self, hooks: Hooks, receiver: Receiver) -> None:
        made = hooks.add(receiver.url).body["id"]
        for number in range(4):
            changed(hooks, made, str(number))
        hooks.carry()
        path = f"/{made}/deliveries"
        first = hooks.of_deliveries("GET", path, query={"limit": "3"}).body
        second = hooks.of_deliveries("GET", path, query={"limit": "3", "cursor": first["next_cursor"]}).body

        ids = [each["id"] for page in (first, second) for each in page["deliveries"]]
        assert ids == sorted(ids, reverse=True)
        assert (len(ids), "next_cursor" in second) == (5, False)

    def test_the_list_needs_its_scope(self, hooks: Hooks) -> None:
        made = hooks.add(URL).body["id"]
        lacking = replace(ACME, scopes=frozenset({"hooks:write"}))

        assert hooks.of_deliveries("GET", f"/{made}/deliveries", caller=lacking).status == 403


def rename_host(hooks: Hooks, before: str, after: str) -> None:
    """Let the webhooks of a host have another one."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: renamed(each) for name, each in value.items()}
        if isinstance(value, list):
            return [renamed(each) for each in value]
        return value.replace(before, after) if isinstance(value, str) else value

    dynamodb = hooks.service.aws.dynamodb
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        if before in str(item):
            dynamodb.put_item(TableName=TABLE, Item=renamed(item))
