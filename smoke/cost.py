"""Counts what a trial sends and receives, and estimates what AWS charges for it."""

from dataclasses import dataclass, field
from typing import Final

# AWS's list prices for us-east-1, in US dollars, as its pages had them in 2025: aws.amazon.com/NAME/pricing, NAME being
# api-gateway (REST requests), lambda (arm64), dynamodb (on demand), s3, sqs, ec2 (data out), cloudwatch (logs).
PRICES_OF: Final = "AWS's list prices for us-east-1 in 2025, free tiers left out"
_GATEWAY_REQUEST: Final = 3.50e-6
_LAMBDA_REQUEST: Final = 0.20e-6
_LAMBDA_GB_SECOND: Final = 13.3334e-6
_WRITE_UNIT: Final = 0.625e-6
_READ_UNIT: Final = 0.125e-6
_S3_PUT: Final = 5e-6
_SQS_REQUEST: Final = 0.40e-6
_BYTE_OUT: Final = 0.09 / (1 << 30)
_BYTE_LOGGED: Final = 0.50 / (1 << 30)

# The maximum of one request, from the table of calls in docs/architecture.md and the memory in template.yaml.
_AUTHORIZER_GB_SECONDS: Final = 0.1
_FUNCTION_GB: Final = 1.8
_BUILDER_GB: Final = 3.0
_UNITS: Final = 20
_LOGGED_BYTES: Final = 4096
# A build or a copy leaves an archive and an index in the bucket, and cleanup messages.
_PUTS_OF_BUILD: Final = 3
_MESSAGES_OF_BUILD: Final = 6
_CLEAN_UP_GB_SECONDS: Final = 2.0


@dataclass(slots=True, kw_only=True)
class Meter:
    """Counts.

    Attributes:
        requests: How many there were, by who answered: `api`, `registry` or `bucket`.
        sent: Bytes of the bodies of requests.
        received: Bytes of the bodies of answers.
        api_seconds: How long the API took for all its answers together.
        builds: How many images were built or copied.
        build_seconds: How long the trial waited for builds in the background.
        busy: Whether a request is running: after an interrupt, the service may still be working on it.
    """

    requests: dict[str, int] = field(default_factory=lambda: {"api": 0, "registry": 0, "bucket": 0})
    sent: int = 0
    received: int = 0
    api_seconds: float = 0.0
    builds: int = 0
    build_seconds: float = 0.0
    busy: bool = False

    def cents(self) -> float:
        """Return an upper estimate of what AWS charges, in US cents."""
        calls = self.requests["api"]
        gb_seconds = (
            calls * _AUTHORIZER_GB_SECONDS
            + self.api_seconds * _FUNCTION_GB
            + self.build_seconds * _BUILDER_GB
            + self.builds * _CLEAN_UP_GB_SECONDS
        )
        dollars = (
            calls * (_GATEWAY_REQUEST + 2 * _LAMBDA_REQUEST + _UNITS * (_WRITE_UNIT + _READ_UNIT))
            + gb_seconds * _LAMBDA_GB_SECOND
            + self.builds * (_PUTS_OF_BUILD * _S3_PUT + _MESSAGES_OF_BUILD * _SQS_REQUEST)
            + self.received * _BYTE_OUT
            + calls * 2 * _LOGGED_BYTES * _BYTE_LOGGED
        )
        return dollars * 100
