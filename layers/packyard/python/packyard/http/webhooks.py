"""Webhooks in requests and answers."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import AlreadyCreated, InvalidRequest
from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.operations.webhooks import SecretShown, WebhookRequest
from packyard.packs.event import EventType
from packyard.packs.pack import PACK_ID, is_pack_id
from packyard.packs.precondition import role_tag
from packyard.packs.timestamp import format_timestamp
from packyard.text.suggestion import not_one_of
from packyard.webhooks.webhook import (
    MAX_DESCRIPTION_CHARACTERS,
    MAX_PACKS,
    MAX_URL_CHARACTERS,
    WEBHOOK_ID,
    Webhook,
    WebhookState,
)

_TYPES: Final = tuple(each.value for each in EventType)
_URL: Final = Field(
    name="url",
    required=True,
    min_length=1,
    max_length=MAX_URL_CHARACTERS,
    example="https://example.com/packyard",
    description="Where events are sent: https, to a host with public addresses.",
)
_EVENT_TYPES: Final = Field(
    name="types",
    kind="array",
    items=Field(name="type", values=_TYPES),
    max_items=len(_TYPES),
    example=["revision.withdrawn", "role.withdrawn_pin"],
    description="The types of events to send. Absent or empty: all types.",
)
_PACK_IDS: Final = Field(
    name="pack_ids",
    kind="array",
    items=Field(name="pack_id", pattern=PACK_ID.pattern),
    max_items=MAX_PACKS,
    example=["pack_01J9ZQ5T7RK8M3V6W2X4Y0B1CD"],
    description="Only events of these packs. Absent or empty: events of all packs, and those of no pack.",
)
_DESCRIPTION: Final = Field(
    name="description",
    max_length=MAX_DESCRIPTION_CHARACTERS,
    example="Tells the on-call channel",
    description="For people. An empty text removes it.",
)
_STATE: Final = Field(
    name="state",
    values=WebhookState,
    description="`disabled` stops sending; `active` begins again, with the events from then on.",
)
WEBHOOK_REQUEST: Final = Body(
    name="WebhookRequest",
    description="A webhook to make.",
    fields=(_URL, _EVENT_TYPES, _PACK_IDS, _DESCRIPTION),
)
WEBHOOK_CHANGE: Final = Body(
    name="WebhookChange",
    description="What to change of a webhook. A field that is absent stays as it is.",
    fields=(_URL._replace(required=False), _EVENT_TYPES, _PACK_IDS, _DESCRIPTION, _STATE),
    min_fields=1,
)
WEBHOOK: Final = Field(
    name="webhook_id",
    required=True,
    pattern=WEBHOOK_ID.pattern,
    description="The webhook, as `GET /webhooks` names it.",
)


def read_webhook_request(event: APIGatewayProxyEvent) -> WebhookRequest:
    """Return the webhook that a body asks for.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: Every field that is wrong, by name.
    """
    return WebhookRequest(**_values(read_json(event, WEBHOOK_REQUEST)))


def read_webhook_change(event: APIGatewayProxyEvent) -> Mapping[str, Any]:
    """Return what a body changes of a webhook, by the names of fields of `Webhook`.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: As for `read_webhook_request`; also when it changes
            nothing.
    """
    given = read_json(event, WEBHOOK_CHANGE)
    if not given:
        names = ", ".join(field.name for field in WEBHOOK_CHANGE.fields)
        raise InvalidRequest({"body": f"must give at least one of {names}"})
    return _values(given)


def webhook_view(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as clients see it, without its secrets."""
    optional = {
        "pack_ids": list(webhook.pack_ids) or None,
        "description": webhook.description,
        "disabled_because": None if webhook.disabled_because is None else webhook.disabled_because.value,
        "disabled_at": None if webhook.disabled_at is None else format_timestamp(webhook.disabled_at),
        "failing_since": None if webhook.failing_since is None else format_timestamp(webhook.failing_since),
    }
    return {
        "id": webhook.id,
        "url": webhook.url,
        "types": [each.value for each in webhook.types],
        "state": webhook.state.value,
        "created_at": format_timestamp(webhook.created_at),
        "created_by": webhook.created_by,
        "revision": webhook.revision,
        **{name: value for name, value in optional.items() if value is not None},
    }


