"""Serves functions over HTTP as API Gateway does: by the document's routes, behind the authorizer.

For tools that speak HTTP only, and many requests. What the gateway itself does is tried in `tests/e2e`.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.credentials import token_event
from tests.documented import DOCUMENT, assert_documented, documented_path
from tests.functions import function_of
from tests.gateway import Request

# What the template's gateway responses have.
_REFUSED: Final = {
    401: ("unauthenticated", "The credential is missing or not valid."),
    404: ("not_found", "There is no such operation."),
}


Invoke = Callable[[str, Any], Any]


@contextmanager
def served(invoke: Invoke, *, one_by_one: bool = True, stage: str = "") -> Iterator[str]:
    """Serve functions while the block lasts, and yield the API's URL.

    Args:
        invoke: Returns what a function answers to an event. Its arguments are the function's folder and the event.
        one_by_one: Whether it takes one request at a time, though clients keep several connections open.
        stage: What the paths of requests begin with, such as `/v1`.
    """

    class Handler(_Handler):
        gateway = _Gateway(invoke, stage)
        answering = Lock() if one_by_one else nullcontext()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{stage}"
        finally:
            server.shutdown()
            thread.join()


class _Gateway:
    def __init__(self, invoke: Invoke, stage: str) -> None:
        self._invoke = invoke
        self._stage = stage

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
        """Return the answer to a request in the form in which functions answer."""
        path, query = urlsplit(url).path.removeprefix(self._stage), urlsplit(url).query
        resource = documented_path(path)
        operation = DOCUMENT()["paths"].get(resource, {}).get(method.lower())
        if resource is None or operation is None:
            return _refusal(404)
        event = Request(
            method=method,
            resource=resource,
            path=path,
            query=parse_qs(query, keep_blank_values=True),
            headers=headers,
            body=body,
        ).event()
        if operation.get("security") != []:
            context = self._authorized(headers)
            if context is None:
                return _refusal(401)
            event["requestContext"]["authorizer"] = context
        answer: dict[str, Any] = self._invoke(function_of(operation["operationId"]), event)
        assert_documented(method, resource, answer["statusCode"])
        return answer

    def _authorized(self, headers: dict[str, str]) -> Any:
        token = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
        if not token:
            return None
        try:
            # A function in a process of its own answers with its error.
            return self._invoke("authorize", token_event(token)).get("context")
        except Exception as error:
            # The one word by which a function says so (API Gateway, "Output from a Lambda authorizer").
            if str(error) != "Unauthorized":
                raise
            return None


def _refusal(status: int) -> dict[str, Any]:
    code, message = _REFUSED[status]
    error = {"code": code, "message": message, "request_id": "00000000-0000-0000-0000-000000000000"}
    headers = {"Content-Type": ["application/json"]} | (
        {"WWW-Authenticate": ["Bearer"]} if status == 401 else {}
    )
    return {"statusCode": status, "multiValueHeaders": headers, "body": json.dumps({"error": error})}


class _Handler(BaseHTTPRequestHandler):
    gateway: _Gateway
    answering: AbstractContextManager[Any]
    protocol_version = "HTTP/1.1"
    # Headers and body go out together; otherwise the body waits until the client has acknowledged the headers.
    wbufsize = -1

    def _serve(self) -> None:
        size = self.headers.get("Content-Length")
        body = None if size is None else self.rfile.read(int(size))
        with self.answering:
            answer = self.gateway.answer(self.command, self.path, dict(self.headers.items()), body or None)
        content = (answer["body"] or "").encode()
        if answer.get("isBase64Encoded"):
            content = base64.b64decode(content)
        self.send_response(answer["statusCode"])
        for name, values in answer["multiValueHeaders"].items():
            for value in values:
                self.send_header(name, value)
        if answer["statusCode"] != 304 and "Content-Length" not in answer["multiValueHeaders"]:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    # The names are the library's.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""
