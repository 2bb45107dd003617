"""What happens to a deletion that does not go through at once: it waits longer each time, and ends all the same."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from tests.fake_registry.moods import Refuses
from tests.service import PackArchive, Service

from packyard.messaging.consumer import retry_wait_seconds
from packyard.store.keys import pack_key

ARCHIVE = PackArchive().build()
HOUR = 3600


@dataclass
class Delivery:
    """The cleanup queue as Lambda polls it: what fails is left there, and comes again when its wait is over.

    Attributes:
        waits: How long each failure was put back for, in seconds.
    """

    service: Service
    waits: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service.aws.sqs.meta.events.register(
            "before-parameter-build.sqs.ChangeMessageVisibility", self._note
        )

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.waits.append(params["VisibilityTimeout"])
        # The service's clock has the time, the emulated queue need not take it.
        params["VisibilityTimeout"] = 0

    def receive(self) -> int:
        """Let `clean_up` have what is in the queue, and return how many messages it failed on."""
        url = self.service.aws.queue_url
        received = self.service.aws.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            AttributeNames=["ApproximateReceiveCount"],
            VisibilityTimeout=1,
        ).get("Messages", [])
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "eventSource": "aws:sqs",
            }
            for message in received
        ]
        answer = (
            self.service.invoke("clean_up", {"Records": records}) if records else {"batchItemFailures": []}
        )
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in received:
            if message["MessageId"] not in failed:
                self.service.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(failed)


@pytest.fixture
def stuck(service: Service) -> str:
    """A pack whose deletion is the only message in the queue, and whose registry deletes nothing."""
    pack_id: str = service.upload(ARCHIVE).body["id"]
    service.settle()
    service.registry.moods.append(Refuses(method="DELETE", status=500))
    assert service.delete(pack_id).status == 502
    service.clock.advance(timedelta(minutes=2))
    return pack_id


def status_of(service: Service, pack_id: str) -> str:
    item = service.services.table.get(pack_key(pack_id))
    assert item is not None
    return str(item["status"])


def test_the_background_retries_after_growing_waits_until_the_registry_deletes(
    service: Service, stuck: str
) -> None:
    queue = Delivery(service)

    for attempt in range(1, 6):
        assert queue.receive() == 1
        assert status_of(service, stuck) == "deleting"
        service.clock.advance(timedelta(seconds=queue.waits[attempt - 1]))
    service.registry.moods.clear()
    assert queue.receive() == 0

    assert queue.waits == [30, 60, 120, 240, 480]
    assert status_of(service, stuck) == "deleted"
    assert service.images() == {}
    assert service.delete(stuck).status == 200
    assert service.upload(ARCHIVE).status == 201


def test_of_messages_that_come_together_only_the_failed_one_waits(service: Service, stuck: str) -> None:
    other = service.upload(PackArchive(name="other").build()).body["id"]
    service.clock.advance(timedelta(minutes=3))
    queue = Delivery(service)

    assert queue.receive() == 1

    assert queue.waits == [30]
    assert status_of(service, stuck) == "deleting"
    assert service.get(other).status == 200
    assert service.aws.staged() == []


def test_a_message_by_hand_that_lacks_what_sqs_adds_is_settled_all_the_same(
    service: Service, stuck: str
) -> None:
    (body,) = service.aws.queued()
    bare = {"messageId": "1", "body": body, "eventSource": "aws:sqs"}
    queue = Delivery(service)

    failed = service.invoke("clean_up", {"Records": [bare]})
    service.registry.moods.clear()
    settled = service.invoke("clean_up", {"Records": [bare]})

    assert failed == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert settled == {"batchItemFailures": []}
    assert queue.waits == []
    assert status_of(service, stuck) == "deleted"


@pytest.mark.usefixtures("stuck")
def test_a_wait_that_cannot_be_set_changes_nothing_else(service: Service) -> None:
    (body,) = service.aws.queued()
    forged = {
        "messageId": "1",
        "receiptHandle": "no such receipt",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "3"},
        "eventSource": "aws:sqs",
    }

    answer = service.invoke("clean_up", {"Records": [forged]})

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_a_cleanup_message_without_a_decision_deletes_nothing(service: Service) -> None:
    pack = service.upload(ARCHIVE).body
    assert service.delete(pack["id"], if_match='"7"').status == 412
    assert service.delete("pack_01HZ0000000000000000009999").status == 404

    service.settle()

    assert service.get(pack["id"]).status == 200


@pytest.mark.parametrize(
    ("receive_count", "seconds"),
    [(1, 30), (2, 60), (3, 120), (7, 1920), (8, HOUR), (12, HOUR), (10**9, HOUR), (0, 30)],
)
def test_a_wait_doubles_up_to_an_hour(receive_count: int, seconds: int) -> None:
    assert retry_wait_seconds(receive_count) == seconds
