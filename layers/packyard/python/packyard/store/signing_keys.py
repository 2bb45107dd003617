"""The public keys that have signed statements, past ones included: what signatures are verified with for good.

A key's item is written before its first signature is pushed. So whoever finds a signature finds its key.
"""

from dataclasses import dataclass
from datetime import datetime

from packyard.attestations.public_key import PublicKey, key_of_pem
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import SIGNING_KEYS_PARTITION, signing_key_key
from packyard.store.table import ConditionFailed, Put, Query, Table


@dataclass(frozen=True, slots=True)
class SigningKeyRecord:
    """A public key.

    Attributes:
        key: The key.
        since: When it was first used, in UTC.
    """

    key: PublicKey
    since: datetime


class SigningKeyStore:
    """The public keys of this deployment.

    Args:
        table: The table.
    """

    def __init__(self, *, table: Table) -> None:
        self._table = table

    def add(self, key: PublicKey, *, now: datetime) -> None:
        """Write a key, unless it is known. One write.

        Raises:
            ServiceUnavailable: DynamoDB did not answer; it may have been written.
        """
        item = {**signing_key_key(key.id), "pem": key.pem, "since": format_timestamp(now)}
        try:
            self._table.put(Put(item=item, condition="attribute_not_exists(PK)"))
        except ConditionFailed:
            return

    def all(self) -> list[SigningKeyRecord]:
        """Return all keys, the newest first. One read; there is one more key for each that the operator has made.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        query = Query(condition="PK = :partition", values={":partition": SIGNING_KEYS_PARTITION})
        records = [
            SigningKeyRecord(key_of_pem(item["pem"]), parse_timestamp(item["since"]))
            for item in self._table.query(query).items
        ]
        return sorted(records, key=lambda record: (record.since, record.key.id), reverse=True)
