"""A proxy between a function and AWS that counts requests and the capacity that they consume."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Final

from local.proxy import PassOn, Received, Sent, proxied

_DYNAMODB: Final = "DynamoDB_20120810."
_ASKED_FOR: Final = "secretsmanager.GetSecretValue"
_OK: Final = 200
_READS: Final = frozenset({"GetItem", "BatchGetItem", "Query"})
# The units of an index query that finds nothing ("DynamoDB read and write operations"). Not all emulators state them.
_LEAST_READ_UNITS: Final = 0.5


@dataclass
class Meter:
    """Counts since the last `reset`.

    Attributes:
        url: The URL to call instead of AWS.
        aws_calls: Requests that are not to the registry.
        read_units: Read units of the table and its indexes.
        write_units: Write units of the table and its indexes.
        scanned: Items that queries have evaluated, whether or not they passed a filter.
    """

    url: str = ""
    aws_calls: int = 0
    read_units: float = 0
    write_units: float = 0
    scanned: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Set all counts to zero."""
        with self._lock:
            self.aws_calls, self.scanned, self.read_units, self.write_units = 0, 0, 0.0, 0.0

    def count(self, operation: str, answer: bytes) -> None:
        """Count one request to AWS.

        Args:
            operation: DynamoDB's name for it; empty for other services.
            answer: The answer's body.
        """
        stated = json.loads(answer) if operation else {}
        consumed = stated.get("ConsumedCapacity") or []
        tables = consumed if isinstance(consumed, list) else [consumed]
        units = sum(float(table["CapacityUnits"]) for table in tables)
        if operation == "Query":
            units = max(units, _LEAST_READ_UNITS)
        with self._lock:
            self.aws_calls += 1
            self.scanned += stated.get("ScannedCount", 0)
            if operation in _READS:
                self.read_units += units
            else:
                self.write_units += units


@contextmanager
def metered(port: int, *, signs_cursors: str | None = None) -> Iterator[Meter]:
    """Run a meter in front of 127.0.0.1:`port` while the block lasts.

    Args:
        port: Where requests are forwarded to.
        signs_cursors: The answer to calls to Secrets Manager, for an emulator that has only a table. They are not
        counted, because a container asks once in five minutes.
    """
    meter = Meter()

    def count(request: Sent, pass_on: PassOn) -> Received:
        operation = request.headers.get("X-Amz-Target", "")
        if signs_cursors is not None and operation == _ASKED_FOR:
            return Received(_OK, Message(), json.dumps({"SecretString": signs_cursors}).encode())
        operation = operation.removeprefix(_DYNAMODB) if operation.startswith(_DYNAMODB) else ""
        if operation:
            body = json.dumps(json.loads(request.body) | {"ReturnConsumedCapacity": "TOTAL"}).encode()
            request = replace(request, body=body)
        received = pass_on(request)
        if not request.path.startswith("/v2/"):
            meter.count(operation, received.body)
        return received

    with proxied(port, count) as meter.url:
        yield meter
