from datetime import timedelta

import pytest
from botocore.stub import ANY, Stubber
from tests.aws import Aws
from tests.packs import NOW, ORG, pack_id

from packyard.errors import ServiceUnavailable
from packyard.messaging.cleanup_queue import Message, OrphanImage, PackDeletion, StagedArchive, parse_message
from packyard.oci.digest import digest_of
from packyard.packs.manifest.name import PackName
from packyard.storage.staging import inline_key

ARCHIVE = StagedArchive(key=inline_key("01HZZZZZZZZZZZZZZZZZZZZZZZ"), due_at=NOW)
IMAGE = OrphanImage(
    repository=f"packs/{ORG}/slack",
    digests=(digest_of(b"index"), digest_of(b"amd64"), digest_of(b"arm64")),
    org_id=ORG,
    name=PackName("slack"),
    due_at=NOW,
)
DELETION = PackDeletion(pack_id=pack_id(1), due_at=NOW)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(ARCHIVE, id="staged_archive"),
        pytest.param(IMAGE, id="orphan_image"),
        pytest.param(DELETION, id="pack_deletion"),
    ],
)
def test_a_message_is_read_as_it_was_enqueued(aws: Aws, message: Message) -> None:
    aws.queue.enqueue(message, now=NOW)

    assert [parse_message(body) for body in aws.queued()] == [message]


@pytest.mark.parametrize(
    ("due_in", "delay"),
    [
        pytest.param(timedelta(seconds=-5), 0, id="overdue"),
        pytest.param(timedelta(0), 0, id="due"),
        pytest.param(timedelta(milliseconds=1), 1, id="never_early"),
        pytest.param(timedelta(seconds=60), 60, id="in_a_minute"),
        pytest.param(timedelta(days=2), 900, id="as_long_as_sqs_can_hold_it_back"),
    ],
)
def test_a_message_is_held_back_until_due(aws: Aws, due_in: timedelta, delay: int) -> None:
    with Stubber(aws.sqs) as sqs:
        sqs.add_response(
            "send_message",
            {"MessageId": "1"},
            {"QueueUrl": aws.queue_url, "MessageBody": ANY, "DelaySeconds": delay},
        )

        aws.queue.enqueue(ARCHIVE, now=NOW - due_in)

        sqs.assert_no_pending_responses()


def test_a_queue_that_is_down_is_said_to_be(aws: Aws) -> None:
    with Stubber(aws.sqs) as sqs:
        sqs.add_client_error("send_message", "ServiceUnavailable", http_status_code=503)

        with pytest.raises(ServiceUnavailable):
            aws.queue.enqueue(ARCHIVE, now=NOW)


def test_a_message_that_is_put_back_comes_again_when_its_wait_is_over(aws: Aws) -> None:
    aws.queue.enqueue(ARCHIVE, now=NOW)
    received = aws.sqs.receive_message(QueueUrl=aws.queue_url)["Messages"][0]

    aws.queue.put_back(received["ReceiptHandle"], 3600)
    hidden = aws.queued()
    aws.queue.put_back(received["ReceiptHandle"], 0)

    assert hidden == []
    assert [parse_message(body) for body in aws.queued()] == [ARCHIVE]
