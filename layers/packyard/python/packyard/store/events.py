"""The log of events. Each store that writes adds an event to its own transaction, so that neither is without the other.

An event's id has the time at which it was made, right before the transaction. The transaction succeeds within seconds
of that, or not at all: `Table.transact` begins no attempt later than `ATTEMPTS_SECONDS`. So when an id is ten seconds
old, every event with a smaller id is in the table, and lists show ids up to that age only (decision 103).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from packyard.store.table import Put

if TYPE_CHECKING:
    from packyard.packs.event import EventDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """Makes the events of writes.

    Attributes:
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        request_id: Returns the id of the present request or background invocation.
        kept: For how long events are kept.
        ci: Returns what is known of the run of CI that the present request is for; nothing if it is for none.
        source: Returns where the sender of the present request says that the content comes from; empty for nothing.
    """

    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]
    request_id: Callable[[], str]
    kept: timedelta
    ci: Callable[[], Mapping[str, str]] = dict
    source: Callable[[], str] = str

    def put(self, draft: "EventDraft") -> Put:
        """Return the action that writes an event, for the transaction that does what the event tells.

        Make it right before that transaction. It is another event each time, so the token of the transaction must
        depend on it (`token_of`).

        Args:
            draft: What happens.
        """
        # Every store has a log, and only writes use it: functions that read do not load what makes events.
        from packyard.packs.event import CI, SOURCE, Event, bounded, event_id  # noqa: PLC0415 - only writes need it
        from packyard.store.event_items import to_item  # noqa: PLC0415 - only writes need it

        now, ci, source = self.clock(), self.ci(), self.source()
        known: dict[str, Any] = ({CI: dict(ci)} if ci else {}) | ({SOURCE: source} if source else {})
        event = Event(
            id=event_id(now, self.new_ulid()),
            type=draft.type,
            org_id=draft.org_id,
            at=now,
            actor=draft.actor,
            request_id=draft.request_id or self.request_id(),
            pack_id=draft.pack_id,
            role_id=draft.role_id,
            revision=draft.revision,
            # First, so that it stays where data is too long.
            data=bounded({**known, **draft.data} if known else draft.data),
        )
        item = to_item(event, expires_at=int((now + self.kept).timestamp()))
        return Put(item=item, condition="attribute_not_exists(PK)")
