"""What each operation calls, counted by running it, as the table that docs/architecture.md shows.

`python -m tests.call_counts` writes the table anew; a test fails while the two differ.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends
from tests import feeds, scans
from tests.attesting import Attesting
from tests.aws import BUCKET, REGION, TABLE, dead_letter_queues_in_memory
from tests.changes import change
from tests.contents import Contents
from tests.door import DoorClient, login
from tests.doors import DoorAnswer, Doors
from tests.engine.taps import Log
from tests.fake_registry.flavours import HARBOR
from tests.fake_registry.server import FakeRegistry
from tests.feeds import make as make_feed
from tests.feeds import secret_of
from tests.gateway import Answer, Request, multipart
from tests.issuer import public
from tests.operator_view import ask as look_as_operator
from tests.operator_view import bury, leave_deleting
from tests.publishers import GITHUB, exchange, token
from tests.publishers import KEY as CI_KEY
from tests.publishers import add as add_publisher
from tests.revisions import delete_revision, restore, withdraw
from tests.service import ACME, DEADLINE, PackArchive, Service, running_service
from tests.signatures import document_of, written_by_cosign
from tests.staged_uploads import arrive, deliver, look, start
from tests.third_party_images import pack_image
from tests.webhooks import Hooks, event_record

from packyard.issuer.discovered_keys import DiscoveredIssuers
from packyard.tenants.org import BillingPosture, Org

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "architecture.md"
START: Final = "<!-- written by `python -m tests.call_counts` -->\n"
END: Final = "<!-- end of what it writes -->\n"

TRY: Final = {"dry_run": "true"}
_MADE: Final = 201
_FOUND: Final = 200
_ACCEPTED: Final = 202
_NOT_MODIFIED: Final = 304
_REDIRECTED: Final = 307
PINNING: Final = "pinning"


_SKILLS: Final = ".well-known/agent-skills/index.json"
_ISSUER: Final = "https://ghe.example/_services/token"


class Scene:
    """A service with a built and a registered pack, and the registry that the second one's image is in."""

    def __init__(self, service: Service, elsewhere: FakeRegistry) -> None:
        self.service = service
        self.elsewhere = elsewhere
        self.built = _ok(service.upload(PackArchive(version="1.0.0").build())).body["id"]
        self.registered = _ok(self.register("elsewhere")).body["id"]
        service.clock.advance(DEADLINE * 2)
        self.cleanup_message = next(body for body in service.aws.queued() if "orphan_image" in body)
        gone = _ok(service.upload(PackArchive(name="gone").build())).body["id"]
        _ok(service.delete(gone))
        self.deletion = next(body for body in service.aws.queued() if "pack_deletion" in body)
        service.clock.advance(DEADLINE * 2)
        held = _ok(service.upload(PackArchive(name="held").build())).body["id"]
        _ok(service.set_role("standing", [held]))
        _ok(service.update(held, "community"))
        _ok(service.set_role("read", [held]))
        self.tag = _ok(service.lock("read")).headers["ETag"]
        self.followed = _ok(self.register("followed")).body["id"]
        _ok(service.pin("following", [{"id": self.followed, "follow": True}]))
        _ok(self.replace("2.0.0", "followed", self.followed))
        self.told = service.stream_of(self.followed)
        self.started = _ok(start(service)).body["upload_id"]
        self.key = _ok(self.make_key()).body["id"]
        self.arrived = arrive(service, self.started, PackArchive(name="staged").build())
        self.password = self.image = self.config = self.webhook = self.delivery = self.publisher = ""
        self.feed = self.address = ""
        self.messages: list[dict[str, Any]] = []
        self.record: dict[str, Any] = {}
        self.hooks: Hooks
        # The table is about a container that has been used: clients are made, tokens are at hand.
        service.registry.requests.clear()
        elsewhere.requests.clear()

    def register(self, name: str, **query: str) -> Answer:
        """Register a pack whose image is elsewhere."""
        body = {"image_ref": self._shelve(name, "1.0.0")}
        return self.service.send("create_pack", "POST", "/packs", json=body, query=query)

    def replace(self, version: str, name: str = "elsewhere", pack: str = "", **query: str) -> Answer:
        """Move a registered pack to another version."""
        body = {"image_ref": self._shelve(name, version)}
        path = f"/packs/{pack or self.registered}"
        return self.service.send("replace_pack", "PUT", path, json=body, query=query)

    def go_back(self) -> Answer:
        """Move a built pack back to its first revision."""
        return self.service.send("replace_pack", "PUT", f"/packs/{self.built}", json={"revision": 1})

    def diff(self) -> Answer:
        """Compare the first two revisions of the built pack."""
        path = f"/packs/{self.built}/diff"
        return self.service.send("get_diff", "GET", path, query={"from": "1"})

    def poll(self) -> None:
        """Ask for a lock that the client has."""
        assert self.service.lock("read", ACME, etag=self.tag).status == _NOT_MODIFIED

    def upload(self, archive: bytes, **query: str) -> Answer:
        """Send an archive for a new pack."""
        return self._form("upload_pack", "/packs/upload", archive, query)

    def reupload(self, archive: bytes, **query: str) -> Answer:
        """Send another archive for the built pack."""
        return self._form("reupload_pack", f"/packs/{self.built}/upload", archive, query)

    def _form(self, function: str, path: str, archive: bytes, query: dict[str, str]) -> Answer:
        form, headers = multipart({"archive": archive})
        request = Request(
            method="POST", resource=path, path=path, query=query, headers=headers, body=form, caller=ACME
        )
        return self.service.request(function, request)

    def refresh(self) -> Answer:
        """Move the pin of the role that stands to a new revision of its pack."""
        answer = self.service.refresh_role("standing")
        assert answer.body["revision"] > 1
        return answer

    def read(self, function: str, tail: str) -> object:
        """Ask for something below the built pack."""
        path = f"/packs/{self.built}/{tail}"
        return self.service.invoke(
            function, Request(method="GET", resource=path, path=path, caller=ACME).event()
        )

    def write(self, path: str, **query: str) -> Answer:
        """Write a file into the built pack."""
        full = f"/packs/{self.built}/files/{path}"
        request = Request(method="PUT", resource=full, path=full, query=query, body=b"# New\n", caller=ACME)
        return _ok(self.service.request("put_file", request))

    def clone(self) -> Answer:
        """Clone the built pack."""
        path = f"/packs/{self.built}/clone"
        return self.service.send("clone_pack", "POST", path, json={"name": "cloned"})

    def make_key(self) -> Answer:
        """Make an API key."""
        body = {"label": "ci", "scopes": ["caps:write"]}
        return self.service.send("keys", "POST", "/keys", json=body)

    def leave_deleting(self) -> None:
        """Let the built pack wait for its deletion."""
        self.make_org()
        leave_deleting(self.service, self.built)

    def give_up(self) -> None:
        """Let there be a dead letter."""
        dead_letter_queues_in_memory()
        bury(self.service.aws, "cleanup", self.deletion)

    def operate(self, what: str) -> Answer:
        """Look at something as the operator."""
        return look_as_operator(self.service, f"/operator/{what}")

    def make_org(self) -> None:
        """Let there be the organisation's item."""
        org = Org(org_id=ACME.org_id, slug=ACME.org_slug, billing=BillingPosture.ACTIVE)
        self.service.services.tenants.put_org(org)

    def read_policy(self) -> Answer:
        """Read the version policy."""
        return self.service.send("policies", "GET", "/version-policy")

    def set_policy(self) -> Answer:
        """Set the version policy."""
        body = {"version_policy": "increasing"}
        return self.service.send("policies", "PUT", "/version-policy", json=body)

    def require_signatures(self) -> Answer:
        """Set a signature policy."""
        document = document_of(written_by_cosign()["keys"]["p256"], images=["**"])
        return self.service.send("policies", "PUT", "/signature-policy", json=document)

    def pin(self) -> None:
        """Let a role pin the built pack, log in for it, and read the image's documents: the container has been used."""
        services = self.service.services
        services.tenants.put_org(Org(org_id=ACME.org_id, slug=ACME.org_slug, billing=BillingPosture.ACTIVE))
        _ok(self.service.set_role(PINNING, [self.built]))
        self.password = services.pull_tokens.login(PINNING, caller=ACME).text
        image = services.role_pins.find(
            org_id=ACME.org_id, role_id=PINNING, owner=ACME.org_slug, name="slack"
        )
        assert image is not None
        self.image = image.digest
        *documents, index = services.served_images.tree(image).documents
        self.config = json.loads(documents[0].raw)["config"]["digest"]
        assert index.digest == image.digest
        self.service.registry.requests.clear()

    def pin_prepared(self) -> None:
        """Let a role pin the built pack as `pin` does, and its image be prepared for the doors."""
        self.pin()
        Doors(self.service).prepare(self.built)
        self.service.registry.requests.clear()

    def pull(self, function: str, kind: str, digest: str) -> object:
        """Ask the door for a part of the built pack's image; the authorizer has let the client in."""
        event = Request(method="GET", resource=f"/acme/slack/{kind}/{digest}").event()
        event["requestContext"]["authorizer"] = {"org_id": ACME.org_id, "role_id": PINNING}
        answer = self.service.invoke(function, event)
        assert answer["statusCode"] in (_FOUND, _REDIRECTED), answer
        return answer

    def hook(self) -> None:
        """Make a webhook whose receiver takes an event, and let that event wait for it, and another for the stream."""
        self.service.wire.clients["kms"] = self.service.services.client("kms")
        self.hooks = Hooks(self.service)
        url = f"http://127.0.0.1:{self.elsewhere.port}/v2/team/hook/blobs/uploads/"
        self.elsewhere.shelves.repository("team/hook", create=True)
        self.webhook = self.hooks.add(url, types=["webhook.created", "webhook.updated"]).body["id"]
        self.hooks.carry()
        self.delivery = self.hooks.deliveries(self.webhook)[0]["id"]
        self.of_webhook("PATCH", json={"description": "told"})
        self.record = event_record(self.hooks.events()[-1])
        self.messages = self.hooks.messages()

    def add_publisher(self) -> Answer:
        """Add a trusted publisher, whose issuer's keys are at hand."""
        service, keys = self.service, json.dumps({"keys": [public(CI_KEY)]}).encode()
        service.services.publisher_issuers = DiscoveredIssuers(
            fetching=lambda _url: lambda: keys, clock=service.clock
        )
        answer = add_publisher(service, _ISSUER)
        self.publisher = answer.body["id"]
        return answer

    def make_feed(self) -> None:
        """Make a feed of a role."""
        answer = _ok(feeds.make(self.service, role_id="read"))
        self.feed, self.address = answer.body["id"], feeds.secret_of(answer)

    def log_in_with_a_feed(self) -> object:
        """Log in at the distribution door from a network from where it was not used today."""
        return DoorClient(service=self.service).logged_in("feed", self.address)

    def used_issuer(self) -> None:
        """Let the publisher have had its first token, in a container that has the issuer's keys."""
        self.make_org()
        self.add_publisher()
        _ok(self.exchange())

    def exchange(self) -> Answer:
        """Exchange a token of CI."""
        text = token(_ISSUER, GITHUB, at=self.service.clock())
        return exchange(self.service, text)

    def published(self) -> None:
        """Let the event of a second image of the built pack, whose first one has statements, wait for the stream."""
        self.service.wire.clients["kms"] = self.service.services.client("kms")
        self.attesting = Attesting(self.service)
        self.attesting.carry()
        _ok(change(self.service, self.built, {"guides/new.md": b"new"}))
        self.service.registry.requests.clear()
        events = self.service.aws.dynamodb.scan(TableName=TABLE)["Items"]
        [item] = [item for item in events if item["SK"]["S"] in self._new_events(events)]
        self.record = event_record(item)
        self.image_messages = self.attesting.fan_out()

    def _new_events(self, items: Any) -> set[str]:
        return {
            item["SK"]["S"] for item in items if item["PK"]["S"].startswith("EVENTS#")
        } - self.attesting.seen

    def published_to_harbor(self) -> None:
        """The same in a registry that lists referrers."""
        self.service.registry.flavour = HARBOR
        self.published()

    def attested(self) -> None:
        """Let the image have statements, and the container have asked for the key."""
        self.published()
        assert self.attest() == []

    def attest(self) -> list[str]:
        """Make the statements."""
        return self.attesting.attest(self.image_messages)

    def read_statements(self) -> Answer:
        """Read the statements."""
        return _ok(self.attesting.get(self.built))

    def read_keys(self) -> Answer:
        """Read the public keys."""
        return _ok(self.attesting.keys())

    def opened(self) -> None:
        """Let a role serve the built pack, whose image is prepared."""
        self.doors = Doors(self.service)
        self.doors.prepare(self.built)
        self.to_prepare = self.doors.message(self.built)
        _ok(self.service.set_role("served", [self.built]))

    def kept(self) -> None:
        """Let the role's catalogue be kept."""
        self.opened()
        self.etag = self.door(".well-known/agent-skills/index.json").headers["ETag"]

    def unprepared(self) -> None:
        """Let a role serve the built pack, whose image is not prepared."""
        self.opened()
        for key in self.doors.kept():
            self.service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
        self.service.registry.requests.clear()

    def prepare(self) -> None:
        """Prepare the image."""
        assert self.doors.settle([self.to_prepare]) == []

    def door(self, path: str, **more: Any) -> DoorAnswer:
        """Read something below the role."""
        answer = self.doors.get(path, role="served", **more)
        assert answer.status in (200, 302, 304), answer
        return answer

    def bundle(self) -> DoorAnswer:
        """Ask for the role's bundle."""
        return self.doors.get("bundle.tar", role="served")

    def bundle_asked_for(self) -> None:
        """Let the message about the role's bundle wait."""
        self.opened()
        self.bundle()
        (self.to_make,) = self.doors.take()

    def make_bundle(self) -> None:
        """Make the bundle."""
        assert self.doors.settle([self.to_make]) == []

    def bundled(self) -> None:
        """Let the bundle be there."""
        self.bundle_asked_for()
        self.make_bundle()

    def fed(self) -> None:
        """Let a feed of the role have been used by the same client."""
        self.kept()
        self.secret = secret_of(make_feed(self.service, role_id="served"))
        self.read_feed()

    def read_feed(self) -> DoorAnswer:
        """Read the index below the feed."""
        return self.door(_SKILLS, feed=self.secret)

    def mcp(self, method: str, **params: Any) -> Any:
        """Send a request of MCP."""
        answer = self.doors.call(method, role="served", **params)
        assert "result" in answer
        return answer

    def of_webhook(self, method: str, tail: str = "", **more: Any) -> Answer:
        """Ask for something of the webhook."""
        return _ok(self.hooks.send(method, f"/{self.webhook}{tail}", **more))

    def of_deliveries(self, method: str, tail: str) -> Answer:
        """Ask for something of the webhook's deliveries."""
        return _ok(self.hooks.of_deliveries(method, f"/{self.webhook}/{tail}"))

    def let_a_result_be_old(self) -> None:
        """Let the result of the built pack be that of other rules."""
        digest = self.service.get(self.built).body["image_digest"]
        scans.let_results_be_old(self.service, self.built, digest)
        self.service.registry.requests.clear()

    def _shelve(self, name: str, version: str) -> str:
        repository = self.elsewhere.shelves.repository(f"team/{name}", create=True)
        pack_image(f"name: {name}\nversion: {version}\n".encode()).shelve(repository, version)
        return f"{urlsplit(self.elsewhere.url).netloc}/team/{name}:{version}"


