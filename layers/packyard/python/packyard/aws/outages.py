"""The border to AWS: an outage and refused credentials become `ServiceUnavailable`; other errors go up untouched."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aws_lambda_powertools import Logger
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

# "Not now" under a status below 500, from the error lists of the DynamoDB, S3 and SQS API references.
_OUTAGES: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
        "ConditionalRequestConflict",
        "RequestTimeout",
        "RequestThrottled",
    }
)

# The credentials are unknown or expired, or the signature does not fit them (decision 62). From the common errors of
# the DynamoDB, ECR, Secrets Manager and SQS API references, and S3's list of error codes. AccessDenied is not one: it
# says what a known role may not do, which is a fault of our template.
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

logger = Logger(child=True)


class OutOfTime(BotoCoreError):
    """There is not enough time left for an attempt at an AWS call, so none was made. botocore does not retry it."""

    fmt = "The time of this invocation is over."


@contextmanager
def outages_translated() -> Iterator[None]:
    """Run AWS calls; what they raise because the service or the way to it is down becomes one error of ours.

    Raises:
        ServiceUnavailable: Throttled, answered 5xx, timed out or not reached, after botocore's own retries.
            Whether a write happened is then not known. Or there was no time left to ask. Or AWS does not take our
            credentials: nothing was written, and the log says what to do.
    """
    try:
        yield
    except ClientError as error:
        if error_code(error) in _REFUSED_CREDENTIALS:
            _log_refused_credentials(error_code(error))
            raise ServiceUnavailable from error
        if is_outage(error):
            raise ServiceUnavailable from error
        raise
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        _log_refused_credentials(type(error).__name__)
        raise ServiceUnavailable from error
    except (UnreachableError, HTTPClientError, IncompleteReadError, OutOfTime) as error:
        raise ServiceUnavailable from error


def _log_refused_credentials(reason: str) -> None:
    logger.error(
        "AWS does not take this function's credentials. On AWS they come from the function's role: see whether it "
        "still exists. On a developer's machine, `make invoke` and `make start-api` pass the ones that the local stack "
        "takes.",
        extra={"reason": reason},
    )


def is_outage(error: ClientError) -> bool:
    """Return whether an answer means "not now" rather than "not so"."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or error_code(error) in _OUTAGES


def error_code(error: ClientError) -> str:
    """Return the service's code of an error."""
    return error.response.get("Error", {}).get("Code", "")
