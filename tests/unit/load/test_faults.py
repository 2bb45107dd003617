"""What goes wrong between functions and AWS, and that the SDK takes it for the real thing."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from random import Random
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from load.faults import FAULTS, Faults, refused, service_of
from local.proxy import Received, Sent, proxied
from tests.engine.refusals import Fault

REFUSALS = (Fault.THROTTLED, Fault.ERROR, Fault.UNAVAILABLE)
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"PK": {"S": "x"}}}),
    "s3": ("get_object", {"Bucket": "bucket", "Key": "x"}),
    "sqs": ("send_message", {"QueueUrl": "http://127.0.0.1/1/q", "MessageBody": "x"}),
    "ecr": ("create_repository", {"repositoryName": "packs/x"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "x"}),
}


def drawn(faults: Faults, times: int, call: str = "") -> list[Fault | None]:
    return [faults.draw("dynamodb", call or str(number)) for number in range(times)]


def test_one_in_twenty_calls_begins_to_fail_in_every_way() -> None:
    faults = Faults(share=0.05, randomness=Random(1))  # noqa: S311 - no secret

    kinds = drawn(faults, 20_000)

    assert sum(kind is not None for kind in kinds) == pytest.approx(1000, rel=0.1)
    assert set(kinds) == {None, *FAULTS}
    assert faults.injected.total() == sum(kind is not None for kind in kinds)
    assert faults.calls == 20_000


def test_a_stubborn_fault_outlasts_the_attempts_of_a_call_and_no_more() -> None:
    faults = Faults(share=0.2, randomness=Random(3))  # noqa: S311 - no secret
    runs = [sum(kind is not None for kind in drawn(faults, 4, call=f"call {n}")) for n in range(3000)]

    assert runs.count(4) > 40, "a client that gives up after four attempts is made to"
    faults.share = 0
    assert drawn(faults, 100) == [None] * 100


@contextmanager
def answering(received: Received | None) -> Iterator[str]:
    with proxied(1, lambda _request, _pass_on: received) as url:
        yield url


@pytest.mark.enable_socket
@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize("kind", REFUSALS)
def test_botocore_reads_the_code_and_tries_again(service: str, kind: Fault) -> None:
    operation, arguments = CALLS[service]
    with answering(refused(service, kind)) as url:
        client: Any = boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
        )
        with pytest.raises(ClientError) as raised:
            getattr(client, operation)(**arguments)

    response: Any = raised.value.response
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert response["Error"]["Code"] in refused(service, kind).body.decode()


@pytest.mark.enable_socket
def test_hanging_up_is_a_reset() -> None:
    with answering(None) as url:
        connection = http.client.HTTPConnection(url.partition("://")[2], timeout=5)
        connection.request("GET", "/")
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
        connection.close()


@pytest.mark.parametrize(
    ("path", "credential", "service"),
    [
        ("/v2/packs/org/name/blobs/uploads/", "", "registry"),
        ("/", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sqs/aws4_request, Signed", "sqs"),
        ("/bucket", "", None),
        ("/", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/route53/aws4_request, Signed", None),
    ],
    ids=["a registry's path", "a signed call", "a client's form", "a service that no function calls"],
)
def test_a_call_is_told_by_its_path_or_signature(path: str, credential: str, service: str | None) -> None:
    headers = Message()
    headers["Authorization"] = credential

    assert service_of(Sent("POST", path, headers, b"")) == service