@dataclass(frozen=True)
class After:
    """An operation that needs something first, which is not counted."""

    prepare: Callable[[Scene], object]
    act: Callable[[Scene], object]

    def __call__(self, scene: Scene) -> object:
        """Do both."""
        self.prepare(scene)
        return self.act(scene)


ROWS: Final[dict[str, Callable[[Scene], object]]] = {
    "`GET /packs/{id}`": lambda scene: _ok(scene.service.get(scene.built)),
    "`GET /packs`": lambda scene: _ok(scene.service.list_packs()),
    "`GET /packs?owned=true`": lambda scene: _ok(scene.service.list_packs(owned="true")),
    "`GET /packs?search=word`": After(
        lambda scene: scene.service.follow(scene.built),
        lambda scene: _ok(scene.service.list_packs(search="slack")),
    ),
    "`POST /packs`": lambda scene: _ok(scene.register("new")),
    "`POST /packs`, a repeat": lambda scene: _ok(scene.register("elsewhere")),
    "`PUT /packs/{id}`": lambda scene: _ok(scene.replace("2.0.0")),
    "`PUT /packs/{id}`, back to a revision": After(
        lambda scene: _ok(scene.reupload(PackArchive(version="2.0.0").build())),
        lambda scene: _ok(scene.go_back()),
    ),
    "`PATCH /packs/{id}`": lambda scene: _ok(scene.service.update(scene.built, "community")),
    "`POST /packs/upload`": lambda scene: _ok(scene.service.upload(PackArchive(name="new").build())),
    "`POST /packs/upload`, a repeat": lambda scene: _ok(
        scene.service.upload(PackArchive(version="1.0.0").build())
    ),
    "`POST /packs/upload`, refused": lambda scene: scene.service.upload(b"not an archive"),
    "`POST /packs/{id}/upload`": lambda scene: _ok(scene.reupload(PackArchive(version="2.0.0").build())),
    "`POST /packs/{id}/changes`": lambda scene: _ok(
        change(scene.service, scene.built, {"README.md": b"# New\n"})
    ),
    "`POST /packs?dry_run=true`": lambda scene: _ok(scene.register("new", **TRY)),
    "`PUT /packs/{id}?dry_run=true`": lambda scene: _ok(scene.replace("2.0.0", **TRY)),
    "`POST /packs/upload?dry_run=true`": lambda scene: _ok(
        scene.upload(PackArchive(name="new").build(), **TRY)
    ),
    "`POST /packs/{id}/upload?dry_run=true`": lambda scene: _ok(
        scene.reupload(PackArchive(version="2.0.0").build(), **TRY)
    ),
    "`PUT /packs/{id}/files/{path}?dry_run=true`": lambda scene: scene.write("README.md", **TRY),
    "`POST /packs/{id}/clone`": lambda scene: _ok(scene.clone()),
    "`DELETE /packs/{id}`, registered": lambda scene: _ok(scene.service.delete(scene.registered)),
    "`DELETE /packs/{id}`, built": lambda scene: _ok(scene.service.delete(scene.built)),
    "`PUT /agent-roles/{role_id}/packs`": lambda scene: _ok(scene.service.set_role("r", [scene.built])),
    "`GET /agent-roles/{role_id}/packs`": lambda scene: _ok(scene.service.get_role("standing")),
    "`POST /agent-roles/{role_id}/packs/refresh`": lambda scene: _ok(scene.refresh()),
    "`DELETE /agent-roles/{role_id}`": lambda scene: _ok(scene.service.delete_role("standing")),
    "`GET /agent-roles`": lambda scene: _ok(scene.service.list_roles()),
    "`GET /agent-roles/{role_id}/revisions`": lambda scene: _ok(scene.service.role_history("standing")),
    "`GET /agent-roles/{role_id}/lock`, the first time": lambda scene: _ok(scene.service.lock("standing")),
    "`GET /agent-roles/{role_id}/lock`": lambda scene: _ok(scene.service.lock("read")),
    "`GET /agent-roles/{role_id}/lock`, unchanged": lambda scene: scene.poll(),
    "`follow_packs`, a role": lambda scene: scene.service.invoke("follow_packs", {"Records": scene.told}),
    "`POST /agent-roles/{role_id}/pull-token`": After(
        Scene.pin, lambda scene: _ok(login(scene.service, PINNING))
    ),
    "`GET /v2/token`": After(
        Scene.pin, lambda scene: DoorClient(service=scene.service).token(PINNING, scene.password)
    ),
    "`GET /v2/{owner}/{pack}/manifests/{digest}`": After(
        Scene.pin, lambda scene: scene.pull("pull_manifest", "manifests", scene.image)
    ),
    "`GET /v2/{owner}/{pack}/manifests/skill-<tag>`": After(
        Scene.pin_prepared, lambda scene: scene.pull("pull_manifest", "manifests", "skill-1.0.0")
    ),
    "`GET /v2/{owner}/{pack}/blobs/{digest}`": After(
        Scene.pin, lambda scene: scene.pull("pull_blob", "blobs", scene.config)
    ),
    "`GET /packs/{id}/revisions`": lambda scene: _ok(
        scene.service.send("list_revisions", "GET", f"/packs/{scene.built}/revisions")
    ),
    "`GET /packs/{id}/revisions/{n}`": lambda scene: _ok(
        scene.service.send("list_revisions", "GET", f"/packs/{scene.built}/revisions/1")
    ),
    "`GET /packs/{id}/diff`": After(
        lambda scene: _ok(scene.reupload(PackArchive(version="2.0.0").build())),
        lambda scene: _ok(scene.diff()),
    ),
    "`GET /packs/{id}/references`": lambda scene: _ok(
        scene.service.send("list_revisions", "GET", f"/packs/{scene.built}/references")
    ),
    "`POST /packs/{id}/revisions/{n}/withdrawal`": lambda scene: _ok(withdraw(scene.service, scene.built, 1)),
    "`DELETE /packs/{id}/revisions/{n}/withdrawal`": After(
        lambda scene: _ok(withdraw(scene.service, scene.built, 1)),
        lambda scene: _ok(restore(scene.service, scene.built, 1)),
    ),
    "`DELETE /packs/{id}/revisions/{n}`": After(
        lambda scene: _ok(scene.reupload(PackArchive(version="2.0.0").build())),
        lambda scene: _ok(delete_revision(scene.service, scene.built, 1)),
    ),
    "`GET /packs/{id}/retention`": lambda scene: _ok(
        scene.service.send("retention", "GET", f"/packs/{scene.built}/retention")
    ),
    "`PUT /packs/{id}/retention`": lambda scene: _ok(
        scene.service.send("retention", "PUT", f"/packs/{scene.built}/retention", json={"keep": 9})
    ),
    "`GET /packs/{id}/files`": lambda scene: scene.read("list_files", "files"),
    "`GET /packs/{id}/files/{path}`": lambda scene: scene.read("get_file", "files/pack.yaml"),
    "`GET /packs/{id}/download`": After(Scene.pin, lambda scene: scene.read("download_pack", "download")),
    "`PUT /packs/{id}/files/{path}`": lambda scene: scene.write("README.md"),
    "`POST /packs/uploads`": lambda scene: _ok(start(scene.service)),
    "`GET /packs/uploads/{upload_id}`": lambda scene: _ok(look(scene.service, scene.started)),
    "`GET /version-policy`": lambda scene: _ok(scene.read_policy()),
    "`PUT /version-policy`": After(lambda scene: scene.make_org(), lambda scene: _ok(scene.set_policy())),
    "`GET /signature-policy`": lambda scene: _ok(scene.service.send("policies", "GET", "/signature-policy")),
    "`PUT /signature-policy`": lambda scene: _ok(scene.require_signatures()),
    "`PUT /agent-roles/{role_id}/packs`, of a registered pack under a signature policy": After(
        lambda scene: _ok(scene.require_signatures()),
        lambda scene: scene.service.set_role("signed", [scene.registered]),
    ),
    "`GET /scan-policy`": lambda scene: _ok(scene.service.send("policies", "GET", "/scan-policy")),
    "`PUT /scan-policy`": lambda scene: _ok(scans.set_policy(scene.service, block="high")),
    "`GET /packs/{id}/scan`": lambda scene: scans.scan_of(scene.service, scene.built),
    "`POST /packs/{id}/scan/overrides`": lambda scene: _ok(scans.override(scene.service, scene.built)),
    "`POST /packs/upload`, with findings": lambda scene: _ok(scene.upload(scans.with_advice("new"))),
    "`rescan_packs`, an image": After(Scene.let_a_result_be_old, lambda scene: scans.walk(scene.service)),
    "`GET /keys`": lambda scene: _ok(scene.service.send("keys", "GET", "/keys")),
    "`POST /keys`": lambda scene: _ok(scene.make_key()),
    "`DELETE /keys/{key_id}`": lambda scene: _ok(scene.service.send("keys", "DELETE", f"/keys/{scene.key}")),
    "`GET /feeds`": lambda scene: _ok(scene.service.send("feeds", "GET", "/feeds")),
    "`POST /feeds`, of a role": lambda scene: _ok(feeds.make(scene.service, role_id="read")),
    "`POST /feeds`, of packs": lambda scene: _ok(feeds.make(scene.service, pack_ids=[scene.built])),
    "`GET /feeds/{feed_id}`": After(
        Scene.make_feed, lambda scene: _ok(feeds.read(scene.service, scene.feed))
    ),
    "`DELETE /feeds/{feed_id}`": After(
        Scene.make_feed, lambda scene: _ok(feeds.remove(scene.service, scene.feed))
    ),
    "`GET /v2/token`, with a feed": After(Scene.make_feed, Scene.log_in_with_a_feed),
    "`GET /trusted-publishers`": lambda scene: _ok(
        scene.service.send("trusted_publishers", "GET", "/trusted-publishers")
    ),
    "`POST /trusted-publishers`": lambda scene: _ok(scene.add_publisher()),
    "`DELETE /trusted-publishers/{publisher_id}`": After(
        Scene.add_publisher,
        lambda scene: _ok(
            scene.service.send("trusted_publishers", "DELETE", f"/trusted-publishers/{scene.publisher}")
        ),
    ),
    "`POST /oidc/exchange`": After(Scene.used_issuer, lambda scene: _ok(scene.exchange())),
    "`GET /usage`": lambda scene: _ok(scene.service.send("get_usage", "GET", "/usage")),
    "`GET /operator/deletions`": After(Scene.leave_deleting, lambda scene: _ok(scene.operate("deletions"))),
    "`GET /operator/dead-letters`, of which one queue has some": After(
        Scene.give_up, lambda scene: _ok(scene.operate("dead-letters"))
    ),
    "`GET /operator/organisations/{org}`": After(
        Scene.make_org, lambda scene: _ok(scene.operate(f"organisations/{ACME.org_slug}"))
    ),
    "`GET /events`": lambda scene: _ok(scene.service.send("list_events", "GET", "/events")),
    "`GET /events?pack_id=`": lambda scene: _ok(
        scene.service.send("list_events", "GET", "/events", query={"pack_id": scene.built})
    ),
    "`GET /webhooks`": After(Scene.hook, lambda scene: _ok(scene.hooks.send("GET"))),
    "`POST /webhooks`": After(Scene.hook, lambda scene: scene.hooks.add("https://example.com/hooks")),
    "`GET /webhooks/{webhook_id}`": After(Scene.hook, lambda scene: scene.of_webhook("GET")),
    "`PATCH /webhooks/{webhook_id}`": After(
        Scene.hook, lambda scene: scene.of_webhook("PATCH", json={"state": "disabled"})
    ),
    "`DELETE /webhooks/{webhook_id}`": After(Scene.hook, lambda scene: scene.of_webhook("DELETE")),
    "`POST /webhooks/{webhook_id}/rotate`": After(
        Scene.hook, lambda scene: scene.of_webhook("POST", "/rotate")
    ),
    "`POST /webhooks/{webhook_id}/test`": After(
        Scene.hook, lambda scene: scene.of_deliveries("POST", "test")
    ),
    "`GET /webhooks/{webhook_id}/deliveries`": After(
        Scene.hook, lambda scene: scene.of_deliveries("GET", "deliveries")
    ),
    "`POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redelivery`": After(
        Scene.hook, lambda scene: scene.of_deliveries("POST", f"deliveries/{scene.delivery}/redelivery")
    ),
    "`GET /packs/{id}/attestations`": After(Scene.attested, Scene.read_statements),
    "`GET /.well-known/packyard/keys.json`": After(Scene.attested, Scene.read_keys),
    "`fan_out`, a new image": After(
        Scene.published, lambda scene: scene.service.invoke("fan_out", {"Records": [scene.record]})
    ),
    "`attest_image`": After(Scene.published, Scene.attest),
    "`attest_image`, where the registry lists referrers": After(Scene.published_to_harbor, Scene.attest),
    "`attest_image`, an image that has statements": After(Scene.attested, Scene.attest),
    "`prepare_artifacts`": After(Scene.unprepared, Scene.prepare),
    "`prepare_artifacts`, an image that is prepared": After(Scene.opened, Scene.prepare),
    "`GET /doors/roles/{role_id}/.well-known/agent-skills/index.json`, the first time": After(
        Scene.opened, lambda scene: scene.door(_SKILLS)
    ),
    "`GET /doors/roles/{role_id}/.well-known/agent-skills/index.json`": After(
        Scene.kept, lambda scene: scene.door(_SKILLS)
    ),
    "`GET /doors/roles/{role_id}/.well-known/agent-skills/index.json`, unchanged": After(
        Scene.kept, lambda scene: scene.door(_SKILLS, etag=scene.etag)
    ),
    "`GET /doors/roles/{role_id}/.well-known/agent-skills/index.json`, an image that is not prepared": After(
        Scene.unprepared, lambda scene: scene.door(_SKILLS)
    ),
    "`GET /doors/roles/{role_id}/marketplace.json`": After(
        Scene.kept, lambda scene: scene.door("marketplace.json")
    ),
    "`GET /doors/roles/{role_id}/api/v1/skills/{slug}`": After(
        Scene.kept, lambda scene: scene.door("api/v1/skills/slack")
    ),
    "`GET /doors/roles/{role_id}/api/v1/download`": After(
        Scene.kept, lambda scene: scene.door("api/v1/download", query={"slug": "slack"})
    ),
    "`GET /doors/roles/{role_id}/lock.json`": After(Scene.opened, lambda scene: scene.door("lock.json")),
    "`GET /doors/roles/{role_id}/bundle.tar`, the first time": After(
        Scene.opened, lambda scene: scene.bundle()
    ),
    "`prepare_artifacts`, a bundle": After(Scene.bundle_asked_for, Scene.make_bundle),
    "`GET /doors/roles/{role_id}/bundle.tar`": After(Scene.bundled, lambda scene: scene.bundle()),
    "`GET /f/{secret}/.well-known/agent-skills/index.json`": After(Scene.fed, Scene.read_feed),
    "`POST /doors/roles/{role_id}/mcp`, `skills/list`": After(
        Scene.kept, lambda scene: scene.mcp("skills/list")
    ),
    "`POST /doors/roles/{role_id}/mcp`, `resources/read`": After(
        Scene.kept, lambda scene: scene.mcp("resources/read", uri="skill://acme/slack/pack.yaml")
    ),
    "`fan_out`, an event": After(
        Scene.hook, lambda scene: scene.service.invoke("fan_out", {"Records": [scene.record]})
    ),
    "`deliver`, an event": After(
        Scene.hook, lambda scene: scene.service.invoke("deliver", {"Records": scene.messages})
    ),
    "`retry_delivery`, an event": After(
        Scene.hook, lambda scene: scene.service.invoke("retry_delivery", {"Records": scene.messages})
    ),
    "`build_upload`": lambda scene: deliver(scene.service, scene.arrived),
    "`clean_up`, an image in use": lambda scene: scene.service.deliver_bodies([scene.cleanup_message]),
    "`clean_up`, a deletion that has ended": lambda scene: scene.service.deliver_bodies([scene.deletion]),
}


