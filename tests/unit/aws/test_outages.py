import io
import json
import logging
from collections.abc import Iterator

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from tests.aws import template

from packyard.aws import outages
from packyard.aws.outages import outages_translated
from packyard.errors import ServiceUnavailable


def answer(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "…"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "PutItem",
    )


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(answer("InternalServerError", 500), id="server_error"),
        pytest.param(answer("SomethingNew", 503), id="unknown_code_of_a_server_error"),
        pytest.param(answer("ThrottlingException", 400), id="throttled"),
        pytest.param(answer("Throttling", 400), id="throttled_by_sts"),
        pytest.param(answer("ProvisionedThroughputExceededException", 400), id="over_capacity"),
        pytest.param(answer("ConditionalRequestConflict", 409), id="s3_conflict_that_asks_for_a_retry"),
        pytest.param(EndpointConnectionError(endpoint_url="https://x"), id="not_reached"),
        pytest.param(ConnectTimeoutError(endpoint_url="https://x"), id="connect_timeout"),
        pytest.param(ReadTimeoutError(endpoint_url="https://x"), id="read_timeout"),
    ],
)
def test_an_outage_is_one_error_of_ours(error: Exception) -> None:
    with pytest.raises(ServiceUnavailable) as raised, outages_translated():
        raise error

    assert raised.value.__cause__ is error
    assert "https" not in raised.value.message


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(answer("AccessDeniedException", 400), id="access_denied"),
        pytest.param(answer("ResourceNotFoundException", 400), id="no_such_table"),
        pytest.param(answer("ConditionalCheckFailedException", 400), id="condition"),
        pytest.param(KeyError("ours"), id="not_of_aws"),
    ],
)
def test_anything_else_goes_up_untouched(error: ClientError | BotoCoreError | KeyError) -> None:
    with pytest.raises(type(error)) as raised, outages_translated():
        raise error

    assert raised.value is error


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logged() -> Iterator[list[logging.LogRecord]]:
    """What this border logs, also where Powertools keeps it from the root logger, and so from pytest."""
    handler = _Records()
    outages.logger.addHandler(handler)
    yield handler.records
    outages.logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        # What the emulator answers to SAM's own `defaultkey`.
        (answer("UnrecognizedClientException", 400), "UnrecognizedClientException"),
        (answer("InvalidClientTokenId", 403), "InvalidClientTokenId"),
        (answer("InvalidAccessKeyId", 403), "InvalidAccessKeyId"),
        (answer("SignatureDoesNotMatch", 403), "SignatureDoesNotMatch"),
        (answer("InvalidSignatureException", 400), "InvalidSignatureException"),
        (answer("ExpiredTokenException", 400), "ExpiredTokenException"),
        (answer("ExpiredToken", 400), "ExpiredToken"),
        (answer("RequestTimeTooSkewed", 403), "RequestTimeTooSkewed"),
        (answer("MissingAuthenticationToken", 403), "MissingAuthenticationToken"),
        (NoCredentialsError(), "NoCredentialsError"),
        (PartialCredentialsError(provider="env", cred_var="x"), "PartialCredentialsError"),
        (CredentialRetrievalError(provider="x", error_msg="y"), "CredentialRetrievalError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused_credentials_are_an_outage_and_the_log_says_what_to_do(
    error: Exception, reason: str, logged: list[logging.LogRecord]
) -> None:
    with pytest.raises(ServiceUnavailable) as raised, outages_translated():
        raise error

    assert raised.value.__cause__ is error
    assert raised.value.status == 503
    (record,) = logged
    assert "make invoke" in record.message
    assert vars(record)["reason"] == reason


def test_a_function_s_logger_writes_what_this_border_logs() -> None:
    service = template()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    stream, of_service = io.StringIO(), logging.getLogger(service)
    before = {**vars(of_service), "handlers": list(of_service.handlers)}
    filters = [(handler, list(handler.filters)) for handler in logging.root.handlers]
    try:
        # Another test of this process may have made it already, for another stream.
        of_service.handlers = []
        for mark in ("init", "powertools_handler"):
            vars(of_service).pop(mark, None)
        Logger(service=service, stream=stream)
        outages.logger.error("AWS refused.", extra={"reason": "Expired"})
    finally:
        vars(of_service).clear()
        vars(of_service).update(before)
        for handler, those_before in filters:
            handler.filters = those_before

    line = json.loads(stream.getvalue())
    assert (line["level"], line["service"], line["reason"]) == ("ERROR", "packyard", "Expired")
