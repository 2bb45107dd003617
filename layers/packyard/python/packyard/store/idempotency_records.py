"""Idempotency records: a persistence layer for Powertools' idempotency utility.

Unlike Powertools' own layer for DynamoDB, this one uses the service's clock and leases. The request that answers holds
a lease, and each of its writes has the condition that the lease is still its own. If its function is killed, the lease
expires and another request can take the key. If the function then turns out to be still running, its writes fail and
change nothing.
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
# An item holds 400 KB at most ("Quotas in Amazon DynamoDB"). Answers are ASCII, so a character is a byte.
_MAX_CHARACTERS: Final = 380_000


class IdempotencyRecords(BasePersistenceLayer):
    """The idempotency records, as one request reads and writes them.

    Args:
        table: The table.
        lease: Identifies this request; a value never used before.
        now: The current time, in UTC.
        until: When the lease ends: the latest end of this function's invocation plus the allowed clock difference.
    """

    def __init__(self, *, table: Table, lease: str, now: datetime, until: datetime) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Powertools' has no types
        self._table = table
        self._lease = lease
        self._now = now
        self._until = until

    def _put_record(self, data_record: DataRecord) -> None:
        """Take the key, unless it has an answer of the last 24 hours or another request holds its lease."""
        try:
            self._table.update(
                Update(
                    key=answer_key(data_record.idempotency_key),
                    change="SET answer_status = :status, request_hash = :hash, lease = :lease,"
                    " lease_until = :until, expires_at = :expiry REMOVE answer",
                    # The last line is for a retry whose first attempt succeeded but whose response was lost.
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
        """Store the answer. A failure here must not become an error: the request has already taken effect."""
        if len(data_record.response_data) > _MAX_CHARACTERS:
            self._delete_record(data_record)
            return
        self._write_if_leased(
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
        self._write_if_leased(
            Update(
                key=answer_key(data_record.idempotency_key),
                change="SET expires_at = :now REMOVE lease, lease_until",
                condition="lease = :lease",
                values={":now": int(self._now.timestamp()), ":lease": self._lease},
            )
        )

    def _write_if_leased(self, update: Update) -> None:
        try:
            self._table.update(update)
        except ConditionFailed:
            logger.warning("another request has taken over the idempotency key")
        except ServiceUnavailable:
            logger.warning("the idempotency key stays taken until the lease expires", exc_info=True)


def _from_item(idempotency_key: str, item: Item) -> DataRecord:
    # Without expiry times, because Powertools would check them. The write conditions have done so.
    return DataRecord(
        idempotency_key=idempotency_key,
        status=item["answer_status"],
        response_data=item.get("answer", ""),
        payload_hash=item["request_hash"],
    )
