"""Events in requests and answers."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.http.page_limit import CURSOR, LIMIT, parse_limit, position_of, with_next
from packyard.packs.event import EVENT_ID, Event, EventType, is_event_id
from packyard.packs.pack import PACK_ID, is_pack_id
from packyard.packs.role import ROLE_ID, is_role_id
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursor import Position
from packyard.store.cursors import Cursors
from packyard.store.event_pages import EventFilters, EventPage
from packyard.tenants.caller import Caller
from packyard.text.suggestion import not_one_of

_MAX_ACTOR_CHARACTERS: Final = 512
_EXAMPLE: Final = "01JQ2V7N3T5W8XABCDEFGHJKMN"
_AFTER: Final = Field(
    name="after",
    pattern=EVENT_ID.pattern,
    example=_EXAMPLE,
    description="Only events after this one, the oldest first. Without it, the newest first.",
)
_BEFORE: Final = Field(
    name="before", pattern=EVENT_ID.pattern, example=_EXAMPLE, description="Only events before this one."
)
_TYPE: Final = Field(
    name="type", values=tuple(str(kind) for kind in EventType), description="Only events of this type."
)
_PACK: Final = Field(
    name="pack_id",
    pattern=PACK_ID.pattern,
    example=f"pack_{_EXAMPLE}",
    description="Only events of this pack.",
)
_ROLE: Final = Field(
    name="role_id", pattern=ROLE_ID.pattern, example="support-agent", description="Only events of this role."
)
_ACTOR: Final = Field(
    name="actor",
    min_length=1,
    max_length=_MAX_ACTOR_CHARACTERS,
    example="key:9f86d081884c7d65",
    description="Only what this principal has done, as events name it.",
)
QUERY: Final = (LIMIT, CURSOR, _AFTER, _BEFORE, _TYPE, _PACK, _ROLE, _ACTOR)


class EventsRequest(NamedTuple):
    """The page of events that a client asks for.

    Attributes:
        limit: The most events on the page, 1 to 100. It may differ from page to page.
        position: Where the page begins; None for the start.
    """

    filters: EventFilters
    limit: int
    position: Position | None


def read_events_request(event: APIGatewayProxyEvent, caller: Caller, cursors: Cursors) -> EventsRequest:
    """Return the page of events that a query string asks for.

    Raises:
        InvalidRequest: Every parameter that is wrong, by name.
        ServiceUnavailable: There is a cursor, and the secret that signs cursors cannot be read.
    """
    given = event.query_string_parameters or {}
    faults = {name: fault for name, text in given.items() if (fault := _fault(name, text)) is not None}
    limit = parse_limit(given.get(LIMIT.name), faults)
    if faults:
        raise InvalidRequest(faults)
    filters = EventFilters(
        pack_id=given.get(_PACK.name),
        role_id=given.get(_ROLE.name),
        type=given.get(_TYPE.name),
        actor=given.get(_ACTOR.name),
        after=given.get(_AFTER.name),
        before=given.get(_BEFORE.name),
    )
    position = position_of(given, filters.binding(caller.org_id), cursors)
    return EventsRequest(filters=filters, limit=limit, position=position)


def event_page_view(
    page: EventPage, filters: EventFilters, caller: Caller, cursors: Cursors
) -> Mapping[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"events": [event_view(event) for event in page.events]}
    return with_next(body, page.next_position, cursors, filters.binding(caller.org_id))


def event_view(event: Event) -> dict[str, Any]:
    """Return an event as clients see it."""
    optional = {"pack_id": event.pack_id, "role_id": event.role_id, "revision": event.revision}
    return {
        "id": event.id,
        "type": event.type,
        "at": format_timestamp(event.at),
        "actor": event.actor,
        "request_id": event.request_id,
        **{name: value for name, value in optional.items() if value is not None},
        "data": dict(event.data),
    }


def _fault(name: str, text: str) -> str | None:
    if name in (_AFTER.name, _BEFORE.name) and not is_event_id(text):
        return f"must be the id of an event, as in {_EXAMPLE}"
    if name == _TYPE.name and text not in list(EventType):
        return not_one_of(text[:64], tuple(str(kind) for kind in EventType))
    if name == _PACK.name and not is_pack_id(text):
        return f"must be the id of a pack, as in {_PACK.example}"
    if name == _ROLE.name and not is_role_id(text):
        return (
            "must be the id of a role: 1 to 128 letters, digits and . _ -, beginning with a letter or digit"
        )
    if name == _ACTOR.name and not 1 <= len(text) <= _MAX_ACTOR_CHARACTERS:
        return f"must be a principal as events name it, 1 to {_MAX_ACTOR_CHARACTERS} characters"
    return None
