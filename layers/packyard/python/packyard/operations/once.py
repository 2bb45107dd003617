"""Carrying out a request once for each idempotency key (API contract, "Idempotency").

    take the key → act → keep the answer

The operations are safe to repeat by themselves, so this adds convenience to them, not safety: a client that lost an
answer gets the very same one. A crash before the answer is kept frees the key when the function's time is over, and
the repeat acts again, as one without a key would. Two requests with one key at once: the second is told to come again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypedDict

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.errors import InvalidRequest, RequestInProgress, ServiceUnavailable
from packyard.store.idempotency_records import IdempotencyRecords
from packyard.store.table import Table

FIELD: Final = "Idempotency-Key"
# By more than clocks differ.
_MARGIN: Final = timedelta(seconds=5)


class IdempotencyRecord(TypedDict):
    """An answer, as it can be given again."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Carries out requests once.

    Attributes:
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    table: Table
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def answer(
        self,
        act: Callable[[], IdempotencyRecord],
        *,
        scope: str,
        key: str,
        fingerprint: str,
        context: LambdaContext,
    ) -> IdempotencyRecord:
        """Return what a request is answered, or was in the last 24 hours.

        Args:
            act: Carries it out. What it raises is not kept, and the key is free again.
            scope: What keys are told apart by besides themselves: the organisation and the operation.
            key: The client's.
            fingerprint: The same for the same request, and for no other.
            context: Knows how long this function can still run.

        Raises:
            InvalidRequest: The key was used for another request.
            RequestInProgress: The first request of this key is being carried out.
            ServiceUnavailable: DynamoDB did not answer; nothing has been done.
        """
        now = self.clock()
        time_left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        answers = IdempotencyRecords(
            table=self.table, lease=self.new_ulid(), now=now, until=now + time_left + _MARGIN
        )
        config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="fingerprint",
            raise_on_no_idempotency_key=True,
            hash_function="sha256",
            lambda_context=context,
        )

        def act_on(*, request: dict[str, str]) -> IdempotencyRecord:  # noqa: ARG001 - Powertools reads it
            return act()

        once = idempotent_function(
            act_on,
            data_keyword_argument="request",
            persistence_store=answers,
            config=config,
            key_prefix=scope,
        )
        try:
            kept: IdempotencyRecord = once(request={"key": key, "fingerprint": fingerprint})
        except IdempotencyValidationError:
            raise InvalidRequest(
                {
                    FIELD: "was used for another request within the last 24 hours; take a new key for a new request"
                }
            ) from None
        except IdempotencyAlreadyInProgressError:
            raise RequestInProgress from None
        except IdempotencyPersistenceLayerError as error:
            if isinstance(error.__cause__, ServiceUnavailable):
                raise error.__cause__ from None
            raise
        return kept
