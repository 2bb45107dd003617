"""Trusted publishers in requests and answers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.page_limit import PageRequest, read_page_request, with_next
from packyard.operations.publishers import PublisherRequest
from packyard.packs.manifest.name import MAX_LENGTH, SLUG, PackName, parse_slug
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursor import Position
from packyard.store.cursors import Cursors
from packyard.store.publishers import binding
from packyard.tenants.caller import Caller
from packyard.tenants.publisher import (
    EVENT_NAME,
    ISSUER_URLS,
    MAX_EVENTS,
    PUBLISHER_ID,
    IssuerKind,
    Publisher,
)
from packyard.tenants.publisher_claims import (
    MAX_CLAIMS,
    MAX_ISSUER,
    MAX_VALUE,
    ClaimsInvalid,
    parse_claims,
    parse_issuer,
)
from packyard.text.suggestion import closest

_NAMED: Final = tuple(kind.value for kind in IssuerKind if kind is not IssuerKind.OTHER)
_URL: Final = re.compile(r"[a-z]+://", re.IGNORECASE)
PACK_NAME: Final = Field(
    name="pack_name",
    required=True,
    pattern=SLUG.pattern,
    max_length=MAX_LENGTH,
    example="slack",
    description="The only pack that it publishes, by its name in your organisation. There need not be such a pack yet.",
)
_ISSUER: Final = Field(
    name="issuer",
    required=True,
    min_length=1,
    max_length=MAX_ISSUER,
    example="github",
    description="Whose tokens it takes: `github`, `gitlab`, `aws`, or the https URL of any other issuer that has a "
    "discovery document (OpenID Connect Discovery 1.0).",
)
_ISSUER_URL: Final = Field(
    name="issuer_url",
    min_length=1,
    max_length=MAX_ISSUER,
    example="https://gitlab.example.com",
    description="The claim `iss` of a GitHub or GitLab of your own, or of an AWS account. Absent: github.com, "
    "gitlab.com, and for AWS the issuer that the first token of the account has.",
)
_CLAIMS: Final = Field(
    name="claims",
    kind="object",
    required=True,
    each=Field(name="claim", min_length=1, max_length=MAX_VALUE),
    max_items=MAX_CLAIMS,
    example={"repository": "acme/slack-pack", "workflow": "release.yml"},
    description="What a token must say. GitHub: `workflow` (the file of the workflow that is started) and "
    "`repository_id` or `repository`, and `repository_owner_id`, `environment`, `ref`, `ref_protected`. GitLab: "
    "`project_id` or `project_path`, and `namespace_id`, `environment`, `ref`, `ref_protected`. AWS: `account` and "
    "`role_arn`. Others: any claims, exactly. Ids that are left out are taken from the first token. A `ref` begins "
    "with `refs/heads/` or `refs/tags/`, and one `*` in it stands for any characters.",
)
_EVENTS: Final = Field(
    name="events",
    kind="array",
    items=Field(name="event", pattern=EVENT_NAME.pattern),
    max_items=MAX_EVENTS,
    example=["release"],
    description="The only events of CI that may publish. Absent or empty: pushes of branches and tags, releases, "
    "schedules and what somebody starts by hand or by the API; no pull or merge requests and nothing that follows.",
)
PUBLISHER_REQUEST: Final = Body(
    name="TrustedPublisherRequest",
    description="A trusted publisher to add.",
    fields=(PACK_NAME, _ISSUER, _ISSUER_URL, _CLAIMS, _EVENTS),
)
PUBLISHER: Final = Field(
    name="publisher_id",
    required=True,
    pattern=PUBLISHER_ID.pattern,
    description="The trusted publisher, as `GET /trusted-publishers` names it.",
)


def read_publisher_request(event: APIGatewayProxyEvent) -> PublisherRequest:
    """Return the publisher that a body asks for.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: Every field that is wrong, by name.
    """
    given = read_json(event, PUBLISHER_REQUEST)
    faults: dict[str, str] = {}
    pack_name = read_slug(PACK_NAME, given, faults)
    kind, issuer = _issuer(given, faults)
    claims = _claims(kind, given[_CLAIMS.name], faults)
    events = _events(kind, given.get(_EVENTS.name, []), faults)
    if faults:
        raise InvalidRequest(faults)
    return PublisherRequest(pack_name=pack_name, kind=kind, issuer=issuer, claims=claims, events=events)


def read_slug(field: Field, given: Mapping[str, Any], faults: dict[str, str]) -> PackName:
    """Return the slug in a field that there is, adding to `faults` when it is none."""
    value = given[field.name]
    try:
        return parse_slug(value if isinstance(value, str) else "")
    except ValueError as error:
        faults[field.name] = (
            str(error) if isinstance(value, str) else f'must be text, as in "{field.example}"'
        )
        return PackName("")


def read_publisher_list(event: APIGatewayProxyEvent, caller: Caller, cursors: Cursors) -> PageRequest:
    """Return the page of publishers that a query string asks for; see `read_page_request`."""
    return read_page_request(event, binding(org_id=caller.org_id, pack_name=caller.pack_name), cursors)


def publisher_view(publisher: Publisher) -> dict[str, Any]:
    """Return a publisher as clients see it."""
    is_other = publisher.kind is IssuerKind.OTHER
    own = publisher.issuer if publisher.issuer != ISSUER_URLS.get(publisher.kind) else ""
    optional = {
        "issuer_url": None if is_other else own or None,
        "pinned": dict(publisher.pinned) or None,
        "events": sorted(publisher.events) or None,
        "expires_at": None if publisher.expires_at is None else format_timestamp(publisher.expires_at),
    }
    return {
        "id": publisher.id,
        "pack_name": publisher.pack_name,
        "issuer": publisher.issuer if is_other else publisher.kind.value,
        "claims": dict(publisher.claims),
        "created_at": format_timestamp(publisher.created_at),
        "created_by": publisher.created_by,
        **{name: value for name, value in optional.items() if value is not None},
    }


def publisher_page_view(
    page: Sequence[Publisher], position: Position | None, caller: Caller, cursors: Cursors
) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"publishers": [publisher_view(publisher) for publisher in page]}
    return with_next(body, position, cursors, binding(org_id=caller.org_id, pack_name=caller.pack_name))


def _issuer(given: Mapping[str, Any], faults: dict[str, str]) -> tuple[IssuerKind, str]:
    stated, url = given[_ISSUER.name], given.get(_ISSUER_URL.name)
    kind, field = IssuerKind.OTHER, _ISSUER
    if stated in _NAMED:
        kind, field = IssuerKind(stated), _ISSUER_URL
    elif not isinstance(stated, str) or _URL.match(stated) is None:
        near = closest(stated[:64], _NAMED) if isinstance(stated, str) else None
        faults[_ISSUER.name] = (
            f"must be {', '.join(_NAMED)}, or the URL of an issuer, such as https://ci.example.com"
            f"{f'; did you mean {near}?' if near else ''}"
        )
        return kind, ""
    elif _ISSUER_URL.name in given:
        faults[_ISSUER_URL.name] = f"goes with {', '.join(_NAMED)} only; issuer has the URL already"
        return kind, ""
    else:
        url = stated
    if _ISSUER_URL.name in given and not isinstance(url, str):
        faults[field.name] = f'must be text, as in "{_ISSUER_URL.example}"'
        return kind, ""
    try:
        return kind, parse_issuer(kind, url)
    except ValueError as error:
        faults[field.name] = str(error)
        return kind, ""


def _claims(kind: IssuerKind, value: Any, faults: dict[str, str]) -> Mapping[str, str]:
    if _ISSUER.name in faults:
        # Which claims there are depends on the issuer.
        return {}
    if not isinstance(value, dict):
        faults[_CLAIMS.name] = (
            'must be an object, as in {"repository": "acme/slack-pack", "workflow": "release.yml"}'
        )
        return {}
    try:
        return parse_claims(kind, value)
    except ClaimsInvalid as invalid:
        faults.update(invalid.faults)
        return {}


def _events(kind: IssuerKind, value: Any, faults: dict[str, str]) -> frozenset[str]:
    if (
        not isinstance(value, list)
        or not all(isinstance(name, str) for name in value)
        or len(value) > MAX_EVENTS
    ):
        faults[_EVENTS.name] = f'must be a list of at most {MAX_EVENTS} texts, as in ["release"]'
    elif wrong := [name for name in value if EVENT_NAME.fullmatch(name) is None]:
        faults[_EVENTS.name] = (
            f'has "{wrong[0][:64]}", which is no name of an event: a small letter, then small letters, digits and _'
        )
    elif value and kind is IssuerKind.AWS:
        faults[_EVENTS.name] = "is not for aws, whose tokens name no event; leave it out"
    elif len(set(value)) < len(value):
        faults[_EVENTS.name] = "names an event twice; name it once"
    else:
        return frozenset(value)
    return frozenset()
