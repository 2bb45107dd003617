"""What lies between a function and AWS: passes every request on, counts requests and the capacity that they consume."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_DYNAMODB: Final = "DynamoDB_20120810."
_READS: Final = frozenset({"GetItem", "BatchGetItem", "Query"})
# What a query of an index consumes that finds nothing ("DynamoDB read and write operations"); not all emulators say so.
_LEAST_READ_UNITS: Final = 0.5
_NOT_PASSED_ON: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})


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
def metered(port: int) -> Iterator[Meter]:
    """Run a meter in front of 127.0.0.1:`port` while the block lasts."""
    meter = Meter()

    class Handler(_Handler):
        """Of this meter."""

        counter = meter
        behind = port

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    meter.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield meter
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    counter: Meter
    behind: int
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""

    def _pass_on(self) -> None:
        body = self._body()
        operation = self.headers.get("X-Amz-Target", "")
        operation = operation.removeprefix(_DYNAMODB) if operation.startswith(_DYNAMODB) else ""
        if operation:
            body = json.dumps(json.loads(body) | {"ReturnConsumedCapacity": "TOTAL"}).encode()
        headers = {key: value for key, value in self.headers.items() if key.lower() not in _NOT_PASSED_ON}
        status, received, answer = self._ask(headers, body)
        if not self.path.startswith("/v2/"):
            self.counter.count(operation, answer)
        self.send_response_only(status)
        for key, value in received.items():
            if key.lower() not in _NOT_PASSED_ON:
                self.send_header(key, value)
        # The length that HEAD states is that of the body which it leaves out.
        length = received.get("Content-Length", "0") if self.command == "HEAD" else str(len(answer))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(answer)

    # The base class looks for a method of each verb's name.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _ask(self, headers: Mapping[str, str], body: bytes) -> tuple[int, Message, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.behind, timeout=60)) as connection:
            connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
