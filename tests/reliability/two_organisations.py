"""Two organisations on one service: one shares nothing, and the caller of the other asks for what it has.

Requests go through the authorizer to the real handlers. What leaves the process for them is recorded.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest.mock import patch

from tests import feeds, table_rows
from tests.engine.points import Point
from tests.engine.wire import deliver
from tests.fake_registry.moods import Refuses
from tests.gateway import Request
from tests.issuer import AUDIENCE, ISSUER, Issuer, public, rsa_key, segment, signed, signed_with_secret
from tests.publishers import add as add_publisher
from tests.reliability.deployment import Deployment, Saved, running_deployment
from tests.service import ACME, GLOBEX, PackArchive
from tests.staged_uploads import arrive, start
from tests.third_party_images import pack_image

from packyard.composition.settings import JwtSettings
from packyard.http.authorizer import Unauthorized
from packyard.packs.event import SHOWN_AFTER
from packyard.store.deliveries import Attempt
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret, new_secret
from packyard.tenants.org import BillingPosture, Org
from packyard.webhooks.delivery import DeliveryStatus, Outcome
from packyard.webhooks.payload import TEST_TYPE

OTHER: Final = ACME
CALLER: Final = GLOBEX
DOMAIN: Final = "packs.test"
# Stands in the names, texts, files, roles and keys of the other organisation. Nobody else may ever read it.
MARK: Final = "hush"
OWN_FILE: Final = "guides/post.md"
OTHERS_FILE: Final = f"guides/{MARK}.md"

_ULID: Final = "01HZ9{:021d}"
_SIGNER: Final = rsa_key("march")
_METHOD_ARN: Final = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
# The SDK signs by the wall clock. Here that stands still: two forms that are signed a second apart would differ.
_SIGNED_AT: Final = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - the SDK's are naive too
_HEX: Final = re.compile(r"[0-9a-f]{8,}")
# What KMS has encrypted differs each time.
_SEALED: Final = re.compile(r'(?<="sealed": \{"S": ")[^"]+')
_SIZE: Final = re.compile(r'"size_bytes":\d+')
# In our own envelope, or in that of registries.
_REQUEST_ID: Final = re.compile(r'(?<="request_id":")[^"]*|(?<= \(request )[^)]*')
# In an event, or in what is kept for one.
_REQUEST_ID_OF_EVENT: Final = re.compile(r'request(_id)?": {"S": "[^"]*"}')
_CLIENT_TOKEN: Final = re.compile(r'"ClientRequestToken": "[^"]*"')


@dataclass(frozen=True)
class Heard:
    """An answer, and what left the process before it came.

    Attributes:
        headers: Names and values, in order; without the request's id.
        body: As text; without the request's id.
        calls: Requests to AWS with their parameters, and to registries, in no order.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    calls: tuple[str, ...]

    def without(self, *named: str) -> "Heard":
        """Return this with what the client has named, and sizes and hashes that may depend on it, taken out."""

        def plain(text: str) -> str:
            for name in named:
                text = text.replace(name, "<named>")
            return _SEALED.sub("<sealed>", _SIZE.sub("<size>", _HEX.sub("<hex>", text)))

        return Heard(
            self.status,
            tuple((name, plain(value)) for name, value in self.headers),
            plain(self.body),
            tuple(sorted(plain(call) for call in self.calls)),
        )

    @property
    def error(self) -> Any:
        """The envelope's inner object."""
        return json.loads(self.body)["error"]


def unknown_id(kind: str, number: int = 1) -> str:
    """Return an id that nobody has, of `pack` or `upl`."""
    return f"{kind}_{_ULID.format(number)}"


