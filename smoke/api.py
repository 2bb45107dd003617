"""Sends requests to the API, the registry and the bucket, and counts them."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from smoke.cost import Meter

# Longer than the gateway waits for a function (29 s).
_SECONDS: Final = 40
_SHOWN: Final = 600


class NotProved(Exception):
    """The deployment did not do what it should. The message says what it did."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API.

    Attributes:
        status: Its HTTP status.
        headers: Its headers.
        body: Its body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body's JSON object.

        Raises:
            NotProved: The body is not a JSON object.
        """
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NotProved(f"an answer is not a JSON object: {self.body[:_SHOWN]!r}")
        return found


class Wire:
    """Sends requests and counts them.

    Args:
        meter: Counts them.
    """

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        # A registry's blobs are often behind a redirect; urllib3 shows no credential to another host.
        retries = urllib3.Retry(total=None, connect=2, read=0, status=0, other=0, redirect=4)
        self._http = urllib3.PoolManager(retries=retries, timeout=_SECONDS)

    def send(self, to: str, method: str, url: str, **request: Any) -> Answer:
        """Send a request and return its answer, whatever its status.

        Args:
            to: What it is counted as: `api`, `registry` or `bucket`.
            method: GET, POST and so on.
            url: The URL.
            request: Further arguments of urllib3: `headers`, `fields`, `body` or `json`.

        Raises:
            NotProved: There was no answer.
        """
        self.meter.requests[to] += 1
        self.meter.sent += _size(request)
        started = time.monotonic()
        self.meter.busy = True
        try:
            answer = self._http.request(method, url, **request)
        except urllib3.exceptions.HTTPError as error:
            raise NotProved(f"{method} {url} was not answered: {error}") from error
        self.meter.busy = False
        self.meter.received += len(answer.data)
        if to == "api":
            self.meter.api_seconds += time.monotonic() - started
        return Answer(answer.status, answer.headers, answer.data)


@dataclass(frozen=True, slots=True)
class Api:
    """Calls the API for one organisation.

    Attributes:
        wire: Sends the requests.
        url: The API's base URL.
        key: The organisation's API key; None to send no credential.
    """

    wire: Wire
    url: str
    key: str | None

    def call(self, method: str, path: str, expect: int, code: str | None = None, **request: Any) -> Answer:
        """Send a request and return its answer.

        Args:
            method: GET, POST and so on.
            path: Below the base URL, with its query.
            expect: The status that the answer must have.
            code: The code of the error that it must have.
            request: As for `Wire.send`.

        Raises:
            NotProved: The answer is another one.
        """
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= request.pop("headers", {})
        answer = self.wire.send("api", method, self.url + path, headers=headers, **request)
        found = answer.document.get("error", {}).get("code") if code else None
        if answer.status != expect or found != code:
            wanted = f"{expect} {code}" if code else f"{expect}"
            said = answer.body[:_SHOWN].decode(errors="replace")
            raise NotProved(f"{method} {path} was answered {answer.status}, not {wanted}: {said}")
        return answer


def _size(request: Mapping[str, Any]) -> int:
    """Return about how many bytes a request's body has."""
    files = [value for value in request.get("fields", {}).values() if isinstance(value, tuple)]
    return (
        len(request.get("body", b""))
        + sum(len(content) for _, content, _ in files)
        + len(json.dumps(request.get("json", "")))
    )