def webhook_response(webhook: Webhook) -> Response[str]:
    """Return a webhook with its entity tag: its revision, and what changes without one."""
    return json_response(200, webhook_view(webhook), {ETAG: _tag(webhook)})


def secret_response(status: int, shown: SecretShown) -> Response[str]:
    """Return the answer that has a new secret, for this once. No cache on the way may keep it (RFC 9111)."""
    body = {**webhook_view(shown.webhook), "secret": shown.secret}
    return json_response(status, body, {"Cache-Control": "no-store", ETAG: _tag(shown.webhook)})


def made_before(body: Mapping[str, Any]) -> AlreadyCreated:
    """Return what a repeat of a request for a new secret is answered.

    Args:
        body: The body of the first answer.
    """
    return AlreadyCreated(
        body["id"],
        advice=f"If the secret was lost, POST /webhooks/{body['id']}/rotate makes another one.",
    )


def _tag(webhook: Webhook) -> str:
    failing = None if webhook.failing_since is None else format_timestamp(webhook.failing_since)
    return role_tag(webhook.revision, failing)


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    faults: dict[str, str] = {}
    read: Mapping[str, Callable[[Any, dict[str, str]], Any]] = {
        _URL.name: _url,
        _EVENT_TYPES.name: _event_types,
        _PACK_IDS.name: _pack_ids,
        _DESCRIPTION.name: _description,
        _STATE.name: _state,
    }
    values = {name: read[name](value, faults) for name, value in given.items()}
    if faults:
        raise InvalidRequest(faults)
    return values


def _url(value: Any, faults: dict[str, str]) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_URL_CHARACTERS:
        faults[_URL.name] = f'must be text of 1 to {MAX_URL_CHARACTERS} characters, as in "{_URL.example}"'
        return ""
    return value


def _event_types(value: Any, faults: dict[str, str]) -> tuple[EventType, ...]:
    texts = _unique_texts(value, _EVENT_TYPES, faults)
    if unknown := [text for text in texts if text not in _TYPES]:
        faults[_EVENT_TYPES.name] = not_one_of(unknown[0][:64], _TYPES)
        return ()
    return tuple(EventType(text) for text in texts)


def _pack_ids(value: Any, faults: dict[str, str]) -> tuple[str, ...]:
    texts = _unique_texts(value, _PACK_IDS, faults)
    if any(not is_pack_id(text) for text in texts):
        faults[_PACK_IDS.name] = "must hold ids of packs: pack_ and 26 capital letters and digits"
    return texts


def _unique_texts(value: Any, field: Field, faults: dict[str, str]) -> tuple[str, ...]:
    most = field.max_items or 0
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value) or len(value) > most:
        faults[field.name] = f'must be a list of at most {most} texts, as in ["{field.example[0]}"]'
        return ()
    if len(set(value)) < len(value):
        faults[field.name] = "names something twice; name it once"
    return tuple(value)


def _description(value: Any, faults: dict[str, str]) -> str | None:
    if (
        not isinstance(value, str)
        or len(value) > MAX_DESCRIPTION_CHARACTERS
        or not (value + "x").isprintable()
    ):
        faults[_DESCRIPTION.name] = (
            f"must be one line of text of at most {MAX_DESCRIPTION_CHARACTERS} printable characters"
        )
        return None
    return value or None


def _state(value: Any, faults: dict[str, str]) -> WebhookState:
    names = [each.value for each in WebhookState]
    if value not in names:
        faults[_STATE.name] = not_one_of(str(value)[:64], names)
        return WebhookState.ACTIVE
    return WebhookState(value)