@dataclass
class TwoOrganisations:
    """Both organisations, with all that they have.

    Attributes:
        saved: The state that every test starts from.
        credentials: The caller's credentials that are accepted, by what they are.
        refused: Credentials that are refused, by what they are.
    """

    deployment: Deployment
    issuer: Issuer
    credentials: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str | None] = field(default_factory=dict)
    saved: Saved | None = None

    @property
    def notes(self) -> dict[str, Any]:
        """The ids and names of what each organisation has."""
        return self.deployment.notes

    def again(self) -> None:
        """Put everything back to where every test starts."""
        assert self.saved is not None
        self.deployment.restore(self.saved)

    def ask(self, function: str, request: Request, authorization: str | None) -> Heard:
        """Send a request through the authorizer, as the gateway does. The gateway itself answers 401."""
        try:
            context = self.authorize(authorization)
        except Unauthorized:
            return Heard(401, (), "", ())
        event = request.event()
        event["requestContext"]["authorizer"] = context
        return self.invoke(function, event)

    def authorize(self, authorization: str | None) -> dict[str, str]:
        """Return what the authorizer answers for a credential. The gateway does not ask it without one.

        Raises:
            Unauthorized: It is refused.
        """
        if not authorization:
            raise Unauthorized
        event = {"type": "TOKEN", "authorizationToken": authorization, "methodArn": _METHOD_ARN}
        context: dict[str, str] = self.deployment.service.invoke("authorize", event)["context"]
        return context

    def invoke(self, function: str, event: dict[str, Any]) -> Heard:
        """Invoke a function, and record what leaves the process."""
        with self._recorded() as calls:
            raw = self.deployment.service.invoke(function, event)
        headers = {
            name: values for name, values in raw["multiValueHeaders"].items() if name != "X-Request-Id"
        }
        flat = tuple((name, value) for name, values in headers.items() for value in values)
        return Heard(raw["statusCode"], flat, _REQUEST_ID.sub("", raw["body"]), tuple(calls))

    @contextmanager
    def _recorded(self) -> Iterator[list[str]]:
        calls: list[str] = []

        def named(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            text = json.dumps(params, default=lambda _bytes: "", sort_keys=True)
            calls.append(f"{model.name} {_REQUEST_ID_OF_EVENT.sub('', _CLIENT_TOKEN.sub('', text))}")

        def tap(point: Point) -> Any:
            calls.append(point.label)
            return point.deliver()

        aws = self.deployment.service.aws
        clients = (aws.dynamodb, aws.s3, aws.sqs)
        for client in clients:
            client.meta.events.register("provide-client-params", named, unique_id="recorded")
        self.deployment.wire.tap = tap
        try:
            yield calls
        finally:
            self.deployment.wire.tap = deliver
            for client in clients:
                client.meta.events.unregister("provide-client-params", unique_id="recorded")

    def kept_by_other(self) -> dict[str, Any]:
        """Return all that the other organisation has: items, objects, images."""
        theirs = (OTHER.org_id, *(value for key, value in self.notes.items() if key.startswith("their")))
        # A filter of the caller's own webhooks may name what it does not have.
        filters = f'"PK": {{"S": "HOOKS#{CALLER.org_id}"}}'
        items = (text for text in table_rows.all_texts() if filters not in text)
        images = {
            name: (sorted(shelf.manifests), sorted(shelf.blobs), sorted(shelf.tags.items()))
            for name, shelf in self.deployment.service.registry.shelves.repositories.items()
            if OTHER.org_id in name
        }
        return {
            "items": sorted(item for item in items if any(mark in item for mark in theirs)),
            "images": images,
            "objects": [
                key for key in self.deployment.service.aws.objects() if any(mark in key for mark in theirs)
            ],
        }


@contextmanager
def running_two_organisations() -> Iterator[TwoOrganisations]:
    """Run a service for both organisations, with everything that one of them must not reach."""
    with (
        Issuer(keys=[public(_SIGNER)]) as issuer,
        running_deployment(ecr=False) as deployment,
        patch("botocore.auth.get_current_datetime", return_value=_SIGNED_AT),
        patch("botocore.signers.get_current_datetime", return_value=_SIGNED_AT),
    ):
        jwt = JwtSettings(issuer=ISSUER, audience=AUDIENCE, keys_url=issuer.keys_url)
        settings = replace(deployment.service.services.settings, api_domain=DOMAIN, jwt=jwt)
        deployment.service.new_process(settings=settings)
        both = TwoOrganisations(deployment, issuer)
        _prepare(deployment)
        _enrol(both)
        both.saved = deployment.save()
        yield both


# -- who they are -------------------------------------------------------------------------------------------------


def _enrol(both: TwoOrganisations) -> None:
    tenants = both.deployment.service.services.tenants
    now = both.deployment.service.clock.now
    for org in (OTHER, CALLER):
        tenants.put_org(Org(org_id=org.org_id, slug=org.org_slug, billing=BillingPosture.ACTIVE))
    keys: dict[str, dict[str, Any]] = {
        "a key that writes": {},
        "a key that reads": {"permission_set": PermissionSet.READ_ONLY},
        "a revoked key": {"revoked_at": now},
        "an expired key": {"expires_at": now},
    }
    shown: dict[str, str | None] = {}
    for number, (name, changes) in enumerate(keys.items()):
        secret = new_secret(bytes([number]) * 32)
        tenants.put_api_key(
            ApiKey(
                key_hash=hash_secret(secret),
                org_id=CALLER.org_id,
                label=name,
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
                **{"permission_set": PermissionSet.FULL_ACCESS, **changes},
            )
        )
        shown[name] = f"Bearer {secret}"
    shown |= {name: f"Bearer {token}" for name, token in _tokens(int(now.timestamp())).items()}
    shown |= {
        "nothing": None,
        "a scheme alone": "Bearer",
        "another scheme": f"Basic {segment('globex:secret')}",
        "a key that nobody has": f"Bearer {new_secret(b'x' * 32)}",
        "neither key nor token": "Bearer null",
    }
    for name, authorization in shown.items():
        if name in {"a key that writes", "a key that reads", "a token that writes"}:
            assert authorization is not None
            both.credentials[name] = authorization
        else:
            both.refused[name] = authorization


def _tokens(now: int) -> dict[str, str]:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "org_id": CALLER.org_id,
        "permissions": ["full_access"],
        "exp": now + 3600,
    }
    whole = signed(_SIGNER, "RS256", claims)
    head, _, signature = whole.split(".")
    of_other = segment(json.dumps({**claims, "org_id": OTHER.org_id}))
    unsigned = segment(json.dumps({"alg": "none", "typ": "JWT", "kid": _SIGNER.kid}))
    confused = {"kid": _SIGNER.kid}
    return {
        "a token that writes": whole,
        "an expired token": signed(_SIGNER, "RS256", {**claims, "exp": now - 3600}),
        "a token of another issuer": signed(_SIGNER, "RS256", {**claims, "iss": "https://other.example/"}),
        "a token for another audience": signed(_SIGNER, "RS256", {**claims, "aud": "https://other.example"}),
        "a token that nobody signed": f"{unsigned}.{of_other}.",
        "a token that an unknown key signed": signed(rsa_key("april"), "RS256", claims),
        "a token whose organisation was changed": f"{head}.{of_other}.{signature}",
        "a token signed with the public key": signed_with_secret(
            _SIGNER.as_pem(private=False), claims, confused
        ),
        "a token cut short": whole[:-10],
    }


