"""No secret stands in any line of any log: no credential, no signed URL, nothing of what packs hold.

All functions go through all scenarios, then through them again with every kind of failure at requests of theirs, with
marks in everything that is secret; every line is looked at, with all that it carries, tracebacks included.
"""

import json
import logging
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from moto import mock_aws
from moto.sts.utils import SESSION_TOKEN_PREFIX
from tests import feeds
from tests.aws import CURSOR_KEY
from tests.changes import changes_form
from tests.door import DoorClient
from tests.engine.points import Point
from tests.engine.refusals import Fault
from tests.fake_registry.ecr import PASSWORD
from tests.fake_registry.moods import CutsOff, Garbles, HangsUp, Mood, Refuses, Says
from tests.gateway import Answer, Request
from tests.internet import Internet, internet
from tests.issuer import AUDIENCE, ISSUER, Issuer, public, rsa_key, signed
from tests.reliability import budget, tally
from tests.reliability.deployment import Deployment, Saved, running_deployment
from tests.reliability.function_scenarios import SCENARIOS, Setup
from tests.reliability.log_lines import Log, everything_logged
from tests.reliability.operations import prepare_all
from tests.reliability.permissions import Recorded, Recorder, recording
from tests.reliability.prepared_deployments import small_layers
from tests.reliability.transformed import ACCOUNT, CREDENTIALS, FOREIGN_REGISTRY
from tests.service import ACME, PackArchive
from tests.third_party_images import pack_image

from packyard.composition.settings import JwtSettings, Settings
from packyard.errors import ServiceUnavailable
from packyard.http.authorizer import Unauthorized
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret, new_secret
from packyard.tenants.org import BillingPosture, Org

MARK: Final = "m4rk"
USER_PASSWORD: Final = f"{MARK}-password"
REGISTRY_TOKEN: Final = f"{MARK}-registry-token"
SIGNATURE: Final = f"{MARK}0signature"
IDEMPOTENCY_KEY: Final = f"{MARK}-idempotency-key"
FILE_CONTENT: Final = f"{MARK} in a file"
PACK_YAML: Final = f"{MARK} in pack.yaml"
KINDS: Final = (Fault.THROTTLED, Fault.ERROR, Fault.UNREACHABLE, Fault.LOST)


@dataclass(frozen=True)
class Place:
    """All that the scenarios take, and a log."""

    setup: Setup
    scene: Saved
    settings: Settings
    recorder: Recorder

    @property
    def deployment(self) -> Deployment:
        return self.setup.deployment

    def again(self) -> None:
        self.deployment.service.new_process(settings=self.settings)
        self.recorder.service.begin = self.deployment.new_process
        self.deployment.restore(self.scene)
        self.setup.theirs.moods.clear()
        self.deployment.service.registry.moods.clear()
        self.deployment.wire.tap = self.recorder.sent


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with small_layers(), running_deployment() as deployment, internet() as net, mock_aws():
        services = deployment.service.services
        secrets = services.client("secretsmanager")
        entries = {
            FOREIGN_REGISTRY: {"ecr": True},
            "registry.test": {"username": "user", "password": USER_PASSWORD},
        }
        secrets.create_secret(Name=CREDENTIALS.rpartition(":")[2], SecretString=json.dumps(entries))
        prepare_all(deployment)
        with recording(deployment) as recorder:
            setup = Setup(deployment, recorder, net, net.serve(FOREIGN_REGISTRY))
            yield Place(setup, deployment.save(), services.settings, recorder)


def secrets_of_registries() -> list[str]:
    passwords = (PASSWORD, f"AWS:{ACCOUNT}-auth-token", f"user:{USER_PASSWORD}")
    return [
        USER_PASSWORD,
        REGISTRY_TOKEN,
        *passwords,
        *(b64encode(one.encode()).decode() for one in passwords),
    ]


def assert_silent(log: Log, *secrets: str) -> None:
    marks = [MARK, CURSOR_KEY, "X-Amz-Signature", SESSION_TOKEN_PREFIX]
    assert log.telling([*marks, *secrets_of_registries(), *secrets]) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_a_function_does_no_secret_is_logged(place: Place, name: str) -> None:
    place.again()
    with everything_logged() as log:
        SCENARIOS[name](place.setup)

    tally.count("log lines searched", len(log.lines))
    assert_silent(log)


