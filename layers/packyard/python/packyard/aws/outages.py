"""Translating AWS errors: outages and refused credentials become `ServiceUnavailable`; other errors are not changed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as UnreachableError

from packyard.errors import ServiceUnavailable

_SERVER_ERROR: Final = 500

# Temporary errors with a status below 500, from the error lists of the DynamoDB, S3 and SQS API references. STS calls
# throttling as botocore's own list for retries has it.
_OUTAGES: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "TransactionInProgressException",
        "ConditionalRequestConflict",
        "RequestTimeout",
        "RequestThrottled",
    }
)

# The credentials are unknown or expired, or the signature is wrong (decision 62). From the common errors of the
# DynamoDB, ECR, Secrets Manager and SQS API references, and S3's list of error codes. AccessDenied is not listed: it
# means that the role lacks a permission, which is a bug in the template.
_REFUSED_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)

_NO_CREDENTIALS: Final = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)

# Powertools' logger of a function is called `packyard`, like its service (template.yaml), so it writes what this one
# logs. The operator's commands use this module without Powertools.
logger = logging.getLogger(__name__)


class OutOfTime(BotoCoreError):
    """The invocation has too little time left for an AWS call, so none was made. botocore does not retry this error."""

    fmt = "The time of this invocation is over."


@contextmanager
def outages_translated() -> Iterator[None]:
    """Return a context manager that translates the errors of AWS calls.

    Raises:
        ServiceUnavailable: The call was throttled, was answered with a 5xx status, timed out or could not connect,
            after botocore's own retries; a write may have been executed. Or no time was left for the call. Or AWS
            refused the credentials: then nothing was written, and the log says what to do.
    """
    try:
        yield
    except ClientError as error:
        if refuses_credentials(error):
            _log_refused_credentials(error_code(error))
            raise ServiceUnavailable from error
        if is_outage(error):
            raise ServiceUnavailable from error
        raise
    except _NO_CREDENTIALS as error:
        _log_refused_credentials(type(error).__name__)
        raise ServiceUnavailable from error
    except (UnreachableError, HTTPClientError, IncompleteReadError, OutOfTime) as error:
        raise ServiceUnavailable from error


def _log_refused_credentials(reason: str) -> None:
    logger.error(
        "AWS refused this function's credentials. On AWS they come from the function's role: check that it still "
        "exists. On a developer's machine, `make invoke` and `make start-api` pass credentials that the local stack "
        "accepts.",
        extra={"reason": reason},
    )


def refuses_credentials(error: BaseException) -> bool:
    """Return whether an error means that AWS does not take our credentials, or that there are none."""
    if isinstance(error, ClientError):
        return error_code(error) in _REFUSED_CREDENTIALS
    return isinstance(error, _NO_CREDENTIALS)


def is_outage(error: ClientError) -> bool:
    """Return whether an error is temporary, so that the same call may succeed later."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or error_code(error) in _OUTAGES


def error_code(error: ClientError) -> str:
    """Return the AWS error code, such as `AccessDenied`; empty if there is none."""
    return error.response.get("Error", {}).get("Code", "")