# -- what they have -----------------------------------------------------------------------------------------------


def _prepare(deployment: Deployment) -> None:
    notes = deployment.notes
    for tag in ("1.0.0", "2.0.0"):
        for name in (f"their-{MARK}", "ours", "new"):
            shelf = deployment.elsewhere.shelves.repository(f"team/{name}", create=True)
            pack_image(f"name: {name}-elsewhere\nversion: {tag}\n".encode()).shelve(shelf, tag)
    _prepare_other(deployment)
    _prepare_caller(deployment)
    deployment.settle()
    _half_delete(deployment, notes["their deleting"])


def _archive(name: str, version: str = "1.0.0", path: str = OWN_FILE, **fields: Any) -> bytes:
    return PackArchive(name=name, version=version, files={path: b"# " + path.encode()}, fields=fields).build()


def _prepare_other(deployment: Deployment) -> None:
    service, notes = deployment.service, deployment.notes

    def keep(note: str, answer: Any) -> None:
        assert answer.status in (200, 201), answer.body
        notes[f"their {note}"] = answer.body["id"]

    text: dict[str, Any] = {
        "description": f"All about {MARK}.",
        "category": MARK,
        "suggested_packs": [f"{MARK}-too"],
    }
    keep("uploaded", service.upload(_archive(MARK, path=OTHERS_FILE, **text), OTHER))
    assert service.update(notes["their uploaded"], "community", OTHER).status == 200
    assert service.update(notes["their uploaded"], "org", OTHER).status == 200
    body = {"image_ref": f"127.0.0.1:{deployment.elsewhere.port}/team/their-{MARK}:1.0.0"}
    keep("registered", service.send("create_pack", "POST", "/packs", caller=OTHER, json=body))
    keep("cloned", service.clone(notes["their uploaded"], OTHER, name=f"{MARK}-cloned"))
    keep("deleting", service.upload(_archive(f"{MARK}-deleting"), OTHER))
    keep("deleted", service.upload(_archive(f"{MARK}-deleted"), OTHER))
    assert service.delete(notes["their deleted"], OTHER).status == 200
    for role, held in (
        (f"{MARK}-role", []),
        (f"{MARK}-too", []),
        (f"{MARK}-role", [notes["their uploaded"]]),
    ):
        assert service.set_role(role, held, OTHER).status == 200
    _uploads(deployment, "their", OTHER)
    notes["their API key"] = _key(deployment, OTHER)
    service.send("keys", "POST", "/keys", caller=OTHER, json={"label": MARK, "scopes": []})
    _webhook(deployment, "their", OTHER)
    _publisher(deployment, "their", OTHER)
    _publisher(deployment, "their", OTHER)
    _feed(deployment, "their", OTHER)
    _feed(deployment, "their", OTHER)
    service.clock.advance(SHOWN_AFTER)
    pages = {
        "their deliveries": service.send(
            "webhook_deliveries",
            "GET",
            f"/webhooks/{notes['their webhook']}/deliveries",
            caller=OTHER,
            query={"limit": "1"},
        ),
        "their publishers": service.send(
            "trusted_publishers", "GET", "/trusted-publishers", caller=OTHER, query={"limit": "1"}
        ),
        "their feeds": service.send("feeds", "GET", "/feeds", caller=OTHER, query={"limit": "1"}),
        "their keys": service.send("keys", "GET", "/keys", caller=OTHER, query={"limit": "1"}),
        "their events": service.send("list_events", "GET", "/events", caller=OTHER, query={"limit": "1"}),
        "their listing": service.list_packs(OTHER, limit="1"),
        "their roles": service.list_roles(OTHER, limit="1"),
        "their role's history": service.role_history(f"{MARK}-role", OTHER, limit="1"),
        "their history": service.send(
            "list_revisions",
            "GET",
            f"/packs/{notes['their uploaded']}/revisions",
            caller=OTHER,
            query={"limit": "1"},
        ),
    }
    notes |= {name: page.body["next_cursor"] for name, page in pages.items()}
    notes["their event"] = pages["their events"].body["events"][0]["id"]


