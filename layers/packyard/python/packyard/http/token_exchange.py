"""The exchange of CI tokens in requests and answers."""

from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.own_url import own_url
from packyard.http.publishers import PACK_NAME, read_slug
from packyard.operations.token_exchange import ExchangedKey, ExchangeRequest
from packyard.packs.manifest.name import MAX_LENGTH, SLUG
from packyard.packs.timestamp import format_timestamp
from packyard.tenants.ci_token import MAX_TOKEN_CHARACTERS

_TOKEN: Final = Field(
    name="token",
    required=True,
    min_length=1,
    max_length=MAX_TOKEN_CHARACTERS,
    example="eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V4YW1wbGUuY29tIn0.c2lnbmF0dXJl",
    description="The token of the run, whose `aud` is the deployment's URL, `#`, and the organisation's slug.",
)
_ORG: Final = Field(
    name="org",
    required=True,
    pattern=SLUG.pattern,
    max_length=MAX_LENGTH,
    example="acme",
    description="The organisation, by its slug.",
)
EXCHANGE_REQUEST: Final = Body(
    name="TokenExchangeRequest",
    description="A token of CI to exchange for a key.",
    fields=(_TOKEN, _ORG, PACK_NAME),
)


def read_exchange(event: APIGatewayProxyEvent, *, api_domain: str, public_url: str) -> ExchangeRequest:
    """Return the exchange that a body asks for.

    Args:
        event: The gateway's event.
        api_domain: Parent domain of the organisations' hosts; empty to leave out the host check.
        public_url: The deployment's URL as clients know it; empty for the one that the request came to.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: Every field that is wrong, by name.
    """
    given = read_json(event, EXCHANGE_REQUEST)
    faults: dict[str, str] = {}
    token = given[_TOKEN.name]
    if not isinstance(token, str) or not 1 <= len(token) <= MAX_TOKEN_CHARACTERS:
        faults[_TOKEN.name] = f"must be the token, a text of at most {MAX_TOKEN_CHARACTERS} characters"
    org, pack_name = read_slug(_ORG, given, faults), read_slug(PACK_NAME, given, faults)
    host = (event.headers.get("Host") or "").lower().partition(":")[0].rstrip(".")
    named = host.removesuffix(f".{api_domain}")
    if api_domain and named not in (host, org) and _ORG.name not in faults:
        faults[_ORG.name] = (
            f"is another organisation than the host names; send the request to {org}.{api_domain}"
        )
    if faults:
        raise InvalidRequest(faults)
    audience = f"{public_url or own_url(event)}#{org}"
    return ExchangeRequest(token=token, org=org, pack_name=pack_name, audience=audience)


def exchanged_response(exchanged: ExchangedKey) -> Response[str]:
    """Return the answer that has the key of a run of CI. No cache on the way may keep it (RFC 9111)."""
    key = exchanged.key
    body = {
        "key": exchanged.secret,
        "expires_at": None if key.expires_at is None else format_timestamp(key.expires_at),
        "pack_name": key.pack_name,
        "scopes": sorted(key.scopes),
    }
    return json_response(200, body, {"Cache-Control": "no-store"})
