"""A receiver of webhooks on this machine, which notes what each organisation's webhook was sent."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

# The first retry comes after half a minute, and a call that the load lets fail may be the retry's too.
_PATIENCE_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 1.0


@dataclass
class Receiver:
    """What has arrived.

    Attributes:
        url: Its address; an organisation's webhook has the slug as the path.
        got: The ids of the events, by slug.
        bodies: What was sent, by slug.
    """

    url: str
    got: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    bodies: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def breaches(
        self, events: Callable[[], Mapping[str, set[str]]], *, patience: float = _PATIENCE_SECONDS
    ) -> Iterator[str]:
        """Wait for what is on its way, and yield the events that have not arrived.

        Args:
            events: Returns the ids of the events that each organisation's webhook is to get, by slug.
            patience: For how many seconds to wait.
        """
        end = time.monotonic() + patience
        while (missing := self._missing(events())) and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
        yield from (f"the webhook of {slug} has not got the event {event}" for slug, event in missing)

    def _missing(self, events: Mapping[str, set[str]]) -> list[tuple[str, str]]:
        return [(slug, event) for slug, ids in events.items() for event in sorted(ids - self.got[slug])]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            slug = self.path.strip("/")
            receiver.bodies[slug].append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            receiver.got[slug].add(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.1,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
