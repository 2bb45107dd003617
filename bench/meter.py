"""What lies between a function and AWS: passes every request on, counts requests and the capacity that they consume."""

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
# What a query of an index consumes that finds nothing ("DynamoDB read and write operations"); not all emulators say so.
_LEAST_READ_UNITS: Final = 0.5


@dataclass
class Meter:
    """Counts since the last `reset`.

    Attributes:
        url: What to call instead of AWS.
        aws_calls: Requests that are not to the registry.
        read_units: Of the table and its indexes.
        write_units: The same.
        scanned: Items that queries have evaluated, whether or not they passed a filter.
    """

    url: str = ""
    aws_calls: int = 0
    read_units: float = 0
    write_units: float = 0
    scanned: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        """Count from nothing."""
        with self._lock:
            self.aws_calls, self.scanned, self.read_units, self.write_units = 0, 0, 0.0, 0.0

    def count(self, operation: str, answer: bytes) -> None:
        """Count one request to AWS.

        Args:
            operation: DynamoDB's name of it; empty for the other services.
            answer: The body that came back.
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
        port: Where requests are passed on to.
        signs_cursors: What to answer to whoever asks Secrets Manager, for an emulator that is of a table alone. It is
            not counted: a container asks once in five minutes.
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
