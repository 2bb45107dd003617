"""What a request that names an idempotency key was answered: where Powertools' idempotency keeps it.

Times are this service's, and whoever answers holds a lease that its writes name: a function that was killed frees the
key when its time is over, and one that goes on after that changes nothing of what its successor has written.
"""

from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord

from packyard.errors import ServiceUnavailable
from packyard.packs.timestamp import format_timestamp
from packyard.store.actions import Update
from packyard.store.keys import answer_key
from packyard.store.table import ConditionFailed, Item, Table

logger = Logger(child=True)

KEPT: Final = timedelta(hours=24)
# An item holds 400 KB at most ("Quotas in Amazon DynamoDB"); an answer comes in ASCII.
_MAX_CHARACTERS: Final = 380_000


class IdempotencyRecords(BasePersistenceLayer):
    """One request's view of the answers.

    Args:
        table: Where they are kept.
        lease: Names this request; a value never used before.
        now: The present instant, UTC.
        until: When this request's function is done or dead, and the longest difference between two clocks later.
    """

    def __init__(self, *, table: Table, lease: str, now: datetime, until: datetime) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Powertools' has no types
        self._table = table
        self._lease = lease
        self._now = now
        self._until = until

    def _put_record(self, data_record: DataRecord) -> None:
        """Take the key, unless it is taken: by an answer of the last 24 hours, or by a request at work."""
        try:
            self._table.update(
                Update(
                    key=answer_key(data_record.idempotency_key),
                    change="SET answer_status = :status, request_hash = :hash, lease = :lease,"
                    " lease_until = :until, expires_at = :expiry REMOVE answer",
                    # The last line lets a repeat after a lost response pass its own hold.
                    condition="attribute_not_exists(PK) OR expires_at <= :now"
                    " OR answer_status = :status AND lease_until < :instant"
                    " OR lease = :lease",
                    values={
                        ":status": STATUS_CONSTANTS["INPROGRESS"],
                        ":hash": data_record.payload_hash,
                        ":lease": self._lease,
                        ":until": format_timestamp(self._until),
                        ":expiry": int((self._now + KEPT).timestamp()),
                        ":now": int(self._now.timestamp()),
                        ":instant": format_timestamp(self._now),
                    },
                )
            )
        except ConditionFailed as failure:
            taken = _from_item(data_record.idempotency_key, failure.old or {})
            self._validate_payload(data_payload=data_record, stored_data_record=taken)
            raise IdempotencyItemAlreadyExistsError(old_data_record=taken) from None

    def _get_record(self, idempotency_key: str) -> DataRecord:
        item = self._table.get(answer_key(idempotency_key))
        if item is None:
            raise IdempotencyItemNotFoundError
        return _from_item(idempotency_key, item)

    def _update_record(self, data_record: DataRecord) -> None:
        """Keep the answer; what it answers is done, so that failing to keep it must not turn it into an error."""
        if len(data_record.response_data) > _MAX_CHARACTERS:
            self._delete_record(data_record)
            return
        self._settle(
            Update(
                key=answer_key(data_record.idempotency_key),
                change="SET answer_status = :status, answer = :answer REMOVE lease, lease_until",
                condition="lease = :lease",
                values={
                    ":status": data_record.status,
                    ":answer": data_record.response_data,
                    ":lease": self._lease,
                },
            )
        )

    def _delete_record(self, data_record: DataRecord) -> None:
        """Free the key, as if it had never been used."""
        self._settle(
            Update(
                key=answer_key(data_record.idempotency_key),
                change="SET expires_at = :now REMOVE lease, lease_until",
                condition="lease = :lease",
                values={":now": int(self._now.timestamp()), ":lease": self._lease},
            )
        )

    def _settle(self, update: Update) -> None:
        try:
            self._table.update(update)
        except ConditionFailed:
            logger.warning("the idempotency key has passed to another request")
        except ServiceUnavailable:
            logger.warning("the idempotency key stays taken until the lease is over", exc_info=True)


def _from_item(idempotency_key: str, item: Item) -> DataRecord:
    # Without times: the conditions have looked at those, on this service's clock.
    return DataRecord(
        idempotency_key=idempotency_key,
        status=item["answer_status"],
        response_data=item.get("answer", ""),
        payload_hash=item["request_hash"],
    )
