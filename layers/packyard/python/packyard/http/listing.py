"""Reading the query of `GET /packs`, and the body of its answer."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http import instant
from packyard.http.fields import Field
from packyard.http.page_limit import CURSOR, LIMIT, parse_limit, position_of, with_next
from packyard.http.views import pack_view
from packyard.packs.manifest.name import MAX_LENGTH, SLUG, Slug, nearest_slug, parse_slug
from packyard.packs.pack import Tier
from packyard.store.cursor import Position
from packyard.store.cursors import Cursors
from packyard.store.listing import Filters, Page
from packyard.tenants.caller import Caller
from packyard.text.suggestion import not_one_of

if TYPE_CHECKING:
    from packyard.packs.search_words import Wanted

# In characters.
_MAX_SEARCH: Final = 200
_OWNED_ONLY: Final = Field(
    name="owned", kind="boolean", description="Only own packs, or only those of other organisations."
)
_TIER: Final = Field(name="tier", values=Tier, description="Only packs of this tier.")
_CATEGORY: Final = Field(
    name="category",
    pattern=SLUG.pattern,
    max_length=MAX_LENGTH,
    description="Only packs of this category, a slug.",
)
_NAME_PREFIX: Final = Field(
    name="q",
    pattern="[a-z0-9-]*",
    max_length=MAX_LENGTH,
    description="Only packs whose names begin with this.",
)
_NAME: Final = Field(
    name="name",
    pattern=SLUG.pattern,
    max_length=MAX_LENGTH,
    description="Only packs of this name. Each organisation has at most one of a name.",
)
_SEARCH: Final = Field(
    name="search",
    min_length=1,
    max_length=_MAX_SEARCH,
    description="Only packs that have all of these words in their name, display name, description or category, best "
    "first. Case and accents do not count, and of the last word, the start is enough.",
)
_UPDATED_AFTER: Final = Field(
    name="updated_after",
    pattern=instant.PATTERN,
    example="2026-01-31T00:00:00Z",
    description="Only packs that have changed after this instant (RFC 3339).",
)
QUERY: Final = (LIMIT, CURSOR, _OWNED_ONLY, _TIER, _CATEGORY, _NAME_PREFIX, _NAME, _SEARCH, _UPDATED_AFTER)
_OWNED: Final = {"true": True, "false": False}
_MEANT_BY_OWNED: Final = {
    **dict.fromkeys(("true", "1", "yes", "y", "on", "t"), "true"),
    **dict.fromkeys(("false", "0", "no", "n", "off", "f"), "false"),
}
_PREFIX: Final = re.compile(str(_NAME_PREFIX.pattern))


class ListRequest(NamedTuple):
    """The page of packs that a client asks for.

    Attributes:
        limit: The most packs on the page, 1 to 100. It may differ from page to page.
        position: Where the page begins; None for the start.
    """

    filters: Filters
    limit: int
    position: Position | None


def read_listing(event: APIGatewayProxyEvent, caller: Caller, cursors: Cursors) -> ListRequest:
    """Return the page that a query string asks for.

    Raises:
        InvalidRequest: Every parameter that is wrong, by name.
        ServiceUnavailable: There is a cursor, and the secret that signs cursors cannot be read.
    """
    given = event.query_string_parameters or {}
    faults: dict[str, str] = {}
    limit = parse_limit(given.get(LIMIT.name), faults)
    filters = Filters(
        owned=_owned(given.get(_OWNED_ONLY.name), faults),
        tier=_tier(given.get(_TIER.name), faults),
        category=_slug(_CATEGORY, given, faults),
        name_prefix=_name_prefix(given.get(_NAME_PREFIX.name, ""), faults),
        name=_slug(_NAME, given, faults),
        search=_search(given.get(_SEARCH.name), faults),
        updated_after=_updated_after(given.get(_UPDATED_AFTER.name), faults),
        only=caller.pack_name,
    )
    if faults:
        raise InvalidRequest(faults)
    position = position_of(given, filters.binding(caller.org_id), cursors)
    return ListRequest(filters=filters, limit=limit, position=position)


def page_view(page: Page, filters: Filters, caller: Caller, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"packs": [pack_view(pack, caller) for pack in page.packs]}
    return with_next(body, page.next_position, cursors, filters.binding(caller.org_id))


def _owned(text: str | None, faults: dict[str, str]) -> bool | None:
    if text is not None and text not in _OWNED:
        meant = _MEANT_BY_OWNED.get(text.lower())
        faults[_OWNED_ONLY.name] = f"must be true or false{f'; write {meant}' if meant else ''}"
    return _OWNED.get(text or "")


def _tier(text: str | None, faults: dict[str, str]) -> Tier | None:
    if text is None:
        return None
    try:
        return Tier(text)
    except ValueError:
        faults[_TIER.name] = not_one_of(text, tuple(str(tier) for tier in Tier))
        return None


def _slug(field: Field, given: Mapping[str, str], faults: dict[str, str]) -> Slug | None:
    if field.name not in given:
        return None
    try:
        return parse_slug(given[field.name])
    except ValueError as error:
        faults[field.name] = str(error)
        return None


def _search(text: str | None, faults: dict[str, str]) -> "Wanted | None":
    if text is None:
        return None
    from packyard.packs.search_words import parse_search  # noqa: PLC0415 - for searches only

    if len(text) > _MAX_SEARCH:
        faults[_SEARCH.name] = f"has more than {_MAX_SEARCH} characters; use the words that tell most"
        return None
    try:
        return parse_search(text)
    except ValueError as error:
        faults[_SEARCH.name] = str(error)
        return None


def _updated_after(text: str | None, faults: dict[str, str]) -> datetime | None:
    at = None if text is None else instant.parse_instant(text)
    if text is not None and at is None:
        faults[_UPDATED_AFTER.name] = f"{instant.FAULT}; in a query, + is written %2B"
    return at


def _name_prefix(text: str, faults: dict[str, str]) -> str:
    if len(text) > MAX_LENGTH or _PREFIX.fullmatch(text) is None:
        near = nearest_slug(text)
        faults[_NAME_PREFIX.name] = (
            f"must be the beginning of a name{f', such as {near}' if near else ''}: at most {MAX_LENGTH} of a-z, 0-9 "
            "and -"
        )
    return text
