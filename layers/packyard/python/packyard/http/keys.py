"""API keys in requests and answers."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import AlreadyCreated, InvalidRequest
from packyard.http.app import json_response
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json, whole_number
from packyard.http.page_limit import PageRequest, read_page_request, with_next
from packyard.operations.keys import IssuedKey, KeyRequest
from packyard.packs.manifest.name import MAX_LENGTH, SLUG, PackName, parse_slug
from packyard.packs.timestamp import format_timestamp
from packyard.store.api_keys import KeyPage, binding
from packyard.store.cursors import Cursors
from packyard.tenants.api_key import KEY_ID, MAX_LABEL_CHARACTERS, ApiKey, parse_label
from packyard.tenants.caller import FULL_ACCESS, OPERATE, SCOPES, Caller, expand_scopes
from packyard.text.suggestion import not_one_of

_SCOPE_NAMES: Final = (*sorted(SCOPES), FULL_ACCESS)
# What such a scope allows concerns no pack, or more than one.
_OF_THE_ORGANISATION: Final = frozenset({"roles:write", "hooks:write", "audit:read"})
_LABEL: Final = Field(
    name="label",
    required=True,
    min_length=1,
    max_length=MAX_LABEL_CHARACTERS,
    example="CI of slack-pack",
    description="A name for people, of printable characters.",
)
_SCOPES: Final = Field(
    name="scopes",
    kind="array",
    required=True,
    items=Field(name="scope", values=_SCOPE_NAMES),
    max_items=len(_SCOPE_NAMES),
    example=["caps:write"],
    description="What the key may do, of what its maker may do; an empty list for a key that only reads. `full_access` "
    "stands for all scopes.",
)
_PACK_NAME: Final = Field(
    name="pack_name",
    pattern=SLUG.pattern,
    max_length=MAX_LENGTH,
    example="slack",
    description="The only pack that the key may touch, by its name in your organisation. There need not be such a pack "
    "yet. Absent: every pack that its maker may touch.",
)
_EXPIRES_IN: Final = Field(
    name="expires_in",
    kind="integer",
    minimum=60,
    maximum=366 * 24 * 60 * 60,
    example=7_776_000,
    description="The key's life in seconds, not beyond its maker's end. Absent: 90 days, or until its maker's end.",
)
KEY_REQUEST: Final = Body(
    name="KeyRequest", description="A key to make.", fields=(_LABEL, _SCOPES, _PACK_NAME, _EXPIRES_IN)
)
KEY: Final = Field(
    name="key_id", required=True, pattern=KEY_ID.pattern, description="The key, as `GET /keys` names it."
)


def read_key_request(event: APIGatewayProxyEvent) -> KeyRequest:
    """Return the key that a body asks for.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: Every field that is wrong, by name.
    """
    given = read_json(event, KEY_REQUEST)
    faults: dict[str, str] = {}
    pack_name = _pack_name(given, faults)
    asked = KeyRequest(
        label=_label(given[_LABEL.name], faults),
        scopes=_scopes(given[_SCOPES.name], faults, of_a_pack=pack_name is not None),
        pack_name=pack_name,
        lifetime=_lifetime(given, faults),
    )
    if faults:
        raise InvalidRequest(faults)
    return asked


def read_key_list(event: APIGatewayProxyEvent, caller: Caller, cursors: Cursors) -> PageRequest:
    """Return the page of keys that a query string asks for; see `read_page_request`."""
    return read_page_request(event, binding(org_id=caller.org_id, pack_name=caller.pack_name), cursors)


def key_page_view(page: KeyPage, caller: Caller, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"keys": [key_view(key) for key in page.keys]}
    bound = binding(org_id=caller.org_id, pack_name=caller.pack_name)
    return with_next(body, page.next_position, cursors, bound)


def key_view(key: ApiKey) -> dict[str, Any]:
    """Return a key as clients see it, without its secret."""
    optional = {
        "prefix": key.prefix or None,
        "pack_name": key.pack_name,
        "created_by": key.created_by,
        "expires_at": None if key.expires_at is None else format_timestamp(key.expires_at),
        "revoked_at": None if key.revoked_at is None else format_timestamp(key.revoked_at),
        "revoked_by": key.revoked_by,
    }
    return {
        "id": key.key_hash,
        "principal": key.principal,
        "label": key.label,
        "scopes": sorted(key.scopes),
        "created_at": format_timestamp(key.created_at),
        **{name: value for name, value in optional.items() if value is not None},
    }


def issued_response(issued: IssuedKey) -> Response[str]:
    """Return the answer that has a new key's secret, for this once. No cache on the way may keep it (RFC 9111)."""
    body = {**key_view(issued.key), "key": issued.secret}
    return json_response(201, body, {"Cache-Control": "no-store"})


def made_before(body: Mapping[str, Any]) -> AlreadyCreated:
    """Return what a repeat of the request for a key is answered.

    Args:
        body: The body of the first answer.
    """
    return AlreadyCreated(
        body["id"],
        advice=f"If the secret was lost, revoke the key with DELETE /keys/{body['id']} and make another one.",
    )


def _label(value: Any, faults: dict[str, str]) -> str:
    if not isinstance(value, str):
        faults[_LABEL.name] = f'must be text, as in "{_LABEL.example}"'
        return ""
    try:
        return parse_label(value)
    except ValueError as error:
        faults[_LABEL.name] = str(error)
        return ""


def _scopes(value: Any, faults: dict[str, str], *, of_a_pack: bool) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(scope, str) for scope in value):
        faults[_SCOPES.name] = 'must be a list of texts, as in ["caps:write"]; a key that only reads has []'
        return frozenset()
    if OPERATE in value:
        faults[_SCOPES.name] = (
            f"cannot have {OPERATE}, which only the operator of this service gives; leave that out"
        )
    elif unknown := [scope for scope in value if scope not in _SCOPE_NAMES]:
        faults[_SCOPES.name] = not_one_of(unknown[0][:64], _SCOPE_NAMES)
    elif len(set(value)) < len(value):
        faults[_SCOPES.name] = "names a scope twice; name it once"
    elif of_a_pack and (useless := sorted(_OF_THE_ORGANISATION.intersection(value))):
        faults[_SCOPES.name] = (
            f"a key for one pack cannot have {', '.join(useless)}, which concerns more than one pack; leave that out"
        )
    scopes = expand_scopes(frozenset(value))
    return scopes - _OF_THE_ORGANISATION if of_a_pack else scopes


def _pack_name(given: Mapping[str, Any], faults: dict[str, str]) -> PackName | None:
    if _PACK_NAME.name not in given:
        return None
    value = given[_PACK_NAME.name]
    if not isinstance(value, str):
        faults[_PACK_NAME.name] = f'must be text, as in "{_PACK_NAME.example}"'
        return None
    try:
        return parse_slug(value)
    except ValueError as error:
        faults[_PACK_NAME.name] = str(error)
        return None


def _lifetime(given: Mapping[str, Any], faults: dict[str, str]) -> timedelta | None:
    if _EXPIRES_IN.name not in given:
        return None
    value = whole_number(given[_EXPIRES_IN.name])
    least, most = _EXPIRES_IN.minimum or 0, _EXPIRES_IN.maximum or 0
    if value is None or not least <= value <= most:
        faults[_EXPIRES_IN.name] = f"must be a whole number of seconds from {least} to {most} (366 days)"
        return None
    return timedelta(seconds=value)