def _prepare_caller(deployment: Deployment) -> None:
    service, notes = deployment.service, deployment.notes
    for name in ("own", "own-other"):
        notes[name] = service.upload(_archive(name), CALLER).body["id"]
        assert service.update(notes[name], "community", CALLER).status == 200
    body = {"image_ref": f"127.0.0.1:{deployment.elsewhere.port}/team/ours:1.0.0"}
    notes["own registered"] = service.send("create_pack", "POST", "/packs", caller=CALLER, json=body).body[
        "id"
    ]
    assert service.set_role("own-role", [notes["own"]], CALLER).status == 200
    _uploads(deployment, "own", CALLER)
    notes["own API key"] = _key(deployment, CALLER)
    _webhook(deployment, "own", CALLER)
    _publisher(deployment, "own", CALLER)
    _feed(deployment, "own", CALLER)
    notes["own other listing"] = service.list_packs(CALLER, limit="1", owned="true").body["next_cursor"]
    for name in ("own", "own-other"):
        path = f"/packs/{notes[name]}/revisions"
        page = service.send("list_revisions", "GET", path, caller=CALLER, query={"limit": "1"})
        notes[f"{name} history"] = page.body["next_cursor"]


def _uploads(deployment: Deployment, whose: str, caller: Any) -> None:
    service = deployment.service
    for state, archive in (("done", _archive(f"{whose}-staged")), ("failed", b"no archive")):
        upload_id = start(service, caller).body["upload_id"]
        message = arrive(service, upload_id, archive)
        deployment.builds.append(message)
        assert deployment.build(message)
        deployment.notes[f"{whose} {state} upload"] = upload_id
    deployment.notes[f"{whose} waiting upload"] = start(service, caller).body["upload_id"]


def _publisher(deployment: Deployment, whose: str, caller: Any) -> None:
    name = MARK if caller is OTHER else "own"
    added = add_publisher(deployment.service, f"https://{name}.example", caller, pack_name=name)
    deployment.notes[f"{whose} publisher"] = added.body["id"]


def _feed(deployment: Deployment, whose: str, caller: Any) -> None:
    made = feeds.make(deployment.service, caller, role_id=f"{MARK}-role" if caller is OTHER else "own-role")
    assert made.status == 201, made.body
    deployment.notes[f"{whose} feed"] = made.body["id"]


def _webhook(deployment: Deployment, whose: str, caller: Any) -> None:
    """Let an organisation have a webhook with two deliveries, the last of an event that it has."""
    service, notes = deployment.service, deployment.notes
    body = {"url": f"https://example.com/{MARK if caller is OTHER else 'ours'}"}
    webhook_id = service.send("webhooks", "POST", "/webhooks", caller=caller, json=body).body["id"]
    for number in range(2):
        notes[f"{whose} delivery"] = deployment.new_ulid()
        attempt = Attempt(
            org_id=caller.org_id,
            webhook_id=webhook_id,
            delivery_id=notes[f"{whose} delivery"],
            type=TEST_TYPE,
            at=service.clock() + timedelta(seconds=number),
            status=DeliveryStatus.DELIVERED,
            outcome=Outcome(status=204),
        )
        service.services.delivery_store.record([attempt])
    notes[f"{whose} webhook"] = webhook_id


def _key(deployment: Deployment, caller: Any) -> str:
    body = {"label": MARK if caller is OTHER else "ours", "scopes": ["caps:write"]}
    made = deployment.service.send("keys", "POST", "/keys", caller=caller, json=body)
    key_id: str = made.body["id"]
    return key_id


def _half_delete(deployment: Deployment, pack_id: str) -> None:
    """Leave a deletion that is decided, while the registry holds on to the image."""
    mood = Refuses(method="DELETE", status=503)
    deployment.service.registry.moods.append(mood)
    assert deployment.service.delete(pack_id, OTHER).status == 502
    deployment.service.registry.moods.remove(mood)
    deployment.new_process()