def failing_at(number: int, fault: Fault, service: Recorded) -> Any:
    """Return a tap at which a function's call of this number, counted from 0, fails, and so do its repeats."""
    seen: list[str] = []

    def tap(point: Point) -> Any:
        if not service.at_work:
            return point.deliver()
        if point.invocation not in seen:
            seen.append(point.invocation)
        if seen.index(point.invocation) != number:
            return point.deliver()
        return point.befall(fault)

    return tap


FAILURES = [(name, number, kind) for name in SCENARIOS for number in range(0, 40, 3) for kind in KINDS]


@pytest.mark.parametrize("part", range(4))
def test_whatever_fails_no_secret_is_logged(place: Place, part: int) -> None:
    with everything_logged() as log:
        for name, number, kind in budget.spread(FAILURES, ci=30)[part::4]:
            place.again()
            place.deployment.wire.tap = failing_at(number, kind, place.recorder.service)
            # What the scenario says of a failure is of no concern here. A scheduled function lets Lambda count it.
            with suppress(AssertionError, KeyError, TypeError, ServiceUnavailable):
                SCENARIOS[name](place.setup)

    tally.count("log lines searched", len(log.lines))
    assert_silent(log)


# -- what clients bring -------------------------------------------------------------------------------------------


def test_no_credential_is_logged_whether_it_is_taken_or_not(place: Place) -> None:
    place.again()
    service, signer = place.deployment.service, rsa_key("march")
    secret = _enrol(place)
    tokens = _tokens(int(service.clock.now.timestamp()))
    shown = [f"Bearer {secret}", f"Bearer sk_{MARK}", f"Basic {MARK}", MARK, f"Bearer {secret}{MARK}"]
    with Issuer(keys=[public(signer)]) as issuer, everything_logged() as log:
        jwt = JwtSettings(issuer=ISSUER, audience=AUDIENCE, keys_url=issuer.keys_url)
        service.new_process(settings=replace(place.settings, jwt=jwt))
        for down in (False, True):
            issuer.down = down
            for authorization in [*shown, *(f"Bearer {token}" for token in tokens)]:
                arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
                event = {"type": "TOKEN", "authorizationToken": authorization, "methodArn": arn}
                with suppress(Unauthorized, ServiceUnavailable):
                    service.invoke("authorize", event)
            place.deployment.new_process()

    assert len(log.lines) >= len(tokens)
    parts = [part for token in tokens for part in token.split(".")[1:] if len(part) > 10]
    assert_silent(log, secret, hash_secret(secret), *parts)


def _enrol(place: Place) -> str:
    tenants = place.deployment.service.services.tenants
    secret = new_secret(b"m" * 32)
    tenants.put_org(Org(org_id=ACME.org_id, slug="acme", billing=BillingPosture.ACTIVE))
    tenants.put_api_key(
        ApiKey(
            key_hash=hash_secret(secret),
            org_id=ACME.org_id,
            label="ci",
            permission_set=PermissionSet.FULL_ACCESS,
            created_at=place.deployment.service.clock.now,
        )
    )
    return secret


def _tokens(now: int) -> list[str]:
    signer = rsa_key("march")
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"{MARK}-subject",
        "org_id": ACME.org_id,
        "exp": now + 60,
    }
    changes: list[dict[str, Any]] = [
        {},
        {"exp": now - 600},
        {"exp": f"{MARK}-expiry"},
        {"nbf": f"{MARK}-beginning"},
        {"iss": f"{MARK}-issuer"},
        {"aud": [f"{MARK}-audience"]},
        {"org_id": f"{MARK}-org"},
        {"permissions": f"{MARK}-permission"},
        {"sub": f"{MARK} subject\n"},
    ]
    headers = [{"kid": f"{MARK}-kid"}, {"jku": f"https://{MARK}.example"}, {"typ": MARK}, {MARK: MARK}]
    return [
        *(signed(signer, "RS256", {**claims, **change}) for change in changes),
        *(signed(signer, "RS256", claims, header) for header in headers),
        signed(signer, "RS256", f"{MARK} is no JSON"),
        signed(rsa_key("april"), "RS256", claims),
        f"eyJ{MARK}.eyJ{MARK}.{MARK}",
        f"eyJ{MARK}",
    ]


