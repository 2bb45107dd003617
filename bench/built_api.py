"""Built functions behind the API's routes, over a table in Dynalite: what the local stack's emulator is too slow for.

That emulator compares each item of a partition with a query's condition, one after the other: with ten thousand packs a
search of one letter takes it seconds. Here each function runs under Lambda's own runtime client, behind the authorizer,
and the table reads no further than a query needs.
"""

import base64
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from local.function import Function, running_function
from local.proxy import PassOn, Received, Sent, proxied
from tests.documented import DOCUMENT, documented_path
from tests.functions import function_of
from tests.gateway import Request

_METHOD: Final = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
_STAGE: Final = "/v1"
_NOT_FOUND: Final = 404
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class _Api:
    environment: Mapping[str, str]
    logs: Path
    running: ExitStack
    functions: dict[str, tuple[Function, Lock]] = field(default_factory=dict)
    starting: Lock = field(default_factory=Lock)

    def answer(self, request: Sent, _: PassOn) -> Received:
        """Answer a request as the gateway does, of the routes in the document."""
        parts = urlsplit(request.path)
        path = parts.path.removeprefix(_STAGE)
        resource = documented_path(path)
        operation = DOCUMENT()["paths"].get(resource, {}).get(request.method.lower())
        if resource is None or operation is None:
            return Received(_NOT_FOUND, Message(), b"")
        headers = {name: str(value) for name, value in request.headers.items()}
        event = Request(
            method=request.method,
            resource=resource,
            path=path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers=headers,
            body=request.body or None,
        ).event()
        if operation.get("security") != []:
            token = {
                "type": "TOKEN",
                "authorizationToken": request.headers.get("Authorization", ""),
                "methodArn": _METHOD,
            }
            allowed = self.invoke("authorize", token)
            if "context" not in allowed:
                return Received(_UNAUTHORIZED, Message(), b"")
            event["requestContext"]["authorizer"] = allowed["context"]
        return _received(self.invoke(function_of(operation["operationId"]), event))

    def invoke(self, name: str, event: object) -> Any:
        """Return what a function answers. It starts when it is first asked; it takes one event at a time."""
        with self.starting:
            if name not in self.functions:
                log_path = self.logs / f"{name}.log"
                started = running_function(name, environment=self.environment, log_path=log_path)
                self.functions[name] = self.running.enter_context(started), Lock()
        function, idle = self.functions[name]
        with idle:
            return function.invoke(event)


def _received(answer: Mapping[str, Any]) -> Received:
    headers = Message()
    for name, values in answer["multiValueHeaders"].items():
        for value in values:
            headers[name] = value
    body = (answer["body"] or "").encode()
    return Received(
        answer["statusCode"], headers, base64.b64decode(body) if answer.get("isBase64Encoded") else body
    )


@contextmanager
def running_api(*, environment: Mapping[str, str], logs: Path) -> Iterator[str]:
    """Serve the API on a port of the loopback interface while the block lasts, and yield its URL.

    Args:
        environment: The functions' variables.
        logs: A folder for their logs.
    """
    with ExitStack() as running:
        api = _Api(environment=environment, logs=logs, running=running)
        # It passes nothing on.
        with proxied(0, api.answer) as url:
            yield url + _STAGE