def table() -> str:
    """Return the table in Markdown."""
    lines = ["| operation | AWS calls | requests to registries |", "|---|---|---|"]
    with running_service(scans=True) as service, FakeRegistry() as elsewhere:
        scene = Scene(service, elsewhere)
        before = Before(scene)
        for name, act in ROWS.items():
            before.again(scene)
            aws, registry = _count(scene, act)
            lines.append(f"| {name} | {aws} | {registry} |")
    return "\n".join(lines) + "\n"


def documented() -> str:
    """Return the table that the document shows."""
    return DOCUMENT.read_text().partition(START)[2].partition(END)[0]


class Before:
    """What a scene was before the first operation: one costs two seconds to set, and a hundredth to put back."""

    def __init__(self, scene: Scene) -> None:
        self.service = service = scene.service
        self.contents = Contents.of(service, scene.elsewhere)
        self.messages = [(queue, list(queue._messages)) for queue in _queues()]  # noqa: SLF001 - receiving hides them
        self.flavour = service.registry.flavour
        self.clients = dict(service.wire.clients)
        # What the container has made so far: clients, parts.
        self.services = dict(vars(service.services))
        self.scene = dict(vars(scene))

    def again(self, scene: Scene) -> None:
        """Put everything back, and let the container have made no more than it had."""
        service = self.service
        self.contents.put_back(service, scene.elsewhere)
        for queue, messages in self.messages:
            queue._messages[:] = messages  # noqa: SLF001
        service.registry.flavour = self.flavour
        service.wire.clients = dict(self.clients)
        _let_have(service.services, self.services)
        _let_have(scene, self.scene)
        scene.messages = []
        service.registry.requests.clear()
        scene.elsewhere.requests.clear()


def _let_have(owner: object, fields: dict[str, Any]) -> None:
    vars(owner).clear()
    vars(owner).update(fields)


def _queues() -> list[Any]:
    return list(sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values())


def _count(scene: Scene, act: Callable[[Scene], object]) -> tuple[str, str]:
    service, elsewhere = scene.service, scene.elsewhere
    if isinstance(act, After):
        act.prepare(scene)
        act = act.act
        service.registry.requests.clear()
        elsewhere.requests.clear()
    log = Log(only=lambda point: point.is_aws)
    with service.wire.tapped(log):
        act(scene)
    aws = [name.label.partition(".")[2] for name in log.passed]
    requests = [request.method for request in (*service.registry.requests, *elsewhere.requests)]
    return _summary(aws), _summary(requests)


def _summary(calls: list[str]) -> str:
    counts = Counter(calls)
    return ", ".join(f"{counts[call]} {call}" for call in sorted(counts))


def _ok(answer: Answer) -> Answer:
    assert answer.status in (_FOUND, _MADE, _ACCEPTED), answer.body
    return answer


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text().partition(START)
    DOCUMENT.write_text(before + START + table() + END + rest.partition(END)[2])
