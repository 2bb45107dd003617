"""Carrying out a request once for each idempotency key (API contract, "Idempotency").

    take the key → act → keep the answer

Operations are safe to repeat without a key. A key adds convenience: a client that has lost an answer gets the same
answer again. After a crash before the answer is kept, the key is free again when the function's time is over, and a
repeat acts again, as it would without a key. Of two requests with one key at the same time, the second is told to try
again later.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
# Longer than the clocks of two machines differ.
_MARGIN: Final = timedelta(seconds=5)


class IdempotencyRecord(TypedDict):
    """An answer that can be given again."""

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
        """Return the answer to a request: a new one, or the one of the last 24 hours.

        Args:
            act: Carries out the request. When it raises, nothing is kept, and the key is free again.
            scope: The organisation and the operation. One key in two scopes is two keys.
            key: The client's key.
            fingerprint: Two requests have the same one only if they are the same.
            context: Knows how long this function can still run.

        Raises:
            InvalidRequest: The key was used for another request.
            RequestInProgress: The first request of this key is being carried out.
            ServiceUnavailable: DynamoDB did not answer; nothing has been done.
        """

        def act_on(*, request: dict[str, str]) -> IdempotencyRecord:  # noqa: ARG001 - Powertools reads it
            return act()

        once = idempotent_function(
            act_on,
            data_keyword_argument="request",
            persistence_store=self._records(context),
            config=IdempotencyConfig(
                event_key_jmespath="key",
                payload_validation_jmespath="fingerprint",
                raise_on_no_idempotency_key=True,
                hash_function="sha256",
                lambda_context=context,
            ),
            key_prefix=scope,
        )
        with _refusals_translated():
            record: IdempotencyRecord = once(request={"key": key, "fingerprint": fingerprint})
            return record

    def _records(self, context: LambdaContext) -> IdempotencyRecords:
        now = self.clock()
        time_left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        return IdempotencyRecords(
            table=self.table, lease=self.new_ulid(), now=now, until=now + time_left + _MARGIN
        )


@contextmanager
def _refusals_translated() -> Iterator[None]:
    """Turn what Powertools raises into the contract's refusals."""
    try:
        yield
    except IdempotencyValidationError:
        raise InvalidRequest(
            {FIELD: "was used for another request within the last 24 hours; take a new key for a new request"}
        ) from None
    except IdempotencyAlreadyInProgressError:
        raise RequestInProgress from None
    except IdempotencyPersistenceLayerError as error:
        if isinstance(error.__cause__, ServiceUnavailable):
            raise error.__cause__ from None
        raise
