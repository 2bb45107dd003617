"""What a failure that nobody refused on purpose means to a client: a backing service's, or our own.

This is the only place that judges AWS errors; the layers below let unknown ones pass untouched.
"""

from typing import Final

from botocore.exceptions import ClientError, HTTPClientError

from packyard.errors import InternalError, PackyardError, ServiceUnavailable

# What stays throttled after botocore's own retries; 5xx is told by its status (botocore's data/_retry.json names these).
_THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_SERVER_ERROR: Final = 500


def translate(error: Exception) -> PackyardError:
    """Return what to answer for an unforeseen error: 503 when a backing service failed, 500 when we did."""
    if isinstance(error, HTTPClientError):
        return ServiceUnavailable()
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= _SERVER_ERROR or error.response.get("Error", {}).get("Code") in _THROTTLED:
            return ServiceUnavailable()
    return InternalError()
