"""Where a request can name something, by the API's document, and what of another organisation's it can name there.

A new operation is covered without being listed here. A new kind of parameter or field is not, and says so.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from tests.documented import DOCUMENT
from tests.functions import function_of
from tests.gateway import Request, multipart
from tests.reliability import budget
from tests.reliability.two_organisations import (
    CALLER,
    DOMAIN,
    MARK,
    OTHER,
    OTHERS_FILE,
    OWN_FILE,
    TwoOrganisations,
    unknown_id,
)
from tests.service import PackArchive

from packyard.tenants.api_key import hash_secret

# What a path's parameter names, and what a field or a parameter of these names can hold that is nobody's.
_IN_PATHS: Final = {
    "id": "pack",
    "upload_id": "upload",
    "role_id": "role",
    "path": "file",
    "key_id": "API key",
    "publisher_id": "publisher",
    "feed_id": "feed",
    "webhook_id": "webhook",
    "delivery_id": "delivery",
    "org": "organisation",
}
# The folder of what serves each operation of the document.
# A webhook's packs are a filter, which may name what is not there.
_IN_WEBHOOKS: Final = {"pack_ids": "filter"}
_IN_QUERIES: Final = {
    "cursor": "cursor",
    "pack_id": "pack",
    "role_id": "role",
    "actor": "actor",
    "after": "event",
    "before": "event",
}
_IN_HEADERS: Final = {"Idempotency-Key": "key"}
_IN_BODIES: Final = {
    "pack_id": "pack",
    "pack_ids": "packs",
    "role_id": "role",
    "packs": "entries",
    "accept_capabilities": "accepted",
    "deprecated": "replacement",
    "image_ref": "image",
}
_PLAIN: Final[dict[str, Any]] = {
    "reason": "It has a password.",
    "keep": 1000,
    "visibility": "org",
    "name": "another",
    "label": "ci",
    "scopes": ["caps:write"],
    "url": "https://example.com/hooks",
    "version_policy": "free",
    "pack_name": "another",
    "issuer": "gitlab",
    "claims": {"project_id": 7},
    "rule": "secret.github-token",
    "path": "guides/start.md",
    "expires_at": "2026-12-31T00:00:00Z",
    "block": "none",
    "rules": {},
    "incomplete": "warn",
}
# Fields of one name that mean different things.
_OF_PATHS: Final[dict[tuple[str, str], Any]] = {("/signature-policy", "rules"): []}
_NOBODYS: Final = frozenset(
    {
        "limit",
        "revision",
        "n",
        "from",
        "to",
        "as",
        "files",
        "owned",
        "tier",
        "type",
        "category",
        "q",
        "search",
        "updated_after",
        "version",
        "version_policy",
        # Of scans: rules, files and instants.
        "path",
        "block",
        "expires_at",
        "incomplete",
        "rule",
        "rules",
        "If-Match",
        "Packyard-Source",
        "If-None-Match",
        "visibility",
        "name",
        "archive",
        "delete",
        "kind",
        "size_bytes",
        "dry_run",
        # Of a revision: its number, why it is withdrawn, whether pins hold it. Of a pack: how many revisions are kept.
        "reason",
        "force",
        "keep",
        # Of a signature policy: whose images must be signed by whom.
        "otherwise",
        "authorities",
        "logs",
        # Where a login is valid.
        "login",
        # Of what is made. A key's pack is by name one of its own organisation.
        "label",
        "scopes",
        "expires_in",
        # Of a webhook.
        "url",
        "types",
        "description",
        "state",
        "pack_name",
        # Of a trusted publisher.
        "issuer",
        "issuer_url",
        "claims",
        "events",
    }
)


@dataclass(frozen=True)
class Operation:
    """One operation of the document.

    Attributes:
        function: The folder of what serves it.
        details: What the document says of it.
    """

    function: str
    method: str
    path: str
    details: Mapping[str, Any]

    def takes(self, name: str) -> bool:
        """Return whether a request may have a parameter or a header."""
        return any(parameter["name"] == name for parameter in self.details.get("parameters", []))

    @property
    def body(self) -> tuple[str, Mapping[str, Any]] | None:
        """The content type of its body, and the schema; None without a body."""
        content = self.details.get("requestBody", {}).get("content")
        if content is None:
            return None
        ((media_type, media),) = content.items()
        return media_type, _resolved(media.get("schema", {}))

    def places(self) -> Iterator["Place"]:
        """Yield where a request can name something that may be another's."""
        for parameter in self.details.get("parameters", []):
            kinds = {"path": _IN_PATHS, "query": _IN_QUERIES, "header": _IN_HEADERS}[parameter["in"]]
            yield from _place(self, parameter["in"], parameter["name"], kinds)
        if self.body is not None:
            for name in self.body[1].get("properties", {}):
                kinds = _IN_BODIES | (_IN_WEBHOOKS if self.function == "webhooks" else {})
                yield from _place(self, "body", name, kinds)
        yield Place(self, "host", "Host", "host")


