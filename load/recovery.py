"""Runs the hours after the load in seconds: the service's own code settles every message.

The queues delay messages for a quarter of an hour and more (a build may take that long). So they are taken from the
queues here, and the code of `clean_up` and `build_upload` settles them with a clock that is ahead.
"""

import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from local.aws import Endpoint
from local.sam_deployment import function_environment, outputs

from packyard.composition.bootstrap import Services
from packyard.composition.settings import Settings
from packyard.errors import PackyardError
from packyard.messaging.not_yet import NotYet

# Each round is past every deadline and lease.
_LEAP: Final = timedelta(minutes=30)
_ROUNDS: Final = 12
# Long enough for running work, delays included. Slower work is done twice, which must do no harm.
_QUIET_SECONDS: Final = 10
_PROBLEMS = (PackyardError, ValueError)


@dataclass
class Future:
    """A service whose clock is ahead.

    Attributes:
        endpoint: The emulator.
        url: The URL that the functions call. No faults may be injected there any more.
        ahead: How far.
        troubles: Errors while settling messages.
    """

    endpoint: Endpoint
    url: str
    ahead: timedelta = timedelta()
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        session = self.endpoint.session()
        self.services = Services(
            settings=Settings.from_environment(function_environment("build_upload", endpoint=self.endpoint)),
            clock=self.now,
            client=lambda service: session.client(service, endpoint_url=self.url),  # type: ignore[call-overload]
        )
        self._sqs = session.client("sqs", endpoint_url=self.endpoint.url)
        self._outputs = outputs(endpoint=self.endpoint)

    def now(self) -> datetime:
        """Return the time by that clock."""
        return datetime.now(UTC) + self.ahead

    def settle(self) -> list[str]:
        """Deliver every message until none is left. Return the cleanup messages that stay, dead letters included."""
        self._stop_delivery()
        cleanups: list[str] = []
        builds: list[str] = []
        for _ in range(_ROUNDS):
            self.ahead += _LEAP
            builds += self._take("BuildQueueUrl")
            builds = [body for body in builds if not self._settled(self.services.builder.settle, body)]
            cleanups += self._take("CleanupQueueUrl")
            cleanups = [body for body in cleanups if not self._settled(self.services.cleaner.settle, body)]
            if not builds and not cleanups and not self._waiting("CleanupQueueUrl"):
                break
        self.ahead += _LEAP
        self.troubles += [
            f"a build is left: {body}" for body in (*builds, *self._waiting("BuildDeadLettersUrl"))
        ]
        return cleanups + self._waiting("CleanupQueueUrl") + self._waiting("CleanupDeadLettersUrl")

    def _settled(self, settle: Any, body: str) -> bool:
        try:
            settle(body)
        except NotYet:
            return False
        except _PROBLEMS as problem:
            self.troubles.append(f"{problem!r} of {body}")
            return False
        return True

    def _stop_delivery(self) -> None:
        """Stop the emulator from delivering, and wait for running deliveries."""
        functions = self.endpoint.session().client("lambda", endpoint_url=self.endpoint.url)
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        time.sleep(_QUIET_SECONDS)

    def _waiting(self, queue: str) -> list[str]:
        return [message["Body"] for message in self._messages(self._outputs[queue])]

    def _take(self, queue: str) -> Sequence[str]:
        bodies = self._waiting(queue)
        self._sqs.purge_queue(QueueUrl=self._outputs[queue])
        return bodies

    def _messages(self, queue_url: str) -> Iterator[dict[str, Any]]:
        # SQS itself does not show delayed messages; the emulator does.
        query = urlencode({"QueueUrl": queue_url})
        with urllib.request.urlopen(f"{self.endpoint.url}/_ministack/sqs/messages?{query}") as answer:  # noqa: S310 - ours
            found = json.load(answer)["messages"]
        for regions in found.values():
            for queues in regions.values():
                for messages in queues.values():
                    yield from messages
