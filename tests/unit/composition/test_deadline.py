"""Everything that waits ends with the invocation: the clients of AWS, registries, and each message's share."""

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import MockRawResponse
from tests.service import Context

from packyard.aws.outages import OutOfTime, outages_translated
from packyard.composition.clients import aws_client
from packyard.composition.deadline import COMMIT_SECONDS, LONGEST_SECONDS, Deadline
from packyard.errors import ServiceUnavailable
from packyard.messaging.consumer import serve_queue
from packyard.store.table import ATTEMPTS_SECONDS, Put, Table


class Seconds:
    """A clock that goes as far as it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def deadline(seconds: Seconds) -> Deadline:
    return Deadline(monotonic=seconds)


def test_what_is_left_goes_down_with_the_clock_and_never_below_nothing(
    deadline: Deadline, seconds: Seconds
) -> None:
    assert deadline.left() == LONGEST_SECONDS

    deadline.begin(26)
    seconds.now += 10

    assert deadline.left() == 16
    assert deadline.left(keep=5.5) == 10.5
    seconds.now += 20
    assert deadline.left() == 0


def test_the_next_invocation_has_its_own_time(deadline: Deadline, seconds: Seconds) -> None:
    deadline.begin(10)
    seconds.now += 60

    deadline.begin(10)

    assert deadline.left() == 10


class Aws:
    """An AWS service that fails, and takes so long for that."""

    def __init__(self, client: Any, seconds: Seconds, takes: float) -> None:
        self._seconds = seconds
        self._takes = takes
        self.asked = 0
        client.meta.events.register_last("before-send", self._answer)

    def _answer(self, **_: Any) -> AWSResponse:
        self.asked += 1
        self._seconds.now += self._takes
        return AWSResponse("", 500, {}, MockRawResponse("{}"))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


@pytest.fixture
def client(deadline: Deadline) -> Any:
    return aws_client("sqs", deadline=deadline, region="eu-central-1")


@pytest.mark.parametrize(
    ("invocation", "attempts"), [(26, 4), (COMMIT_SECONDS + 6, 2), (COMMIT_SECONDS + 1, 1)]
)
def test_an_aws_call_is_tried_again_only_while_an_attempt_fits(
    client: Any, deadline: Deadline, seconds: Seconds, invocation: float, attempts: int
) -> None:
    aws = Aws(client, seconds, takes=5)
    deadline.begin(invocation)

    with pytest.raises(ServiceUnavailable), outages_translated():
        client.send_message(QueueUrl="https://sqs.test/q", MessageBody="x")

    assert aws.asked == attempts


def test_no_attempt_begins_that_could_outlast_the_invocation(
    client: Any, deadline: Deadline, seconds: Seconds
) -> None:
    aws = Aws(client, seconds, takes=0)
    deadline.begin(COMMIT_SECONDS)

    with pytest.raises(OutOfTime):
        client.send_message(QueueUrl="https://sqs.test/q", MessageBody="x")

    assert aws.asked == 0


@pytest.mark.parametrize(
    ("takes", "attempts"), [(0.5, 4), (ATTEMPTS_SECONDS / 2 + 0.1, 2), (ATTEMPTS_SECONDS + 0.1, 1)]
)
def test_no_attempt_at_a_transaction_begins_when_lists_may_soon_rely_on_its_end(
    deadline: Deadline, seconds: Seconds, takes: float, attempts: int
) -> None:
    client = aws_client("dynamodb", deadline=deadline, region="eu-central-1")
    aws = Aws(client, seconds, takes=takes)
    table = Table(client=client, name="t", sleep=lambda _: None, monotonic=seconds)
    deadline.begin(29)

    with pytest.raises(ServiceUnavailable):
        table.transact([Put(item={"PK": "a", "SK": "b"}, condition="a = b")], token="t")

    assert aws.asked == attempts


def test_the_time_for_attempts_at_a_transaction_does_not_limit_what_comes_after_it(
    deadline: Deadline, seconds: Seconds
) -> None:
    client = aws_client("dynamodb", deadline=deadline, region="eu-central-1")
    aws = Aws(client, seconds, takes=ATTEMPTS_SECONDS + 0.1)
    table = Table(client=client, name="t", sleep=lambda _: None, monotonic=seconds)
    with pytest.raises(ServiceUnavailable):
        table.transact([Put(item={"PK": "a", "SK": "b"}, condition="a = b")], token="t")

    with pytest.raises(ServiceUnavailable):
        table.put(Put(item={"PK": "a", "SK": "b"}, condition="a = b"))

    assert aws.asked == 1 + 4


def test_each_message_of_a_batch_has_its_share_of_what_is_left() -> None:
    begun: list[tuple[float, str]] = []
    handler = serve_queue(lambda _body: None, begins=lambda *told: begun.append(told))
    records = [{"messageId": str(n), "body": "{}", "eventSource": "aws:sqs"} for n in range(4)]

    handler({"Records": records}, Context())  # type: ignore[arg-type]

    assert [share for share, _ in begun] == pytest.approx([29 / 4, 29 / 3, 29 / 2, 29])
    assert {request_id for _, request_id in begun} == {Context.aws_request_id}
