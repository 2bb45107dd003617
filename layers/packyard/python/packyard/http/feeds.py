"""Feeds in requests and answers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.doors.door import Door
from packyard.doors.served_pack import Catalogue
from packyard.errors import AlreadyCreated, InvalidRequest
from packyard.http.app import json_response
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json, whole_number
from packyard.http.own_url import link_base
from packyard.http.page_limit import PageRequest, read_page_request, with_next
from packyard.operations.feeds import FeedRequest, MadeFeed
from packyard.packs.feed import FEED_ID, MAX_LABEL_CHARACTERS, MAX_PACKS, Feed
from packyard.packs.pack import PACK_ID, is_pack_id
from packyard.packs.role import ROLE_ID, is_role_id
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursor import Position
from packyard.store.cursors import Cursors
from packyard.store.feed_uses import FeedDay
from packyard.store.feeds import binding
from packyard.tenants.caller import Caller

_ROLE_ID: Final = Field(
    name="role_id",
    pattern=ROLE_ID.pattern,
    example="support-agent",
    description="The role whose packs it serves, at the revisions that the role pins. Either this or `pack_ids`.",
)
_PACK_IDS: Final = Field(
    name="pack_ids",
    kind="array",
    items=Field(name="pack_id", pattern=PACK_ID.pattern),
    min_items=1,
    max_items=MAX_PACKS,
    example=["pack_01J9ZQ5T7RK8M3V6W2X4Y0B1CD"],
    description="The packs that it serves, at their current revisions. Either this or `role_id`.",
)
_LABEL: Final = Field(
    name="label",
    min_length=1,
    max_length=MAX_LABEL_CHARACTERS,
    example="laptops of the support team",
    description="A name for people, of printable characters.",
)
_EXPIRES_IN: Final = Field(
    name="expires_in",
    kind="integer",
    minimum=60,
    maximum=366 * 24 * 60 * 60,
    example=2_592_000,
    description="The feed's life in seconds, not beyond the end of the API key that makes it. Absent: until that end, "
    "or until somebody removes it.",
)
FEED_REQUEST: Final = Body(
    name="FeedRequest",
    description="A feed to make, of a role or of packs.",
    fields=(_ROLE_ID, _PACK_IDS, _LABEL, _EXPIRES_IN),
    one_of=(_ROLE_ID.name, _PACK_IDS.name),
)
FEED: Final = Field(
    name="feed_id", required=True, pattern=FEED_ID.pattern, description="The feed, as `GET /feeds` names it."
)


def read_feed_request(event: APIGatewayProxyEvent) -> FeedRequest:
    """Return the feed that a body asks for.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: Every field that is wrong, by name.
    """
    given = read_json(event, FEED_REQUEST)
    faults: dict[str, str] = {}
    if (_ROLE_ID.name in given) == (_PACK_IDS.name in given):
        faults[_ROLE_ID.name] = (
            "state either role_id, for the packs of a role, or pack_ids, for packs; not both"
        )
    asked = FeedRequest(
        role_id=_role_id(given, faults),
        pack_ids=_pack_ids(given, faults),
        label=_label(given, faults),
        lifetime=_lifetime(given, faults),
    )
    if faults:
        raise InvalidRequest(faults)
    return asked


def read_feed_list(event: APIGatewayProxyEvent, caller: Caller, cursors: Cursors) -> PageRequest:
    """Return the page of feeds that a query string asks for; see `read_page_request`."""
    return read_page_request(event, binding(org_id=caller.org_id), cursors)


def feed_view(feed: Feed) -> dict[str, Any]:
    """Return a feed as clients see it, without its secret."""
    optional = {
        "role_id": feed.role_id,
        "pack_ids": list(feed.pack_ids) or None,
        "label": feed.label,
        "expires_at": None if feed.expires_at is None else format_timestamp(feed.expires_at),
    }
    return {
        "id": feed.id,
        **{name: value for name, value in optional.items() if value is not None},
        "created_at": format_timestamp(feed.created_at),
        "created_by": feed.created_by,
    }


def feed_state_view(feed: Feed, last: FeedDay | None, catalogue: Catalogue | None) -> dict[str, Any]:
    """Return a feed beside what is known of its use, and what its doors serve.

    Args:
        feed: The feed.
        last: Its last day of use; None if that is not known.
        catalogue: What it serves; None if its role is gone, so that its address answers 404.
    """
    used = {} if last is None else {"last_seen": last.day, "networks": last.networks}
    if catalogue is None:
        return {**feed_view(feed), **used, "role_gone": True}
    return {
        **feed_view(feed),
        **used,
        "doors": {door.value: _door_view(catalogue, door) for door in Door},
        "preparing": list(catalogue.pending),
    }


def _door_view(catalogue: Catalogue, door: Door) -> dict[str, Any]:
    left_out = [
        {"pack_id": pack.pack_id, "owner": pack.owner, "name": pack.name, "reason": reason}
        for pack in catalogue.packs
        if (reason := pack.reason_of(door)) is not None
    ]
    nowhere = [
        {name: value for name, value in left._asdict().items() if value} for left in catalogue.left_out
    ]
    return {
        "serves": [pack.pack_id for pack in catalogue.fitting(door)],
        "leaves_out": [*left_out, *nowhere],
    }


def feed_page_view(
    page: Sequence[Feed], position: Position | None, caller: Caller, cursors: Cursors
) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"feeds": [feed_view(feed) for feed in page]}
    return with_next(body, position, cursors, binding(org_id=caller.org_id))


def made_response(event: APIGatewayProxyEvent, made: MadeFeed, *, public_url: str) -> Response[str]:
    """Return the answer that has a new feed's address, for this once. No cache on the way may keep it (RFC 9111).

    Args:
        event: The gateway's event.
        made: The feed.
        public_url: As for `link_base`.
    """
    base = link_base(event, public_url=public_url, path=event["resource"])
    body = {**feed_view(made.feed), "url": f"{base}/f/{made.secret}/"}
    return json_response(201, body, {"Cache-Control": "no-store"})


def made_before(body: Mapping[str, Any]) -> AlreadyCreated:
    """Return what a repeat of the request for a feed is answered.

    Args:
        body: The body of the first answer.
    """
    return AlreadyCreated(
        body["id"],
        advice=f"If the address was lost, remove the feed with DELETE /feeds/{body['id']} and make another one.",
    )


def _role_id(given: Mapping[str, Any], faults: dict[str, str]) -> str | None:
    value = given.get(_ROLE_ID.name)
    if _ROLE_ID.name not in given:
        return None
    if not isinstance(value, str) or not is_role_id(value):
        faults[_ROLE_ID.name] = (
            f'must be the id of a role, as in "{_ROLE_ID.example}"; GET /agent-roles lists them'
        )
        return None
    return value


def _pack_ids(given: Mapping[str, Any], faults: dict[str, str]) -> tuple[str, ...]:
    value = given.get(_PACK_IDS.name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        faults[_PACK_IDS.name] = 'must be a list of texts, as in ["pack_01J9ZQ5T7RK8M3V6W2X4Y0B1CD"]'
    elif _PACK_IDS.name in given and not 1 <= len(value) <= MAX_PACKS:
        faults[_PACK_IDS.name] = f"must name 1 to {MAX_PACKS} packs"
    elif odd := [each for each in value if not is_pack_id(each)]:
        faults[_PACK_IDS.name] = (
            f"has {odd[0][:64]!r}, which is not the id of a pack; ids are pack_ and 26 capital letters and digits"
        )
    elif len(set(value)) < len(value):
        faults[_PACK_IDS.name] = "names a pack twice; name it once"
    else:
        return tuple(value)
    return ()


def _label(given: Mapping[str, Any], faults: dict[str, str]) -> str | None:
    value = given.get(_LABEL.name)
    if _LABEL.name not in given:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_LABEL_CHARACTERS or not value.isprintable():
        faults[_LABEL.name] = f"must be 1 to {MAX_LABEL_CHARACTERS} printable characters"
        return None
    return value


def _lifetime(given: Mapping[str, Any], faults: dict[str, str]) -> timedelta | None:
    if _EXPIRES_IN.name not in given:
        return None
    value = whole_number(given[_EXPIRES_IN.name])
    least, most = _EXPIRES_IN.minimum or 0, _EXPIRES_IN.maximum or 0
    if value is None or not least <= value <= most:
        faults[_EXPIRES_IN.name] = f"must be a whole number of seconds from {least} to {most} (366 days)"
        return None
    return timedelta(seconds=value)