@dataclass(frozen=True)
class Place:
    """Where a request can name something.

    Attributes:
        where: `path`, `query`, `header`, `body` or `host`.
        name: Of the parameter or the field.
        kind: What it names.
    """

    operation: Operation
    where: str
    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.operation.function} {self.name}"


@dataclass(frozen=True)
class Pair:
    """Something that the other organisation has, and something like it that nobody has.

    Attributes:
        what: Which of their things.
        theirs: As the request names it.
        nobodys: Likewise, and as long.
    """

    what: str
    theirs: str
    nobodys: str


def operations() -> list[Operation]:
    """Return every operation that takes a credential."""
    return [
        Operation(function_of(details["operationId"]), method.upper(), path, details)
        for path, methods in DOCUMENT()["paths"].items()
        for method, details in methods.items()
        if details.get("security") != []
    ]


def _place(operation: Operation, where: str, name: str, kinds: Mapping[str, str]) -> Iterator[Place]:
    if name in kinds:
        yield Place(operation, where, name, kinds[name])
    else:
        assert name in _NOBODYS, f"{operation.function}: can {name!r} name something of somebody else's?"


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT()["components"]["schemas"][name] if name else schema


# -- what can be named --------------------------------------------------------------------------------------------


def pairs(both: TwoOrganisations, place: Place) -> list[Pair]:
    """Return what of the other organisation's can be named in a place."""
    kinds: dict[str, Callable[[TwoOrganisations], Iterable[Pair]]] = {
        "pack": _packs,
        "packs": _packs,
        "filter": _packs,
        "feed": lambda both: [Pair("feed", both.notes["their feed"], unknown_id("feed"))],
        "publisher": lambda both: [Pair("publisher", both.notes["their publisher"], unknown_id("pub"))],
        # Tenants' keys learn of none; the operator's may know of all (`test_operator_view`).
        "organisation": lambda _both: [
            Pair("slug", OTHER.org_slug, "nobody"),
            Pair("id", OTHER.org_id, f"{OTHER.org_id[:-2]}zz"),
        ],
        "webhook": lambda both: [Pair("webhook", both.notes["their webhook"], unknown_id("whk"))],
        "delivery": lambda both: [
            Pair("delivery", both.notes["their delivery"], f"{both.notes['their delivery'][:-2]}ZZ")
        ],
        "entries": _packs,
        "accepted": _packs,
        "replacement": _packs,
        "upload": _uploads,
        "role": lambda _both: [Pair("role", f"{MARK}-role", "none-role")],
        "file": lambda _both: [Pair("file", OTHERS_FILE, "guides/none.md")],
        "cursor": _cursors,
        "actor": lambda _both: [Pair("actor", OTHER.principal, "key:none")],
        "event": lambda both: [
            Pair("event", both.notes["their event"], f"{both.notes['their event'][:-2]}ZZ")
        ],
        "image": _images,
        "key": lambda _both: [Pair("key", "key-of-the-neighbour", "key-of-nobody-at-al")],
        "API key": lambda both: [Pair("API key", both.notes["their API key"], hash_secret("sk_nobody's"))],
        "host": lambda _both: [
            Pair("host", f"{OTHER.org_slug}.{DOMAIN}", f"none.{DOMAIN}"),
            Pair("host in capitals, with a port", f"ACME.{DOMAIN}.:443", f"NONE.{DOMAIN}.:443"),
        ],
    }
    return list(kinds[place.kind](both))


def _packs(both: TwoOrganisations) -> Iterator[Pair]:
    states = ("uploaded", "registered", "cloned", "deleting", "deleted")
    for number, state in enumerate(states):
        yield Pair(f"{state} pack", both.notes[f"their {state}"], unknown_id("pack", number))


