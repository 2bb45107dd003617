"""The border to AWS: an outage becomes `ServiceUnavailable`, any other error goes up untouched."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
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


@contextmanager
def outages_translated() -> Iterator[None]:
    """Run AWS calls; what they raise because the service or the way to it is down becomes one error of ours.

    Raises:
        ServiceUnavailable: Throttled, answered 5xx, timed out or not reached, after botocore's own retries.
            Whether a write happened is then not known.
    """
    try:
        yield
    except ClientError as error:
        if is_outage(error):
            raise ServiceUnavailable from error
        raise
    except (UnreachableError, HTTPClientError, IncompleteReadError) as error:
        raise ServiceUnavailable from error


def is_outage(error: ClientError) -> bool:
    """Return whether an answer means "not now" rather than "not so"."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or error_code(error) in _OUTAGES


def error_code(error: ClientError) -> str:
    """Return the service's code of an error."""
    return error.response.get("Error", {}).get("Code", "")
