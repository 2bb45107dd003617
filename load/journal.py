"""Records requests and answers, and checks that the contract allows each answer."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import urllib3
from tests.e2e.client import Client, Reply

# API contract, section 1: the answers to a failure behind the service.
DOCUMENTED: Final[dict[int, frozenset[str]]] = {
    502: frozenset({"registry_cleanup_failed", "registry_unavailable"}),
    503: frozenset({"service_unavailable"}),
    504: frozenset({"timeout"}),
}
# Errors that the mix itself causes, by competing requests.
EXPECTED: Final = frozenset({404, 409, 412})
ERROR: Final = 400
SERVER_ERROR: Final = 500
NO_ANSWER: Final = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A request.

    Attributes:
        operation: Its operation.
        at: When it was due: seconds from the start.
        seconds: From then until the answer.
        status: The answer's status; 0 for no answer.
    """

    operation: str
    at: float
    seconds: float
    status: int


@dataclass
class Journal:
    """All requests.

    Attributes:
        started: When the load began (`time.monotonic`).
        entries: The requests.
        undocumented: Answers that the contract does not allow, in words.
    """

    started: float = field(default_factory=time.monotonic)
    entries: list[Entry] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(
        self, client: Client, operation: str, method: str, path: str, *, due: float | None = None, **more: Any
    ) -> Reply | None:
        """Send a request and record it.

        Args:
            client: The client that sends it.
            operation: The name to record.
            method: The verb.
            path: The path below the stage.
            due: When it should have been sent (`time.monotonic`); by default now.
            more: As for `Client.call`.

        Returns:
            The answer; None if there was none, or one that the contract does not allow.
        """
        due = due or time.monotonic()
        reply, fault = None, ""
        try:
            reply = client.call(method, path, **more)
        except AssertionError as error:
            fault = str(error)
        except urllib3.exceptions.HTTPError as error:
            fault = f"{method} {path} was not answered: {error}"
        seconds = time.monotonic() - due
        with self._lock:
            status = reply.status if reply else NO_ANSWER
            self.entries.append(Entry(operation, due - self.started, seconds, status))
            fault = fault or (fault_of(reply) if reply else "")
            if fault:
                self.undocumented.append(f"{operation}: {fault}")
        return reply

    def by_status(self) -> dict[str, int]:
        """Return how many requests had each status; "none" for no answer."""
        counts = Counter(entry.status for entry in self.entries)
        return {str(status or "none"): counts[status] for status in sorted(counts)}


def fault_of(reply: Reply) -> str:
    """Return what is wrong with an answer; empty if nothing is."""
    if reply.status < ERROR:
        return ""
    error = reply.body.get("error", {}) if isinstance(reply.body, dict) else {}
    if error.get("request_id") != reply.headers.get("X-Request-Id"):
        return f"{reply.status} {reply.body} names another request than {reply.headers.get('X-Request-Id')}"
    if reply.status >= SERVER_ERROR:
        known = error.get("code") in DOCUMENTED.get(reply.status, ())
        return "" if known else f"{reply.status} {reply.body} is no failure that the contract knows"
    return "" if reply.status in EXPECTED else f"{reply.status} {reply.body} was not expected"
