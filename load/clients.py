"""Clients of the API, who insist: what answers 5xx is asked again.

A POST that is asked again carries the same `Idempotency-Key`; everything else is repeated as it was.
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
    """One arrival.

    Attributes:
        due: When it was due (`time.monotonic`).
        org: Whose client it is: a slug.
        number: Of this arrival; no other has it.
        randomness: Its own.
    """

    due: float
    org: str
    number: int
    randomness: Random


@dataclass
class Clients:
    """All clients.

    Attributes:
        stack: What they talk to.
        journal: Notes what they ask.
        promises: Notes what they are told.
        at_once: How many connections there may be.
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

    def insist(  # noqa: PLR0913 - what a request is
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
        """Ask until the answer is none of 5xx, four times at most; return the last one."""
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
        """Note that a client was shown a pack; see `Promises.show`."""
        self.promises.show(org, operation, reply.body, revision_of(reply), archive)

    def post_form(self, url: str, fields: dict[str, Any]) -> int:
        """Post a presigned form, as any browser does; return the status."""
        return self._http.request("POST", url, fields=fields).status


def revision_of(reply: Reply) -> int:
    """Return the revision of the pack that an answer shows."""
    return int(reply.headers["ETag"].strip('"'))
