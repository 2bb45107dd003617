"""Clients of the API that repeat a request which was answered 5xx.

A repeated POST carries the same `Idempotency-Key`. Everything else is repeated unchanged.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import urllib3
from local.stack import StackDescription
from tests.e2e.client import Client, Reply

from load.journal import SERVER_ERROR, Journal
from load.promises import Promises

READERS: Final = ("full_access", "submit_observe", "read_only")
_ATTEMPTS: Final = 4
_FIRST_WAIT_SECONDS: Final = 0.2
_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One request's place in the load.

    Attributes:
        due: When it was due (`time.monotonic`).
        org: The slug of the client's organisation.
        number: This arrival's unique number.
        randomness: Its own random generator.
    """

    due: float
    org: str
    number: int
    randomness: Random


@dataclass
class Clients:
    """All clients.

    Attributes:
        stack: The stack that they call.
        journal: Records their requests.
        promises: Records what they are told.
        at_once: The number of connections.
    """

    stack: StackDescription
    journal: Journal
    promises: Promises
    at_once: int
    _http: urllib3.PoolManager = field(init=False)

    def __post_init__(self) -> None:
        self._http = urllib3.PoolManager(
            retries=False, timeout=_TIMEOUT_SECONDS, maxsize=self.at_once, block=True
        )

    def of(self, org: str, permission_set: str = "full_access") -> Client:
        """Return a client of an organisation."""
        return Client(self.stack, self._http, self.stack["orgs"][org]["keys"][permission_set])

    def read(self, turn: Turn, operation: str, path: str) -> Reply | None:
        """Read something with one of the organisation's keys."""
        client = self.of(turn.org, turn.randomness.choice(READERS))
        return self.journal.ask(client, operation, "GET", path, due=turn.due)

    def insist(  # noqa: PLR0913 - the parts of a request
        self,
        turn: Turn,
        operation: str,
        client: Client,
        method: str,
        path: str,
        *,
        unsure: Callable[[], object] = lambda: None,
        **more: Any,
    ) -> Reply | None:
        """Repeat a request until the answer is not 5xx, four times at most. Return the last answer."""
        due: float | None = turn.due
        reply = None
        for attempt in range(_ATTEMPTS):
            reply = self.journal.ask(client, operation, method, path, due=due, **more)
            if reply is not None and reply.status < SERVER_ERROR:
                return reply
            unsure()
            due = None
            time.sleep(_FIRST_WAIT_SECONDS * 2**attempt)
        return reply

    def show(self, org: str, operation: str, reply: Reply, archive: bytes = b"") -> None:
        """Record that a client was shown a pack; see `Promises.show`."""
        self.promises.show(org, operation, reply.body, reply.revision, archive)

    def post_form(self, url: str, fields: dict[str, Any]) -> int:
        """Post a presigned form as a browser does, and return the status."""
        return self._http.request("POST", url, fields=fields).status
