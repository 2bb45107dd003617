"""Every GET answers an entity tag, and 304 to a client that has the body (API contract, 1; RFC 9110, 13.1.2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from tests import feeds, scans
from tests.aws import dead_letter_queues_in_memory
from tests.documented import DOCUMENT
from tests.engine.taps import Log
from tests.gateway import Request, multipart
from tests.operator_view import OPERATOR, bury, leave_deleting
from tests.publishers import add as add_publisher
from tests.revisions import withdraw
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.staged_uploads import start
from tests.usage import limit

from packyard.http.inline_limit import MAX_INLINE_BYTES
from packyard.packs.event import SHOWN_AFTER
from packyard.packs.pack import Tier
from packyard.packs.usage import Quota
from packyard.store.deliveries import Attempt
from packyard.tenants.caller import Caller
from packyard.tenants.org import BillingPosture, Org
from packyard.webhooks.delivery import DeliveryStatus, Outcome
from packyard_admin.packs import Packs

FIRST = PackArchive(version="1.0.0", files={"guides/a.md": b"first", "data/a.png": b"\x89PNG\0"})
SECOND = PackArchive(version="1.1.0", files={"guides/a.md": b"second", "data/a.png": b"\x89PNG\1"})
LARGE = bytes(range(256)) * (MAX_INLINE_BYTES // 256 + 1)


@dataclass
class Scene:
    """A service with one of each thing that can be read."""

    service: Service
    pack: str
    upload: str
    webhook: str
    feed: str
    address: str

    def ask(
        self, function: str, path: str, known: str | None = None, caller: Caller | None = OPERATOR
    ) -> Any:
        """Read something, and say that a body is known."""
        headers = {"Accept": "*/*"} | ({"If-None-Match": known} if known else {})
        things = {"pack": self.pack, "upload": self.upload, "webhook": self.webhook, "feed": self.feed}
        filled, _, query = path.format(**things).partition("?")
        # The resource is in no answer, only in the log.
        request = Request(
            method="GET",
            resource=filled,
            path=filled,
            query=dict(parse_qsl(query)),
            headers=headers,
            caller=caller,
        )
        return self.service.invoke(function, request.event())


@pytest.fixture
def scene(service: Service) -> Scene:
    pack = service.upload(FIRST.build())
    service.set_role("support", [])
    dead_letter_queues_in_memory()
    org = Org(org_id=ACME.org_id, slug=ACME.org_slug, billing=BillingPosture.ACTIVE)
    service.services.tenants.put_org(org)
    webhook = service.send("webhooks", "POST", "/webhooks", json={"url": "https://example.com/hooks"})
    feed = feeds.make(service)
    return Scene(
        service,
        pack.body["id"],
        start(service).body["upload_id"],
        webhook.body["id"],
        feed.body["id"],
        feeds.secret_of(feed),
    )


def reupload(scene: Scene) -> object:
    body, headers = multipart({"archive": SECOND.build()})
    path = f"/packs/{scene.pack}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    return scene.service.request("reupload_pack", request)


def vouch(scene: Scene) -> object:
    """Do what the operator does to say that a pack is verified."""
    services = scene.service.services
    packs = Packs(store=services.packs, deletions=services.deleter.deletions, clock=services.clock)
    return packs.set_tier(scene.pack, Tier.VERIFIED, actor="operator:test")


def use_the_feed(scene: Scene) -> None:
    services = scene.service.services
    services.feed_watch.note(services.feed_reader.find(scene.address), "192.0.2.1")


def make_key(scene: Scene) -> object:
    body = {"label": "ci", "scopes": ["caps:write"]}
    return scene.service.send("keys", "POST", "/keys", json=body)


def make_key_and_wait(scene: Scene) -> None:
    make_key(scene)
    scene.service.clock.advance(SHOWN_AFTER)


def change_webhook(scene: Scene) -> object:
    path = f"/webhooks/{scene.webhook}"
    return scene.service.send("webhooks", "PATCH", path, json={"description": "changed"})


def fail(scene: Scene) -> None:
    """Note that deliveries fail, which is no revision of the webhook."""
    store = scene.service.services.webhook_store
    store.note_failing(store.of(ACME.org_id)[scene.webhook], since=scene.service.clock())


def deliver(scene: Scene) -> None:
    attempt = Attempt(
        org_id=ACME.org_id,
        webhook_id=scene.webhook,
        delivery_id="0" * 26,
        type="webhook.test",
        at=scene.service.clock(),
        status=DeliveryStatus.DELIVERED,
        outcome=Outcome(status=204),
    )
    scene.service.services.delivery_store.record([attempt])


def set_policy(scene: Scene) -> object:
    body = {"version_policy": "increasing"}
    return scene.service.send("policies", "PUT", "/version-policy", json=body)


def require_signatures(scene: Scene) -> object:
    body = {"rules": [], "otherwise": "refuse"}
    return scene.service.send("policies", "PUT", "/signature-policy", json=body)


def let_time_pass(scene: Scene) -> None:
    scene.service.clock.advance(timedelta(hours=2))


@dataclass(frozen=True, kw_only=True)
class Read:
    """Something that can be read.

    Attributes:
        function: What reads it.
        path: Where, with `{pack}`, `{upload}` and `{webhook}`.
        name: What names it in the document; the function's name by default.
        changes: Each changes its body; none where only a release does.
        calls: What leaves the process for a 304.
        content_type: Of its body.
        cache: The answer's Cache-Control.
    """

    function: str
    path: str
    changes: tuple[Callable[[Scene], object], ...] = ()
    calls: tuple[str, ...] = ("dynamodb.GetItem",)
    content_type: str = "application/json"
    cache: str = "private, no-cache"
    name: str = ""


FILE = ("dynamodb.BatchGetItem", "s3.GetObject")
READS = [
    Read(
        function="get_pack",
        path="/packs/{pack}",
        changes=(
            lambda scene: scene.service.update(scene.pack, "community"),
            reupload,
            vouch,
        ),
    ),
    Read(
        function="list_files",
        path="/packs/{pack}/files",
        changes=(reupload,),
        calls=("dynamodb.BatchGetItem",),
    ),
    Read(
        function="get_file",
        path="/packs/{pack}/files/guides/a.md",
        changes=(reupload,),
        calls=FILE,
        content_type="text/markdown; charset=utf-8",
    ),
    Read(
        function="get_file",
        path="/packs/{pack}/files/data/a.png",
        changes=(reupload,),
        calls=FILE,
        content_type="image/png",
    ),
    Read(
        function="get_role_packs",
        name="get_role_packs",
        path="/agent-roles/support/packs",
        changes=(
            lambda scene: scene.service.set_role("support", [scene.pack]),
            reupload,
            lambda scene: scene.service.refresh_role("support"),
            lambda scene: scene.service.set_role("support", []),
        ),
    ),
    Read(
        function="get_role_packs",
        name="list_roles",
        path="/agent-roles",
        changes=(
            lambda scene: scene.service.set_role("support", [scene.pack]),
            reupload,
            lambda scene: scene.service.delete_role("support"),
        ),
        calls=("dynamodb.Query",),
    ),
    Read(
        function="get_role_packs",
        name="list_role_revisions",
        path="/agent-roles/support/revisions",
        changes=(lambda scene: scene.service.set_role("support", [scene.pack]),),
        calls=("dynamodb.GetItem", "dynamodb.Query"),
    ),
    Read(
        function="get_lock",
        path="/agent-roles/support/lock",
        changes=(
            lambda scene: scene.service.set_role("support", [scene.pack]),
            lambda scene: scene.service.pin("support", [{"id": scene.pack, "follow": True, "alias": "a"}]),
        ),
    ),
    Read(function="get_upload", path="/packs/uploads/{upload}", changes=(let_time_pass,)),
    Read(
        function="list_packs",
        path="/packs",
        changes=(lambda scene: scene.service.upload(PackArchive(name="another").build()),),
        calls=("dynamodb.Query",) * 5,
    ),
    Read(function="policies", name="version_policy", path="/version-policy", changes=(set_policy,)),
    Read(
        function="policies", name="signature_policy", path="/signature-policy", changes=(require_signatures,)
    ),
    Read(
        function="policies",
        name="scan_policy",
        path="/scan-policy",
        changes=(lambda scene: scans.set_policy(scene.service, block="high"),),
    ),
    Read(
        function="pack_scan",
        name="get_scan",
        path="/packs/{pack}/scan",
        changes=(lambda scene: scans.override(scene.service, scene.pack),),
        calls=("dynamodb.BatchGetItem", "dynamodb.BatchGetItem"),
    ),
    Read(
        function="list_attestations",
        path="/packs/{pack}/attestations",
        changes=(reupload,),
        calls=("dynamodb.BatchGetItem", "dynamodb.GetItem"),
    ),
    Read(function="keys", name="list_keys", path="/keys", changes=(make_key,), calls=("dynamodb.Query",)),
    Read(
        function="feeds",
        name="list_feeds",
        path="/feeds",
        changes=(lambda scene: feeds.make(scene.service),),
        calls=("dynamodb.Query",),
    ),
    Read(
        function="feeds",
        name="get_feed",
        path="/feeds/{feed}",
        changes=(use_the_feed,),
        calls=("dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.Query", "s3.GetObject"),
    ),
    Read(
        function="trusted_publishers",
        name="list_trusted_publishers",
        path="/trusted-publishers",
        changes=(lambda scene: add_publisher(scene.service, "https://ghe.example"),),
        calls=("dynamodb.Query",),
    ),
    Read(function="webhooks", name="list_webhooks", path="/webhooks", changes=(change_webhook,)),
    Read(
        function="webhooks",
        name="get_webhook",
        path="/webhooks/{webhook}",
        changes=(change_webhook, fail),
    ),
    Read(
        function="webhook_deliveries",
        name="list_deliveries",
        path="/webhooks/{webhook}/deliveries",
        changes=(deliver,),
        calls=("dynamodb.GetItem", "dynamodb.Query"),
    ),
    Read(function="list_events", path="/events", changes=(make_key_and_wait,), calls=("dynamodb.Query",)),
    Read(
        function="get_usage",
        path="/usage",
        changes=(
            lambda scene: scene.service.upload(PackArchive(name="another").build()),
            lambda scene: limit(scene.service, Quota.PACKS, 1000),
        ),
        calls=("dynamodb.BatchGetItem",),
    ),
    Read(
        function="operator_view",
        name="list_deletions",
        path="/operator/deletions",
        changes=(lambda scene: leave_deleting(scene.service, scene.pack),),
        calls=("dynamodb.Query",),
    ),
    Read(
        function="operator_view",
        name="list_dead_letters",
        path="/operator/dead-letters",
        changes=(lambda scene: bury(scene.service.aws, "cleanup", "{}"),),
        calls=("sqs.GetQueueAttributes",) * 5,
    ),
    Read(
        function="operator_view",
        name="get_organisation",
        path="/operator/organisations/acme",
        changes=(lambda scene: limit(scene.service, Quota.PACKS, 1000),),
        calls=("dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.BatchGetItem"),
    ),
    Read(
        function="list_revisions",
        name="list_revisions",
        path="/packs/{pack}/revisions",
        changes=(reupload, lambda scene: withdraw(scene.service, scene.pack, 1)),
        calls=("dynamodb.GetItem", "dynamodb.Query", "dynamodb.BatchGetItem"),
    ),
    Read(
        function="retention",
        name="get_retention",
        path="/packs/{pack}/retention",
        changes=(
            lambda scene: scene.service.send(
                "retention", "PUT", f"/packs/{scene.pack}/retention", json={"keep": 9}
            ),
        ),
    ),
    Read(
        function="list_revisions",
        name="get_revision",
        path="/packs/{pack}/revisions/1",
        calls=("dynamodb.BatchGetItem",),
    ),
    Read(
        function="get_diff",
        path="/packs/{pack}/diff?from=1",
        changes=(reupload,),
        calls=("dynamodb.BatchGetItem",),
    ),
    Read(
        function="list_revisions",
        name="list_references",
        path="/packs/{pack}/references",
        changes=(lambda scene: scene.service.set_role("support", [scene.pack]),),
        calls=("dynamodb.GetItem", "dynamodb.Query"),
    ),
    Read(function="api_docs", path="/openapi.json", calls=(), cache="public, max-age=300"),
    Read(
        function="api_docs",
        path="/docs",
        calls=(),
        content_type="text/html; charset=utf-8",
        cache="public, max-age=300",
    ),
    Read(
        function="console",
        path="/console",
        calls=(),
        content_type="text/html; charset=utf-8",
        cache="no-cache",
    ),
]
EACH = pytest.mark.parametrize("read", READS, ids=lambda read: read.path)


def tag_of(answer: Any) -> str:
    tag: str = answer["multiValueHeaders"]["ETag"][0]
    return tag


def test_every_read_of_the_document_is_among_these() -> None:
    reads = {methods["get"]["operationId"] for methods in DOCUMENT()["paths"].values() if "get" in methods}

    # The answer of a download has URLs that are new each time. The public keys are for everybody (`test_attestations`).
    # The doors have their own (`test_doors`), and an asset of the page never changes (`test_console`).
    at_the_doors = {
        methods["get"]["operationId"]
        for path, methods in DOCUMENT()["paths"].items()
        if "get" in methods and path.startswith(("/doors/", "/f/"))
    }
    assert reads - at_the_doors - {"openapi", "docs", "download_pack", "signing_keys", "console_asset"} == {
        read.name or read.function for read in READS
    } - {"api_docs"}


@EACH
def test_a_matching_tag_is_answered_with_304_after_few_reads(scene: Scene, read: Read) -> None:
    whole = scene.ask(read.function, read.path)
    log = Log()
    with scene.service.wire.tapped(log):
        again = scene.ask(read.function, read.path, tag_of(whole))

    assert (whole["statusCode"], whole["multiValueHeaders"]["Cache-Control"]) == (200, [read.cache])
    assert (again["statusCode"], again["body"], again["isBase64Encoded"]) == (304, "", False)
    headers = again["multiValueHeaders"]
    kept = {"ETag", "Cache-Control", "Vary", "Content-Type"} & whole["multiValueHeaders"].keys()
    assert {name: headers[name] for name in kept} == {name: whole["multiValueHeaders"][name] for name in kept}
    assert headers.keys() == kept | {"X-Request-Id"}
    assert headers["Content-Type"] == [read.content_type]
    assert sorted(log.calls) == sorted(read.calls)


@EACH
def test_what_a_tenant_reads_is_for_one_credential(scene: Scene, read: Read) -> None:
    headers = scene.ask(read.function, read.path)["multiValueHeaders"]

    # A file of the page is the same for everybody, compressed or not.
    shared = ["Accept-Encoding"] if read.function == "console" else None
    assert headers.get("Vary") == (["Authorization"] if "private" in read.cache else shared)


@EACH
def test_the_tag_changes_with_the_body(scene: Scene, read: Read) -> None:
    tags = [tag_of(scene.ask(read.function, read.path))]
    for change in read.changes:
        change(scene)
        answer = scene.ask(read.function, read.path, ", ".join(tags))
        assert answer["statusCode"] == 200
        tags.append(tag_of(answer))

    assert len(set(tags)) == 1 + len(read.changes)


@EACH
def test_a_client_with_another_body_gets_this_one(scene: Scene, read: Read) -> None:
    assert scene.ask(read.function, read.path, '"another"')["statusCode"] == 200
    assert scene.ask(read.function, read.path, "*")["statusCode"] == 304


@EACH
def test_a_caller_who_may_not_read_is_refused_whatever_tag_they_send(scene: Scene, read: Read) -> None:
    if read.function in ("api_docs", "console"):
        return
    tag = tag_of(scene.ask(read.function, read.path))

    for known in (tag, "*"):
        assert scene.ask(read.function, read.path, known, caller=None)["statusCode"] == 401
        theirs = scene.ask(read.function, read.path, known, caller=GLOBEX)
        # A list is everybody's own.
        lists = (
            "get_usage",
            "list_events",
            "list_feeds",
            "list_keys",
            "list_packs",
            "list_roles",
            "list_trusted_publishers",
            "list_webhooks",
            "scan_policy",
            "signature_policy",
            "version_policy",
        )
        if read.function == "operator_view":
            assert theirs["statusCode"] == 403
            continue
        assert theirs["statusCode"] == (
            404 if (read.name or read.function) not in lists else theirs["statusCode"]
        )
        assert theirs["statusCode"] != 304 or known == "*" or _is_the_same_to(GLOBEX, scene, read, tag)


def _is_the_same_to(caller: Caller, scene: Scene, read: Read, tag: str) -> bool:
    """Return whether another caller gets the same body, such as a list without entries; each body has its own tag."""
    return tag_of(scene.ask(read.function, read.path, caller=caller)) == tag


def test_an_owner_and_others_see_one_pack_under_tags_of_their_own(scene: Scene) -> None:
    """Theirs has no `org_id`, and `owned` is false; one cache may be asked by both."""
    scene.service.update(scene.pack, "community")

    own = scene.ask("get_pack", "/packs/{pack}")
    foreign = scene.ask("get_pack", "/packs/{pack}", tag_of(own), caller=GLOBEX)

    assert (tag_of(own), tag_of(foreign), foreign["statusCode"]) == ('"2"', '"shared-2"', 200)
    assert scene.ask("get_pack", "/packs/{pack}", tag_of(foreign), caller=GLOBEX)["statusCode"] == 304


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize(
    ("function", "path"),
    [
        ("create_pack", "/packs"),
        ("upload_pack", "/packs/upload"),
        ("clone_pack", "/packs/{pack}/clone"),
        ("delete_pack", "/packs/{pack}"),
    ],
)
def test_a_condition_that_a_write_cannot_keep_is_refused_and_never_passed_over(
    scene: Scene, function: str, path: str, header: str
) -> None:
    method = "DELETE" if function == "delete_pack" else "POST"
    value = "3" if header == "If-Match" else "*"
    answer = scene.service.send(function, method, path.format(pack=scene.pack), headers={header: value})

    assert (answer.status, list(answer.fields)) == (400, [header])


@pytest.fixture(scope="module")
def large() -> Iterator[Scene]:
    with running_service() as service:
        pack = service.upload(PackArchive(files={"data/large.bin": LARGE}).build())
        yield Scene(service, pack.body["id"], "", "", "", "")


def test_a_large_file_is_not_staged_when_the_tag_matches(large: Scene) -> None:
    path = "/packs/{pack}/files/data/large.bin"
    elsewhere = large.ask("get_file", path)
    log = Log()
    with large.service.wire.tapped(log):
        again = large.ask("get_file", path, tag_of(elsewhere))

    assert (elsewhere["statusCode"], elsewhere["multiValueHeaders"]["Cache-Control"]) == (
        302,
        ["private, no-store"],
    )
    assert (again["statusCode"], log.calls) == (304, list(FILE))