def _uploads(both: TwoOrganisations) -> Iterator[Pair]:
    for number, state in enumerate(("waiting", "done", "failed")):
        yield Pair(f"{state} upload", both.notes[f"their {state} upload"], unknown_id("upl", number))


def _cursors(both: TwoOrganisations) -> Iterator[Pair]:
    theirs = (
        "their keys",
        "their publishers",
        "their feeds",
        "their events",
        "their deliveries",
        "their listing",
        "their history",
        "their roles",
        "their role's history",
    )
    for name in (*theirs, "own other listing", "own-other history"):
        cursor = both.notes[name]
        # Of the form of one, which nobody has signed: what has not even that form is refused sooner, by anybody.
        yield Pair(f"cursor of {name}", cursor, "A" * 21 + "Q" + cursor[22:])
        if budget.SOAK or name == theirs[0]:
            # As good as theirs in all but the signature.
            yield Pair(f"cursor of {name}, forged", cursor, "A" * 22 + cursor[22:])


def _images(both: TwoOrganisations) -> Iterator[Pair]:
    service = both.deployment.service
    host = urlsplit(service.registry.url).netloc
    name, port = host.split(":")
    theirs = f"packs/{OTHER.org_id}/{MARK}"
    digest = service.registry.shelves.repositories[theirs].tags["1.0.0"]
    absent = f"packs/{OTHER.org_id}/none"
    hosts = {
        "": host,
        "in capitals": host.upper(),
        "with a trailing dot": f"{name}.:{port}",
        "with a zero before the port": f"{name}:0{port}",
        "as localhost": f"localhost:{port}",
        "as an IPv6 address": f"[::1]:{port}",
        "as a mapped address": f"[::ffff:{name}]:{port}",
        "as a short address": f"127.1:{port}",
        "as a number": f"2130706433:{port}",
        "in octal": f"0177.0.0.1:{port}",
        "as another loopback address": f"127.0.0.2:{port}",
        "with a scheme": f"http://{host}",
        "with a user": f"u@{host}",
        "by the API's name for it": f"{host}/v2",
    }
    for alias, spelt in hosts.items():
        targets = {"tag": ":1.0.0", "digest": f"@{digest}", "both": f":1.0.0@{digest}"}
        for how, target in targets.items() if not alias else budget.spread(list(targets.items()), ci=1):
            yield Pair(
                f"image by {how}, host {alias}".removesuffix(", host "),
                f"{spelt}/{theirs}{target}",
                f"{spelt}/{absent}{target}",
            )
    for what, crooked in {
        "a dotted segment": f"packs/{CALLER.org_id}/../{OTHER.org_id}/{MARK}",
        "an empty segment": f"packs//{OTHER.org_id}/{MARK}",
        "an encoded slash": f"packs/{CALLER.org_id}%2f..%2f{OTHER.org_id}/{MARK}",
        "their organisation in capitals": f"packs/{OTHER.org_id.upper()}/{MARK}",
        "their organisation's beginning": f"packs/{OTHER.org_id[:-1]}/{MARK}",
    }.items():
        yield Pair(f"image by {what}", f"{host}/{crooked}:1.0.0", f"{host}/{crooked[: -len(MARK)]}none:1.0.0")


# -- requests -----------------------------------------------------------------------------------------------------


class How(NamedTuple):
    """The headers and the query with which something is asked for."""

    headers: Mapping[str, str] = MappingProxyType({})
    query: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Named:
    """What a request names besides the caller's own.

    Attributes:
        place: Where; None for nowhere.
        value: What.
        how: Conditions and the like.
    """

    place: Place | None = None
    value: str = ""
    how: How = field(default_factory=How)

    def at(self, where: str, name: str, own: str) -> str:
        """Return what stands in a place."""
        if self.place is not None and (self.place.where, self.place.name) == (where, name):
            return self.value
        return own


def conditions(place: Place, *, whole: bool) -> Sequence[How]:
    """Return how a thing is asked for: the ways that tell what stands from what does not, all or a few of them."""
    operation, ways = place.operation, [How()]
    if whole and operation.takes("dry_run"):
        ways.append(How(query={"dry_run": "true"}))
    if place.kind not in ("pack", "role"):
        return ways
    if operation.method == "GET":
        ways += [How({"If-None-Match": tag}) for tag in ('"2"', "*")[: 2 if whole else 1]]
    elif operation.takes("If-Match"):
        tags = ('"3"', '"1"', '"99"', "*", 'W/"3"', "nonsense")
        ways += [How({"If-None-Match": "*"})] if whole else []
        ways += [How({"If-Match": tag}) for tag in (tags if whole else tags[:1])]
    return ways


