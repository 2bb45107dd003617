"""What AWS answers, as the command's own kinds of failure."""

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)

from packyard.errors import ServiceUnavailable
from packyard.store.schema import require_readable
from packyard_admin.entry import aws_failures
from packyard_cli.failure import Exit, Failure


def answer(code: str, status: int, message: str = "What is wrong.") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "req-1"},
    }
    return ClientError(response, "GetItem")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (answer("AccessDeniedException", 400), Exit.NOT_ALLOWED, "AWS refused GetItem"),
        (answer("AccessDenied", 403), Exit.NOT_ALLOWED, "(AccessDenied): What is wrong."),
        (answer("ResourceNotFoundException", 400), Exit.NOT_FOUND, "AWS refused GetItem"),
        (answer("AWS.SimpleQueueService.NonExistentQueue", 400), Exit.NOT_FOUND, "AWS refused"),
        (answer("ValidationException", 400, ""), Exit.INVALID, "(ValidationException): no reason given."),
        (answer("ThrottlingException", 400), Exit.UNAVAILABLE, "AWS did not answer"),
        (answer("InternalServerError", 500), Exit.UNAVAILABLE, "AWS did not answer"),
        (answer("ExpiredTokenException", 400), Exit.NOT_SIGNED_IN, "(ExpiredTokenException)"),
        (answer("UnrecognizedClientException", 400), Exit.NOT_SIGNED_IN, "no credentials that AWS accepts"),
        (NoCredentialsError(), Exit.NOT_SIGNED_IN, "(NoCredentialsError)"),
        (UnauthorizedSSOTokenError(), Exit.NOT_SIGNED_IN, "no AWS credentials"),
        (ProfileNotFound(profile="prod"), Exit.NOT_SIGNED_IN, "prod"),
        (EndpointConnectionError(endpoint_url="https://x"), Exit.UNAVAILABLE, "AWS did not answer"),
        (NoRegionError(), Exit.USAGE, "No AWS Region is known."),
        (InvalidRegionError(region_name="nowhere!"), Exit.USAGE, "nowhere!"),
        (ServiceUnavailable("Not now."), Exit.UNAVAILABLE, "Not now."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_of_aws_has_its_kind_and_one_sentence(
    error: ClientError | BotoCoreError | ServiceUnavailable, kind: Exit, said: str
) -> None:
    with pytest.raises(Failure) as raised, aws_failures():
        raise error

    assert raised.value.exit_code is kind
    assert said in raised.value.message
    assert "An error occurred" not in raised.value.message
    if isinstance(error, ClientError) and kind is not Exit.NOT_SIGNED_IN:
        assert raised.value.request_id == "req-1"


def test_what_only_a_later_release_reads_is_said() -> None:
    with pytest.raises(Failure) as raised, aws_failures():
        require_readable({"schema": 99})

    assert raised.value.exit_code is Exit.UNAVAILABLE
    assert "An item has schema 99" in raised.value.advice


def test_a_failure_stays_as_it_is() -> None:
    failure = Failure(Exit.CONFLICT, "It is taken.")

    with pytest.raises(Failure) as raised, aws_failures():
        raise failure

    assert raised.value is failure
