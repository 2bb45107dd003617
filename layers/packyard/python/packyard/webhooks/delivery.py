"""Deliveries: one event on its way to one webhook, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# From the first attempt on (API contract, section 9).
RETRIED_FOR: Final = timedelta(hours=24)
# A webhook without a success for this long is disabled.
FAILING_FOR: Final = timedelta(days=5)
# For this long, the status of a delivery can be read.
DELIVERIES_KEPT: Final = timedelta(days=7)

_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(hours=1)
# A wait is longer by up to this share of itself, so that what failed together does not come again together.
_JITTER: Final = 0.2


class DeliveryStatus(StrEnum):
    """How far a delivery is."""

    DELIVERED = "delivered"
    # It has failed, and will be tried again.
    RETRYING = "retrying"
    # It has failed for 24 hours, and is a dead letter.
    FAILED = "failed"
    # Its webhook was disabled before it was delivered.
    DROPPED = "dropped"


class DeliveryError(StrEnum):
    """Why an attempt had no answer, or none that counts.

    One value stands for every host that was not reached: private, absent, closed or silent. So nobody learns by it what
    is inside of the network.
    """

    UNREACHABLE = "unreachable"
    # The certificate is not valid for the host.
    TLS = "tls"
    # The host was reached, and did not answer within 10 seconds, or not in HTTP.
    NO_ANSWER = "no_answer"
    # A redirect, which is not followed.
    REDIRECT = "redirect"
    # Another status than 2xx.
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        status: The HTTP status; None without an answer.
        error: Why it failed; None when it succeeded.
        retry_after: For how long the receiver asked to wait; None if it did not.
    """

    status: int | None = None
    error: DeliveryError | None = None
    retry_after: timedelta | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has taken the event."""
        return self.error is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one webhook, after the last attempt.

    Attributes:
        id: The event's id.
        org_id: The organisation.
        webhook_id: The webhook.
        type: The event's type.
        status: How far it is.
        attempts: How often it has been tried.
        first_at: When it was first tried.
        last_at: When it was last tried.
        next_at: When it will be tried again, about; None if it will not.
        outcome: What came of the last attempt; None if there was none.
    """

    id: str
    org_id: str
    webhook_id: str
    type: str
    status: DeliveryStatus
    attempts: int
    first_at: datetime
    last_at: datetime
    next_at: datetime | None = None
    outcome: Outcome | None = None


def next_wait(elapsed: timedelta, *, retry_after: timedelta | None, random: float) -> timedelta:
    """Return how long to wait before the next attempt.

    The wait is as long as the time since the first attempt: half a minute at first, then it doubles, up to an hour.

    Args:
        elapsed: The time since the first attempt.
        retry_after: For how long the receiver asked to wait, if it did. More than an hour is not granted.
        random: A random number from 0 up to 1.
    """
    grown = min(max(elapsed, _FIRST_WAIT), _LONGEST_WAIT)
    wished = min(retry_after or timedelta(0), _LONGEST_WAIT)
    return max(grown, wished) * (1 + _JITTER * random)