def request(both: TwoOrganisations, operation: Operation, named: Named | None = None) -> Request:
    """Return a request that is right but for what it names."""
    named = named or Named()
    path = operation.path
    for name, kind in _IN_PATHS.items():
        value = named.at("path", name, _own(both, operation, kind))
        path = path.replace(f"{{{name}}}", quote(value))
    path = path.replace("{n}", "1")
    query = {
        parameter["name"]: str(parameter["schema"]["minimum"])
        for parameter in operation.details.get("parameters", [])
        if parameter["in"] == "query" and parameter.get("required")
    } | dict(named.how.query)
    if named.place is not None and named.place.where == "query":
        query[named.place.name] = named.value
    headers = {
        "Host": named.at("host", "Host", f"{CALLER.org_slug}.{DOMAIN}"),
        "Accept": "*/*",
        **named.how.headers,
    }
    if named.place is not None and named.place.where == "header":
        headers[named.place.name] = named.value
    body, stated = _body(both, operation, named)
    return Request(
        method=operation.method,
        resource=operation.path.replace("{path}", "{path+}"),
        path=path,
        query=query,
        headers=headers | stated,
        body=body,
    )


def _own(both: TwoOrganisations, operation: Operation, kind: str) -> str:
    # A pack that stands moves within its image's repository.
    moves = "{id}" in operation.path and "image_ref" in (operation.body or ("", {}))[1].get("properties", {})
    pack, image = (both.notes["own registered"], "ours") if moves else (both.notes["own"], "new")
    # What a role references is not deleted.
    pack = both.notes["own-other"] if operation.method == "DELETE" else pack
    own: dict[str, str] = {
        "pack": pack,
        "upload": both.notes["own waiting upload"],
        "role": "own-role",
        "file": OWN_FILE,
        "API key": both.notes["own API key"],
        "publisher": both.notes["own publisher"],
        "feed": both.notes["own feed"],
        "webhook": both.notes["own webhook"],
        "delivery": both.notes["own delivery"],
        "organisation": CALLER.org_slug,
        "image": f"127.0.0.1:{both.deployment.elsewhere.port}/team/{image}:2.0.0",
    }
    return own[kind]


def _body(both: TwoOrganisations, operation: Operation, named: Named) -> tuple[bytes | None, dict[str, str]]:
    if operation.body is None:
        return None, {}
    media_type, schema = operation.body
    if media_type == "*/*":
        return b"content", {}
    if media_type == "multipart/form-data":
        name = "own" if "{id}" in operation.path else "new"
        return multipart({"archive": PackArchive(name=name, version="3.0.0").build()})
    here = named.place.name if named.place is not None and named.place.where == "body" else None
    # A copy within an organisation needs a name of its own.
    wanted = {*schema.get("required", []), here, "name"} & set(schema["properties"])
    # Of fields of which a request gives one, the first, unless the request names something in another.
    choices = [choice for [choice] in (one["required"] for one in schema.get("oneOf", ()))]
    wanted |= set(choices[:1]) if not wanted & set(choices) else set()
    content = {name: _value(both, operation, named, name, here=here == name) for name in wanted}
    return json.dumps(content).encode(), {"Content-Type": "application/json"}


def _value(both: TwoOrganisations, operation: Operation, named: Named, name: str, *, here: bool) -> Any:
    """Return the value of a field in a body, which may be the one that names what is another organisation's."""
    if name in _PLAIN:
        return _OF_PATHS.get((operation.path, name), _PLAIN[name])
    kind = _IN_BODIES[name]
    if kind == "packs":
        return [both.notes["own-other"], *([named.value] if here else []), both.notes["own"]]
    if kind == "entries":
        return [{"id": both.notes["own"]}, {"id": named.value, "revision": 1}]
    if kind == "accepted":
        return {named.value: 1}
    if kind == "replacement":
        return {"message": "Use another.", "replacement": named.value}
    return named.at("body", name, _own(both, operation, kind))