def archives() -> list[bytes]:
    """Return archives with marks in them, and with everything wrong with them that is told to clients."""
    files = {"guides/a.md": FILE_CONTENT.encode()}
    good = PackArchive(name="marked", files=files, fields={"description": PACK_YAML})
    faulty: list[dict[str, Any]] = [
        {"version": f"{MARK}-version"},
        {"category": PACK_YAML},
        {f"{MARK}-key": PACK_YAML},
        {"capabilities": [{"name": PACK_YAML, "type": "http", "allow": PACK_YAML}]},
        {"suggested_packs": PACK_YAML},
    ]
    whole = good.build()
    return [
        whole,
        whole[:-40],
        b"x" + whole,
        FILE_CONTENT.encode(),
        PackArchive(name="marked", files={f"{MARK}/a.md": FILE_CONTENT.encode()}).build(),
        *(PackArchive(name="marked", fields=fields, files=files).build() for fields in faulty),
    ]


def test_nothing_of_what_a_client_sends_is_logged(place: Place) -> None:
    place.again()
    setup, deployment = place.setup, place.deployment
    pack = f"/packs/{deployment.notes['slack']}"
    with everything_logged() as log:
        for archive in archives():
            deployment.service.upload(archive)
        for path, content in (("guides/a.md", FILE_CONTENT), ("pack.yaml", f"name: slack\nx: {PACK_YAML}")):
            setup.ask("put_file", "PUT", f"{pack}/files/{path}", body=content.encode())
        for files, deletions in (
            ({"guides/a.md": FILE_CONTENT.encode()}, ()),
            ({f"{MARK}/a.md": FILE_CONTENT.encode(), "pack.yaml": PACK_YAML.encode()}, ()),
            (None, [f"guides/{MARK}", f"{MARK}/"]),
            (FILE_CONTENT.encode(), [MARK]),
        ):
            body, headers = changes_form(files, deletions)
            setup.ask("change_pack", "POST", f"{pack}/changes", body=body, headers=headers)
        setup.ask("get_file", "GET", f"{pack}/files/guides/a.md")
        for query in ({"cursor": f"{MARK}{'A' * 40}"}, {"cursor": MARK}, {"q": MARK}):
            setup.ask("list_packs", "GET", "/packs", query=query)
            setup.ask("list_revisions", "GET", f"{pack}/revisions", query=query)
        for key in (IDEMPOTENCY_KEY, IDEMPOTENCY_KEY, f"{IDEMPOTENCY_KEY} \n"):
            for size in (1, 2):
                headers = {"Idempotency-Key": key}
                setup.ask(
                    "start_upload", "POST", "/packs/uploads", json={"size_bytes": size}, headers=headers
                )
        setup.ask(
            "update_pack", "PATCH", pack, json={"visibility": MARK, MARK: MARK}, headers={"If-Match": MARK}
        )

    assert_silent(log)


def test_no_form_and_no_url_that_we_sign_is_logged(place: Place) -> None:
    place.again()
    with everything_logged() as log:
        form = json.loads(place.setup.ask("start_upload", "POST", "/packs/uploads", json={})["body"])[
            "fields"
        ]
        large = PackArchive(name="large", files={"data/large.bin": bytes(5 << 20)}).build()
        made = place.deployment.service.upload(large)
        assert made.status == 201, made.body
        answer = place.setup.ask("get_file", "GET", f"/packs/{made.body['id']}/files/data/large.bin")
    (location,) = answer["multiValueHeaders"]["Location"]
    signature = re.search(r"X-Amz-Signature=([0-9a-f]{64})", location)

    assert signature is not None
    assert_silent(log, signature[1], form["x-amz-signature"], form["policy"])


