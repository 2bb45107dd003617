"""How a queue's consumer leaves what it does not settle: for how long, with what in the log, and counted how."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.service import Context

from packyard.messaging.consumer import LONGEST_HOLD_SECONDS, serve_queue
from packyard.messaging.not_yet import NotYet

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# ApproximateFirstReceiveTimestamp and SentTimestamp are milliseconds since 1970 (API_ReceiveMessage).
SENT_MS = 1_767_322_800_000
FAILURE = {"batchItemFailures": [{"itemIdentifier": "m1"}]}


@dataclass
class Consumer:
    """A consumer of one queue, and what it has asked of it."""

    settle: Callable[[str], None]
    waits: list[tuple[str, int]] = field(default_factory=list)
    left: list[tuple[str, datetime]] = field(default_factory=list)

    def receive(self, count: int = 1, **attributes: str) -> Any:
        """Let it have a message that has been received so often."""
        record = {
            "messageId": "m1",
            "receiptHandle": "r1",
            "body": "body",
            "eventSource": "aws:sqs",
            "attributes": {
                "ApproximateReceiveCount": str(count),
                "SentTimestamp": str(SENT_MS),
                **attributes,
            },
        }
        handler = serve_queue(
            self.settle,
            begins=lambda _seconds, _request_id: None,
            put_back=lambda handle, seconds: self.waits.append((handle, seconds)),
            report_left=lambda body, sent_at: self.left.append((body, sent_at)),
        )
        return handler({"Records": [record]}, Context())  # type: ignore[arg-type]


def held_for(wait: timedelta) -> Callable[[str], None]:
    def settle(_body: str) -> None:
        raise NotYet(NOW + wait, now=NOW)

    return settle


def fail(_body: str) -> None:
    raise RuntimeError("the registry is down")


def test_what_is_settled_is_not_left() -> None:
    consumer = Consumer(lambda _body: None)

    assert consumer.receive() == {"batchItemFailures": []}
    assert (consumer.waits, consumer.left) == ([], [])


@pytest.mark.parametrize(
    ("wait", "received", "seconds"),
    [
        pytest.param(timedelta(seconds=60), 1, 60, id="until_it_is_due"),
        pytest.param(timedelta(seconds=60.001), 1, 61, id="and_never_less"),
        pytest.param(timedelta(hours=2), 1, 7200, id="beyond_what_sqs_can_delay"),
        pytest.param(timedelta(0), 1, 30, id="not_at_once"),
        pytest.param(timedelta(seconds=-5), 1, 30, id="due_by_now"),
        pytest.param(timedelta(seconds=60), 4, 240, id="no_sooner_than_what_fails"),
        pytest.param(timedelta(seconds=60), 50, 3600, id="often_held"),
        pytest.param(timedelta(days=3), 1, LONGEST_HOLD_SECONDS, id="longer_than_sqs_hides_a_message"),
    ],
)
def test_what_is_held_is_hidden_until_it_is_due(wait: timedelta, received: int, seconds: int) -> None:
    consumer = Consumer(held_for(wait))

    assert consumer.receive(received) == FAILURE
    assert consumer.waits == [("r1", seconds)]


def test_a_hold_fits_into_the_twelve_hours_that_count_from_the_receipt() -> None:
    # API_ChangeMessageVisibility. Before it is held, a message may lie with Lambda for the queue's visibility timeout.
    assert LONGEST_HOLD_SECONDS + 720 + 120 < 43_200


@pytest.mark.parametrize(("received", "seconds"), [(1, 30), (3, 120), (60, 3600)])
def test_what_fails_waits_longer_each_time(received: int, seconds: int) -> None:
    consumer = Consumer(fail)

    assert consumer.receive(received) == FAILURE
    assert consumer.waits == [("r1", seconds)]


def test_a_held_message_is_not_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    Consumer(held_for(timedelta(minutes=1))).receive()

    assert [(record.levelname, record.message) for record in caplog.records] == [("INFO", "held")]


@pytest.mark.parametrize("settle", [fail, held_for(timedelta(minutes=1))], ids=["failed", "held"])
def test_what_is_left_is_reported_with_when_it_was_first_sent(settle: Callable[[str], None]) -> None:
    consumer = Consumer(settle)

    consumer.receive()

    assert consumer.left == [("body", datetime(2026, 1, 2, 3, 0, tzinfo=UTC))]


def test_an_event_by_hand_may_lack_when_it_was_sent() -> None:
    consumer = Consumer(fail)

    assert consumer.receive(SentTimestamp="yesterday") == FAILURE
    assert len(consumer.left) == 1


def test_a_wait_that_cannot_be_set_leaves_the_message_to_the_queue_s_own_timeout() -> None:
    def put_back(_handle: str, _seconds: int) -> None:
        raise RuntimeError("SQS does not answer")

    handler = serve_queue(
        held_for(timedelta(minutes=1)), begins=lambda _seconds, _request_id: None, put_back=put_back
    )
    record = {
        "messageId": "m1",
        "receiptHandle": "r1",
        "body": "body",
        "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": "1"},
    }

    assert handler({"Records": [record]}, Context()) == FAILURE  # type: ignore[arg-type]
