"""A function in a process of its own, as a snapshot finds it: what it does before its first request, and what then.

Run by `tests.snapshots`. Its AWS calls come back to the test through its output and input, one JSON line each.

Each function starts in a fork of one process, which has loaded only what every function loads, as
`test_function_imports` says, and read what botocore knows of the services. That takes most of the time of a start.
"""

import base64
import io
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from threading import Lock
from typing import Any, Final

import aws_lambda_powertools.logging  # noqa: F401 - as every function does
import boto3
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.loaders import create_loader

_ORDER_BYTES: Final = 64 << 10
_SERVICES: Final = ("dynamodb", "ecr", "events", "kms", "lambda", "s3", "secretsmanager", "sqs", "sts")
_KNOWN: Final = create_loader()
# A number that is no stream's before.
_TO_TEST: Final = 100
# The queries of a listing run side by side.
_ASKING: Final = Lock()


class Context:
    """What Lambda tells a function about itself."""

    function_name = "test"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:test"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return enough."""
        return 29_000


class Body(io.BytesIO):
    """An answer's body, as botocore reads it."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """Return what is left as one piece."""
        yield self.read()


def ask(**question: Any) -> Any:
    """Send a line to the test and return the line that it answers with."""
    with _ASKING:
        os.write(_TO_TEST, f"{json.dumps(question)}\n".encode())
        return json.loads(sys.stdin.readline())


def main() -> None:
    """Start a function in a fork for each order that comes in, and answer with its process."""
    for service in _SERVICES:
        _KNOWN.load_service_model(service, "service-2")
        _KNOWN.load_service_model(service, "endpoint-rule-set-1")
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        _KNOWN.load_data(name)
    # Nobody waits for the forks.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders = socket.socket(fileno=int(sys.argv[1]))
    while True:
        order, streams, _, _ = socket.recv_fds(orders, _ORDER_BYTES, 2)
        if not order:
            return
        process = os.fork()
        if not process:
            orders.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(json.loads(order), *streams)
            return
        for stream in streams:
            os.close(stream)
        orders.send(str(process).encode())


def _become(order: Any, from_test: int, to_test: int) -> None:
    """Be the process of a function: with its environment, its path and its streams."""
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.path[:0] = order["folders"]
    os.dup2(from_test, 0)
    # Whatever else writes to the output, such as the log, is not for the test.
    os.dup2(to_test, _TO_TEST)
    os.dup2(2, 1)
    for stream in (from_test, to_test):
        os.close(stream)
    run()


def run() -> None:
    """Start the function, say what that did, and take events for as long as there are any."""
    seen: dict[str, list[str]] = {"clients": [], "connections": []}

    def forward(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        body: Any = request.body or b""
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
        headers = {name: _text(value) for name, value in request.headers.items()}
        answer = ask(
            kind="aws",
            method=request.method,
            url=request.url,
            headers=headers,
            body=base64.b64encode(content).decode(),
        )
        raw: Any = Body(base64.b64decode(answer["body"]))
        return AWSResponse(request.url, answer["status"], answer["headers"], raw)

    def note_connection(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            seen["connections"].append(str(arguments[1]))

    core = botocore.session.get_session()
    core.register_component("data_loader", _KNOWN)
    boto3.setup_default_session(botocore_session=core)
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-send", forward)
    session.events.register(
        "creating-client-class", lambda event_name, **_: seen["clients"].append(event_name)
    )
    sys.addaudithook(note_connection)
    handler = import_module("app").lambda_handler
    loaded = set(sys.modules)
    event = ask(kind="started", **seen)
    while event is not None:
        for noted in seen.values():
            noted.clear()
        began = time.process_time()
        answer = handler(event, Context())
        took = time.process_time() - began
        modules = sorted(set(sys.modules) - loaded)
        event = ask(kind="answer", answer=answer, modules=modules, cpu_seconds=took, **seen)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main()