def test_no_key_that_is_made_is_logged(place: Place) -> None:
    place.again()
    body = {"label": MARK, "scopes": ["caps:write"]}
    with everything_logged() as log:
        answers = [
            place.setup.ask("keys", "POST", "/keys", json=body, headers={"Idempotency-Key": "k1"})
            for _ in range(2)
        ]

    assert [answer["statusCode"] for answer in answers] == [201, 409]
    assert_silent(log, json.loads(answers[0]["body"])["key"])


def test_no_address_of_a_feed_is_logged(place: Place) -> None:
    """Not where it is made, nor as a password, nor in the path of what it serves."""
    place.again()
    setup, deployment = place.setup, place.deployment
    with everything_logged() as log:
        made = setup.ask("feeds", "POST", "/feeds", json={"pack_ids": [deployment.notes["slack"]]})
        secret = feeds.secret_of(Answer.of(made))
        door = DoorClient(service=deployment.service)
        assert door.token("feed", secret).status == 200
        assert door.token("feed", f"{secret}x").status == 401
        event = Request(method="GET", resource="/feeds", path=f"/f/{secret}/lock.json", caller=ACME).event()
        deployment.service.invoke("feeds", event | {"pathParameters": {"secret": secret}})

    assert any("/f/-/lock.json" in line for line in log.lines)
    assert_silent(log, secret, hash_secret(secret))


# -- what registries are shown, and what they say -----------------------------------------------------------------

_BLOBS: Final = "blobs.test"


@pytest.mark.parametrize(
    "mood",
    [
        pytest.param(None, id="all goes well"),
        pytest.param(Refuses(status=403), id="refused"),
        pytest.param(Refuses(status=503), id="unavailable"),
        pytest.param(HangsUp(), id="hangs up"),
        pytest.param(CutsOff(), id="cut off"),
        pytest.param(Garbles(), id="garbled"),
        pytest.param(Says(headers=(("x y", "no header"), ("Content-Length", "1"))), id="broken headers"),
        pytest.param(Says(status=302, headers=(("Location", f"https://[{SIGNATURE}"),)), id="to nowhere"),
        pytest.param(Says(status=302, headers=(("Location", f"ftp://{SIGNATURE}/?{MARK}"),)), id="elsewhere"),
    ],
)
def test_neither_passwords_nor_tokens_nor_other_people_s_signed_urls_are_logged(
    place: Place, mood: Mood | None
) -> None:
    place.again()
    with internet() as net, everything_logged() as log:
        setup = Setup(place.deployment, place.recorder, net, place.setup.theirs)
        _serve_with_signed_urls(net, mood)
        setup.on_the_internet()
        for reference in ("registry.test/team/pack:1", "registry.test/team/absent:1"):
            setup.ask("create_pack", "POST", "/packs", json={"image_ref": reference})

    assert_silent(log)


def _serve_with_signed_urls(net: Internet, mood: Mood | None) -> None:
    registry, blobs = net.serve("registry.test"), net.serve(_BLOBS)
    registry.bearer, registry.token_user = REGISTRY_TOKEN, f"user:{USER_PASSWORD}"
    made = pack_image(f"name: elsewhere\nversion: 1.0.0\ndescription: {PACK_YAML}\n".encode())
    for server in (registry, blobs):
        made.shelve(server.shelves.repository("team/pack", create=True), "1")
    digest = made.layers[0].descriptor()["digest"]
    location = f"https://{_BLOBS}/v2/team/pack/blobs/{digest}?X-Amz-Signature={SIGNATURE}"
    registry.moods.append(Says(path="/blobs/", status=307, headers=(("Location", location),)))
    if mood is not None:
        blobs.moods.append(mood)


# -- that it would be noticed -------------------------------------------------------------------------------------


def test_unless_they_are_hushed_libraries_log_what_is_secret(place: Place) -> None:
    place.again()
    with everything_logged(hushed=False) as log:
        place.deployment.service.upload(archives()[0])

    assert log.telling([MARK, *secrets_of_registries()])


def test_our_own_lines_are_there_at_any_level(place: Place) -> None:
    place.again()
    with everything_logged() as log:
        assert place.deployment.service.get(place.deployment.notes["slack"]).status == 200

    assert any("answered" in line and '"route"' in line for line in log.lines)
    assert logging.getLogger().level != logging.DEBUG
