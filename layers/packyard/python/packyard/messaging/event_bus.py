"""EventBridge: the events of all organisations on the operator's bus (parameter `EventBusName`)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from packyard.aws.outages import outages_translated
from packyard.errors import ServiceUnavailable
from packyard.packs.event import Event

logger = Logger(child=True)

SOURCE: Final = "packyard"
# API_PutEvents: the most entries, and a size in bytes that all of them stay below.
_BATCH_ENTRIES: Final = 10
_BATCH_BYTES: Final = 200_000
_ENTRY_OVERHEAD: Final = 200


class EventBus:
    """One event bus.

    Args:
        client: An EventBridge client.
        name: The bus's name or ARN.
    """

    def __init__(self, *, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def entry_of(self, event: Event, payload: str) -> Mapping[str, Any]:
        """Return an event as an entry for the bus.

        Args:
            event: The event.
            payload: The event as webhooks get it. The detail adds the organisation, since a bus has all of them.
        """
        detail = {"org_id": event.org_id, **json.loads(payload)}
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": str(event.type),
            "Detail": json.dumps(detail, ensure_ascii=False, separators=(",", ":")),
            "Time": int(event.at.timestamp()),
        }

    def put(self, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Put entries on the bus, one call for up to ten, and return those that it did not take."""
        return [left for batch in _batches(entries) for left in self._put(batch)]

    def put_one(self, entry: Mapping[str, Any]) -> None:
        """Put an entry on the bus.

        Raises:
            ServiceUnavailable: The bus did not take it.
        """
        if self.put([entry]):
            raise ServiceUnavailable

    def _put(self, batch: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        try:
            with outages_translated():
                answer = self._client.put_events(Entries=batch)
        except (ServiceUnavailable, ClientError):
            # Also a bus that is gone or does not let us in: the operator can repair that within a day.
            logger.exception("the event bus has not taken events", extra={"bus": self._name})
            return batch
        results = answer["Entries"]
        return [entry for entry, result in zip(batch, results, strict=True) if "ErrorCode" in result]


def _batches(entries: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    size = 0
    for entry in entries:
        cost = len(str(entry["Detail"]).encode()) + _ENTRY_OVERHEAD
        if batch and (len(batch) == _BATCH_ENTRIES or size + cost > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += cost
    if batch:
        yield batch
