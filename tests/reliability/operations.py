"""Every operation that writes, as a client or a queue asks for it.

All start from one prepared state, which has what each needs. A repeat asks for exactly the same, as clients and queues
do.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import MappingProxyType
from typing import Any, Final

from tests import revisions, scans
from tests.changes import archive_of, changes_form
from tests.changes import change as change_pack
from tests.door import DoorAnswer, DoorClient, login
from tests.engine.taps import Crash, Failure, Killed, PointName
from tests.fake_registry.moods import Refuses
from tests.gateway import Answer, Request, multipart
from tests.publishers import put_acme
from tests.reliability import attesting, doors
from tests.reliability import feed_requests as feeds
from tests.reliability import publisher_requests as publishers
from tests.reliability import webhook_requests as webhooks
from tests.reliability.deployment import Deployment
from tests.reliability.signature_requests import set_signature_policy
from tests.reliability.usage_operations import one_build_at_once, wait_for_a_turn
from tests.service import ACME, DEADLINE, GLOBEX, PackArchive
from tests.staged_uploads import arrive, look
from tests.staged_uploads import start as start_upload
from tests.third_party_images import pack_image

from packyard.errors import PackyardError
from packyard.tenants.caller import Caller

FIRST: Final = PackArchive(version="1.0.0").build()
STANDING: Final = PackArchive(version="1.1.0", files={"README.md": b"standing"}).build()
NEXT: Final = PackArchive(version="2.0.0", files={"README.md": b"next"}).build()
NEW: Final = PackArchive(name="new").build()
# What is compressed is over the size from which a layer is sent while it is being made (decision 21).
_NOISE: Final = Random(1).randbytes(9 << 20)  # noqa: S311 - the same each time
LARGE: Final = PackArchive(name="large", files={"data/noise": _NOISE}).build()
# Of several layers, where these are small (`prepared_deployments`).
_MANY_FILES: Final = {
    f"data/{number:02}.bin": Random(number).randbytes(3000)  # noqa: S311 - the same each time
    for number in range(40)
}
MANY: Final = PackArchive(name="many", files=_MANY_FILES).build()
MANY_CHANGED: Final = PackArchive(name="many", files=_MANY_FILES | {"data/20.bin": b"changed"}).build()
KEY: Final = {"Idempotency-Key": "k1"}
# More blobs than an image of one layer has: two configs.
_SEVERAL: Final = 5
CHANGED_FILES: Final = {"README.md": b"changed", "guides/new.md": b"# Changed\n"}
CHANGES: Final = archive_of(CHANGED_FILES)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One request to the service, or one delivery of messages.

    Attributes:
        name: The operation, and what is special about it.
        function: The function that it asks.
        act: Asks for it.
        prepare: What it needs beside the state that all start from.
        done: The statuses that a first request may be answered with.
        repeated: The statuses that a repeat may be answered with after the first was carried out.
        comes_again: Whether a queue asks for it, again until it is done.
        heavy: Whether it takes so long that CI tries only a few cases of it.
        both_may_succeed: Whether two at once may both be told so, and come to what one does: identical transactions of
            one instant are one, and an idempotency key is free again when a request has taken too long.
        heals: Whether it brings back what a registry has lost. Once that is back, a repeat has nothing to write.
        deletes: Whether a caller may see a change after an answer of 5xx (API contract, section 5).
    """

    name: str
    function: str
    act: Callable[[Deployment], Answer]
    prepare: Callable[[Deployment], object] = lambda _deployment: None
    done: frozenset[int] = frozenset({200})
    repeated: frozenset[int] = frozenset({200})
    comes_again: bool = False
    heavy: bool = False
    both_may_succeed: bool = False
    heals: bool = False
    deletes: bool = False

    def ask(self, deployment: Deployment) -> Answer:
        """Ask for it, and check that it is the function's."""
        deployment.service.invoked.clear()
        answer = self.act(deployment)
        # A queue asks no more for what is settled.
        asked = self.function in deployment.service.invoked or self.comes_again
        assert asked, f"{self.name} does not ask {self.function}"
        return answer


def prepare_all(deployment: Deployment) -> None:
    """Make what every operation needs, and let every message about it be settled."""
    service, notes = deployment.service, deployment.notes
    notes["slack"] = _made(service.upload(FIRST))
    _made(_form(deployment, f"/packs/{notes['slack']}/upload", "reupload_pack", archive=STANDING))
    for tag in ("1.0.0", "2.0.0"):
        shelf = deployment.elsewhere.shelves.repository("team/jira", create=True)
        pack_image(f"name: jira\nversion: {tag}\n".encode()).shelve(shelf, tag)
    notes["jira"] = _made(_create(deployment, {"image_ref": _reference(deployment, "1.0.0")}))
    notes["shared"] = _made(
        service.upload(PackArchive(name="shared").build(), GLOBEX, visibility="community")
    )
    notes["foreign"] = _made(
        _create(
            deployment,
            {"image_ref": _reference(deployment, "2.0.0"), "visibility": "community"},
            caller=GLOBEX,
        )
    )
    _made_role(service.set_role("writer", [notes["jira"]]))
    _made_role(service.set_role("reader", [notes["shared"]]))
    _made_role(service.set_role("reader", [notes["shared"]], GLOBEX))
    deployment.settle()


def _made(answer: Answer) -> str:
    assert answer.status in (200, 201), answer.body
    identity: str = answer.body["id"]
    return identity


def many_layers(deployment: Deployment) -> None:
    """Make a pack whose image has several layers."""
    deployment.notes["many"] = _made(deployment.service.upload(MANY))
    deployment.settle()


def lose_a_layer(deployment: Deployment) -> None:
    """Let our registry lose a layer of a pack."""
    many_layers(deployment)
    repository = deployment.service.registry.shelves.repositories[f"packs/{ACME.org_id}/many"]
    layers = sorted(repository.blobs, key=lambda digest: len(repository.blobs[digest]))
    assert len(layers) > _SEVERAL, "the image has one layer"
    repository.lose(layers[-1])


def _made_role(answer: Answer) -> None:
    assert answer.status == 200, answer.body


def _reference(deployment: Deployment, tag: str) -> str:
    return f"127.0.0.1:{deployment.elsewhere.port}/team/jira:{tag}"


def _create(deployment: Deployment, body: dict[str, str], **more: Any) -> Answer:
    return deployment.service.send("create_pack", "POST", "/packs", json=body, **more)


def _form(
    deployment: Deployment, path: str, function: str, *, headers: dict[str, str] | None = None, **parts: bytes
) -> Answer:
    body, stated = multipart(parts)
    request = Request(
        method="POST", resource=path, path=path, headers=stated | (headers or {}), body=body, caller=ACME
    )
    return deployment.service.request(function, request)


def upload(headers: dict[str, str] | None = None, archive: bytes = NEW) -> Callable[[Deployment], Answer]:
    return lambda deployment: _form(
        deployment, "/packs/upload", "upload_pack", headers=headers, archive=archive
    )


def reupload(headers: dict[str, str] | None = None, archive: bytes = NEXT) -> Callable[[Deployment], Answer]:
    return lambda deployment: _form(
        deployment,
        f"/packs/{deployment.notes['slack']}/upload",
        "reupload_pack",
        headers=headers,
        archive=archive,
    )


def register(headers: dict[str, str]) -> Callable[[Deployment], Answer]:
    # A name that is free.
    return lambda deployment: _create(
        deployment, {"image_ref": _reference(deployment, "3.0.0")}, headers=headers
    )


def shelve_another(deployment: Deployment) -> None:
    shelf = deployment.elsewhere.shelves.repository("team/jira", create=True)
    pack_image(b"name: other\nversion: 3.0.0\n").shelve(shelf, "3.0.0")


def replace(deployment: Deployment, tag: str = "2.0.0") -> Answer:
    body = {"image_ref": _reference(deployment, tag)}
    return deployment.service.send("replace_pack", "PUT", f"/packs/{deployment.notes['jira']}", json=body)


def roll_back(deployment: Deployment) -> Answer:
    host = deployment.service.registry.url.partition("://")[2]
    body = {"image_ref": f"{host}/packs/{ACME.org_id}/slack:1.0.0"}
    return deployment.service.send("replace_pack", "PUT", f"/packs/{deployment.notes['slack']}", json=body)


def patch(deployment: Deployment) -> Answer:
    return deployment.service.update(deployment.notes["slack"], "community")


def deprecate(deployment: Deployment) -> Answer:
    """Deprecate a pack, and name another one of the organisation as its replacement."""
    notes = deployment.notes
    said = {"message": "Use jira.", "replacement": notes["jira"]}
    path = f"/packs/{notes['slack']}"
    return deployment.service.send("update_pack", "PATCH", path, json={"deprecated": said})


def get_diff(deployment: Deployment) -> Answer:
    """Compare two revisions whose images are elsewhere."""
    path = f"/packs/{deployment.notes['jira']}/diff"
    return deployment.service.send("get_diff", "GET", path, query={"from": "1"})


def withdraw(deployment: Deployment) -> Answer:
    return deployment.service.update(deployment.notes["foreign"], "org", GLOBEX)


def _patch_if_match(deployment: Deployment) -> Answer:
    return deployment.service.update(deployment.notes["slack"], "community", if_match='"2"')


def put_file(content: bytes = b"# New\n") -> Callable[[Deployment], Answer]:
    def act(deployment: Deployment) -> Answer:
        path = f"/packs/{deployment.notes['slack']}/files/guides/new.md"
        request = Request(method="PUT", resource=path, path=path, body=content, caller=ACME)
        return deployment.service.request("put_file", request)

    return act


def change(
    headers: dict[str, str] | None = None,
    files: Mapping[str, bytes] = CHANGED_FILES,
    delete: Sequence[str] = (),
) -> Callable[[Deployment], Answer]:
    return lambda deployment: change_pack(
        deployment.service, deployment.notes["slack"], files, delete, headers=headers
    )


def clone(
    source: str, headers: dict[str, str] | None = None, name: str = "cloned"
) -> Callable[[Deployment], Answer]:
    def act(deployment: Deployment) -> Answer:
        path = f"/packs/{deployment.notes[source]}/clone"
        return deployment.service.send("clone_pack", "POST", path, json={"name": name}, headers=headers or {})

    return act


def delete(name: str, if_match: str | None = None, caller: Caller = ACME) -> Callable[[Deployment], Answer]:
    return lambda deployment: deployment.service.delete(deployment.notes[name], caller, if_match=if_match)


def release(deployment: Deployment) -> None:
    _made_role(deployment.service.set_role("writer", []))


def set_role(caller: Caller, *names: str, **conditions: str) -> Callable[[Deployment], Answer]:
    return lambda deployment: deployment.service.set_role(
        "writer", [deployment.notes[name] for name in names], caller, **conditions
    )


def refresh(caller: Caller = ACME, **more: Any) -> Callable[[Deployment], Answer]:
    return lambda deployment: deployment.service.refresh_role("writer", caller, **more)


def next_revision(deployment: Deployment) -> None:
    """Give a pack that a role pins another image."""
    assert replace(deployment).status == 200


def followed(deployment: Deployment) -> None:
    """Let a role follow a pack, which then gets another image."""
    entry = {"id": deployment.notes["jira"], "follow": True}
    _made_role(deployment.service.pin("writer", [entry]))
    next_revision(deployment)


def pin(deployment: Deployment) -> Answer:
    """Set packs at a revision, following, and under another name."""
    notes = deployment.notes
    entries = [{"id": notes["slack"], "revision": 1, "alias": "chat"}, {"id": notes["jira"], "follow": True}]
    return deployment.service.pin("writer", entries)


def widened(deployment: Deployment) -> None:
    """Give a pack that a role pins another image, which may do more."""
    rule = b"[{name: api, type: http, allow: [{domains: [api.test], methods: [GET]}]}]"
    shelf = deployment.elsewhere.shelves.repository("team/jira", create=True)
    pack_image(b"name: jira\nversion: 4.0.0\ncapabilities: " + rule + b"\n").shelve(shelf, "4.0.0")
    moved = replace(deployment, "4.0.0")
    assert moved.status == 200, moved.body
    deployment.notes["jira's revision"] = int(moved.headers["ETag"].strip('"'))


def consent(deployment: Deployment) -> Answer:
    notes = deployment.notes
    return deployment.service.refresh_role(
        "writer", accept_capabilities={notes["jira"]: notes["jira's revision"]}
    )


def follow(deployment: Deployment) -> Answer:
    """Let the table's stream tell of a pack's new image, and not also of the role: each record moves a pin once."""
    service = deployment.service
    event = {"Records": service.stream_of(deployment.notes["jira"])[:1]}
    failed = service.invoke("follow_packs", event)["batchItemFailures"]
    return Answer(503 if failed else 200, {}, None)


def read_lock(deployment: Deployment) -> Answer:
    return deployment.service.lock("writer", ACME, files="true")


def delete_role(if_match: str | None = None) -> Callable[[Deployment], Answer]:
    return lambda deployment: deployment.service.delete_role("writer", if_match=if_match)


def start(headers: dict[str, str]) -> Callable[[Deployment], Answer]:
    return lambda deployment: deployment.service.send(
        "start_upload", "POST", "/packs/uploads", json={"pack_id": deployment.notes["slack"]}, headers=headers
    )


def try_(
    function: str, method: str, path: str, body: tuple[bytes, dict[str, str]] = (b"# New\n", {})
) -> Callable[[Deployment], Answer]:
    """Return what asks for a dry run."""

    def act(deployment: Deployment) -> Answer:
        at = path.format(**deployment.notes)
        query, (content, headers) = {"dry_run": "true"}, body
        request = Request(
            method=method, resource=at, path=at, query=query, headers=headers, body=content, caller=ACME
        )
        return deployment.service.request(function, request)

    return act


def try_image(function: str, method: str, path: str, tag: str) -> Callable[[Deployment], Answer]:
    """Return what asks for a dry run with an image."""

    def act(deployment: Deployment) -> Answer:
        body = json.dumps({"image_ref": _reference(deployment, tag)}).encode()
        return try_(function, method, path, (body, {"Content-Type": "application/json"}))(deployment)

    return act


def withdraw_a_revision(deployment: Deployment) -> Answer:
    """Withdraw the present image of a pack."""
    return revisions.withdraw(deployment.service, deployment.notes["slack"], 2)


def withdrawn(deployment: Deployment) -> None:
    assert withdraw_a_revision(deployment).status == 200


def restore_a_revision(deployment: Deployment) -> Answer:
    return revisions.restore(deployment.service, deployment.notes["slack"], 2)


def delete_a_revision(deployment: Deployment) -> Answer:
    """Delete the image that a pack had before its present one."""
    return revisions.delete_revision(deployment.service, deployment.notes["slack"], 1)


def half_deleted_revision(deployment: Deployment) -> None:
    """Leave a revision whose deletion is decided, and whose image the registry refused to delete."""
    deployment.service.registry.moods.append(Refuses(method="DELETE", status=503))
    failure = Failure(at=PointName("ecr.BatchDeleteImage"))
    with deployment.wire.tapped(failure):
        assert delete_a_revision(deployment).status == 502
    deployment.service.registry.moods.clear()
    deployment.new_process()
    deployment.collect()
    deployment.service.clock.advance(timedelta(minutes=6))


def set_scan_policy(deployment: Deployment) -> Answer:
    return scans.set_policy(deployment.service, block="critical")


def override_a_finding(deployment: Deployment) -> Answer:
    return scans.override(deployment.service, deployment.notes["slack"])


def found_by_old_rules(deployment: Deployment) -> None:
    """Let a pack have a secret that the rules of then did not find."""
    service = deployment.service
    assert scans.set_policy(service, rules={scans.SECRET_RULE: "warn"}).status == 200
    pack = deployment.notes["leaky"] = _made(service.upload(scans.with_secret("leaky")))
    assert scans.set_policy(service).status == 200
    deployment.settle()
    scans.let_results_be_old(service, pack, service.get(pack).body["image_digest"])


def scan_again(deployment: Deployment) -> Answer:
    try:
        deployment.service.invoke("rescan_packs", {})
    except PackyardError as error:
        return Answer(error.status, {}, None)
    return Answer(200, {}, None)


def set_retention(deployment: Deployment) -> Answer:
    path = f"/packs/{deployment.notes['slack']}/retention"
    return deployment.service.send("retention", "PUT", path, json={"keep": 1})


def sweep(deployment: Deployment) -> None:
    """Leave a message to delete the old revisions of a pack."""
    assert set_retention(deployment).status == 200
    deployment.service.services.enqueue_sweep(deployment.notes["slack"])
    deployment.collect()


def tell_roles(deployment: Deployment) -> Answer:
    """Let the table's stream tell that an image was withdrawn."""
    service = deployment.service
    records = [
        record
        for record in service.stream_of(deployment.notes["slack"])
        if record["eventID"].startswith("IMAGE#")
    ]
    failed = service.invoke("follow_packs", {"Records": records})["batchItemFailures"]
    return Answer(503 if failed else 200, {}, None)


def pinned_and_withdrawn(deployment: Deployment) -> None:
    own_role(deployment)
    withdrawn(deployment)


def download(deployment: Deployment) -> Answer:
    return deployment.service.send("download_pack", "GET", f"/packs/{deployment.notes['jira']}/download")


def list_files(deployment: Deployment) -> Answer:
    return deployment.service.send("list_files", "GET", f"/packs/{deployment.notes['jira']}/files")


def get_file(deployment: Deployment) -> Answer:
    path = f"/packs/{deployment.notes['jira']}/files/pack.yaml"
    event = Request(method="GET", resource=path, path=path, caller=ACME).event()
    # A file is no JSON.
    return Answer(deployment.service.invoke("get_file", event)["statusCode"], {}, None)


def pinned_layer(deployment: Deployment) -> None:
    """Let a role pin a pack, and note a layer of the pack's image."""
    service, notes = deployment.service, deployment.notes
    (pack,) = service.set_role("puller", [notes["slack"]]).body["packs"]
    repository = service.registry.shelves.repositories[f"packs/{ACME.org_id}/slack"]
    index = json.loads(repository.manifests[pack["image_digest"]].raw)
    manifest = json.loads(repository.manifests[index["manifests"][0]["digest"]].raw)
    notes["layer"] = manifest["layers"][0]["digest"]


def pull_blob(deployment: Deployment) -> Answer:
    """Pull a blob."""
    return _pulled(deployment, lambda client: client.blob("acme/slack", deployment.notes["layer"]))


def pull_skill(deployment: Deployment) -> Answer:
    """Pull the manifest of a skill artifact."""
    return _pulled(deployment, lambda client: client.manifest("acme/slack", "skill-1.1.0"))


def _pulled(deployment: Deployment, ask: Callable[[DoorClient], DoorAnswer]) -> Answer:
    """Ask for a login at the distribution door, exchange it, and ask for something: tokens live for minutes."""
    asked = login(deployment.service, "puller")
    if asked.status != 200:
        return Answer(asked.status, {}, asked.body)
    client = DoorClient(service=deployment.service)
    token = client.token("puller", asked.body["password"])
    if token.status != 200:
        return Answer(token.status, {}, token.body)
    got = ask(DoorClient(service=deployment.service, bearer=json.loads(token.body)["token"]))
    return Answer(got.status, {}, got.body)


def own_role(deployment: Deployment) -> None:
    """Let a role have packs of its own organisation alone."""
    _made_role(deployment.service.set_role("own", [deployment.notes["slack"]]))


def log_in_to_the_registry(deployment: Deployment) -> Answer:
    answer = deployment.service.send(
        "issue_pull_token", "POST", "/agent-roles/own/pull-token", json={"login": "registry"}
    )
    # Other registries have no such logins.
    assert answer.status != 400 or deployment.service.services.settings.registry_kind != "ecr", answer.body
    return answer


def make_key(headers: dict[str, str]) -> Callable[[Deployment], Answer]:
    body = {"label": "ci", "scopes": ["caps:write"], "pack_name": "slack"}
    return lambda deployment: deployment.service.send("keys", "POST", "/keys", json=body, headers=headers)


def keep_a_key(deployment: Deployment) -> None:
    deployment.notes["key"] = _made(make_key({})(deployment))


def revoke_key(deployment: Deployment) -> Answer:
    return deployment.service.send("keys", "DELETE", f"/keys/{deployment.notes['key']}")


def with_organisation(deployment: Deployment) -> None:
    """Let there be the organisation's item, which has the policy."""
    put_acme(deployment.service)


def set_policy(policy: str, headers: Mapping[str, str] | None = None) -> Callable[[Deployment], Answer]:
    """Set the version policy."""
    return lambda deployment: deployment.service.send(
        "policies",
        "PUT",
        "/version-policy",
        json={"version_policy": policy},
        headers=dict(headers or {}),
    )


def _arrived(
    key: str,
    archive: bytes,
    *,
    replacing: bool | str,
    if_match: str | None,
    changes: Mapping[str, Any],
    after: Callable[[Deployment], object],
) -> Callable[[Deployment], None]:
    def prepare(deployment: Deployment) -> None:
        after(deployment)
        pack = replacing if isinstance(replacing, str) else "slack"
        fields = {"pack_id": deployment.notes[pack], **changes} if replacing else {}
        upload_id: str = start_upload(deployment.service, if_match=if_match, **fields).body["upload_id"]
        deployment.notes[key] = upload_id, arrive(deployment.service, upload_id, archive)
        deployment.builds.append(deployment.notes[key][1])

    return prepare


def _build(key: str) -> Callable[[Deployment], Answer]:
    """Deliver the message of the build, if it is still in the queue, and answer as its upload says."""

    def act(deployment: Deployment) -> Answer:
        upload_id, message = deployment.notes[key]
        settled = message not in deployment.builds or deployment.build(message)
        with deployment.wire.tapped():
            upload = look(deployment.service, upload_id)
        if upload.body["status"] == "failed":
            return Answer(400, {}, upload.body)
        return Answer(200 if settled and upload.body["status"] == "done" else 503, {}, upload.body)

    return act


def built(
    name: str,
    archive: bytes,
    *,
    replacing: bool | str,
    if_match: str | None = None,
    changes: Mapping[str, Any] = MappingProxyType({}),
    after: Callable[[Deployment], object] = lambda _deployment: None,
    done: frozenset[int] = frozenset({200}),
    heavy: bool = False,
    heals: bool = False,
) -> Operation:
    """Return the operation that builds an archive which a client has staged, for a new pack or `replacing` one."""
    prepare = _arrived(name, archive, replacing=replacing, if_match=if_match, changes=changes, after=after)
    return Operation(
        name=name,
        function="build_upload",
        act=_build(name),
        prepare=prepare,
        done=done,
        repeated=done,
        comes_again=True,
        heavy=heavy,
        heals=heals,
    )


def message(kind: str) -> Callable[[Deployment], Answer]:
    """Deliver the messages of a kind that are in the inbox."""

    def act(deployment: Deployment) -> Answer:
        settled = [deployment.clean_up(body) for body in list(deployment.inbox) if f'"kind":"{kind}"' in body]
        # A message that comes back says that something is left to do, as DELETE's 502 does.
        return Answer(200 if all(settled) else 502, {}, None)

    return act


def abandon(deployment: Deployment, act: Callable[[Deployment], Answer] | None = None) -> None:
    """Leave an image without a row, as an upload that dies just before it commits does."""
    crash = Crash(at=PointName("dynamodb.TransactWriteItems"))
    with suppress(Killed), deployment.wire.tapped(crash):
        (act or upload())(deployment)
    deployment.new_process()
    deployment.collect()
    deployment.service.clock.advance(DEADLINE + timedelta(seconds=1))


def abandon_an_image(deployment: Deployment, act: Callable[[Deployment], Answer] | None = None) -> None:
    """Leave an abandoned image, its archive cleaned up."""
    abandon(deployment, act)
    _clean_up_all_but(deployment, "orphan_image")


def _abandon_an_archive(deployment: Deployment) -> None:
    abandon(deployment)
    _clean_up_all_but(deployment, "staged_archive")


def _clean_up_all_but(deployment: Deployment, kind: str) -> None:
    for body in [body for body in deployment.inbox if f'"kind":"{kind}"' not in body]:
        deployment.clean_up(body)


def lose_a_tag(deployment: Deployment) -> None:
    """Leave a pack whose tag was never set, and its cleanup message."""
    _made(reupload()(deployment))
    deployment.collect()
    deployment.service.clock.advance(DEADLINE + timedelta(seconds=1))
    _clean_up_all_but(deployment, "orphan_image")
    deployment.service.registry.shelves.repositories[f"packs/{ACME.org_id}/slack"].tags.pop("2.0.0")


def half_deleted(deployment: Deployment) -> None:
    """Leave a pack whose deletion is decided, and whose images the registry refused to delete."""
    deployment.service.registry.moods.append(Refuses(method="DELETE", status=503))
    failure = Failure(at=PointName("ecr.DeleteRepository"))
    with deployment.wire.tapped(failure):
        assert deployment.service.delete(deployment.notes["slack"]).status == 502
    deployment.service.registry.moods.clear()
    deployment.new_process()
    deployment.collect()
    deployment.service.clock.advance(timedelta(minutes=6))


CREATED: Final = frozenset({201})
ACCEPTED: Final = frozenset({202})
STANDS: Final = frozenset({200, 201})
REFUSED: Final = frozenset({400})
MAY_BE_STALE: Final = frozenset({200, 412})

OPERATIONS: Final = {
    operation.name: operation
    for operation in (
        Operation(name="upload", function="upload_pack", act=upload(), done=CREATED, repeated=STANDS),
        Operation(
            name="upload with a key", function="upload_pack", act=upload(KEY), done=CREATED, repeated=STANDS
        ),
        Operation(name="start", function="start_upload", act=start({}), done=CREATED, repeated=CREATED),
        Operation(
            name="start with a key", function="start_upload", act=start(KEY), done=CREATED, repeated=CREATED
        ),
        built("build a new pack", NEW, replacing=False),
        built("build a large pack", LARGE, replacing=False, heavy=True),
        built("build onto a pack", NEXT, replacing=True),
        built("build onto a pack if match", NEXT, replacing=True, if_match='"2"'),
        built("build what is refused", NEW, replacing=True, done=REFUSED),
        Operation(
            name="build that waits",
            function="build_upload",
            act=wait_for_a_turn("build that waits"),
            prepare=_arrived(
                "build that waits",
                NEW,
                replacing=False,
                if_match=None,
                changes={},
                after=one_build_at_once,
            ),
            # The first delivery finds no place.
            done=frozenset({503}),
            repeated=frozenset({200}),
            comes_again=True,
        ),
        built("build changes of a pack", CHANGES, replacing=True, changes={"kind": "changes"}),
        Operation(name="change files", function="change_pack", act=change()),
        Operation(
            name="change files if match",
            function="change_pack",
            act=change({"If-Match": '"2"'}),
            repeated=MAY_BE_STALE,
        ),
        Operation(
            name="change and delete files with a key",
            function="change_pack",
            act=change(KEY, {"guides/new.md": b""}, ["README.md"]),
            # Unless the first answer was kept, the file is no more there.
            repeated=frozenset({200, 400}),
        ),
        Operation(name="reupload", function="reupload_pack", act=reupload()),
        Operation(name="reupload with a key", function="reupload_pack", act=reupload(KEY)),
        Operation(
            name="reupload if match",
            function="reupload_pack",
            act=reupload({"If-Match": '"2"'}),
            repeated=MAY_BE_STALE,
        ),
        Operation(
            name="create",
            function="create_pack",
            act=register({}),
            prepare=shelve_another,
            done=CREATED,
            repeated=STANDS,
        ),
        Operation(
            name="create with a key",
            function="create_pack",
            act=register(KEY),
            prepare=shelve_another,
            done=CREATED,
            repeated=STANDS,
        ),
        Operation(name="replace", function="replace_pack", act=replace),
        Operation(name="roll back", function="replace_pack", act=roll_back),
        Operation(name="patch", function="update_pack", act=patch),
        Operation(name="patch if match", function="update_pack", act=_patch_if_match, repeated=MAY_BE_STALE),
        Operation(name="withdraw", function="update_pack", act=withdraw),
        Operation(name="deprecate", function="update_pack", act=deprecate),
        Operation(name="compare", function="get_diff", act=get_diff, prepare=next_revision),
        Operation(name="put file", function="put_file", act=put_file()),
        Operation(
            name="clone ours", function="clone_pack", act=clone("shared"), done=CREATED, repeated=STANDS
        ),
        Operation(
            name="clone theirs", function="clone_pack", act=clone("foreign"), done=CREATED, repeated=STANDS
        ),
        Operation(
            name="clone with a key",
            function="clone_pack",
            act=clone("shared", KEY),
            done=CREATED,
            repeated=STANDS,
        ),
        Operation(name="delete", function="delete_pack", act=delete("slack"), deletes=True),
        Operation(name="delete if match", function="delete_pack", act=delete("slack", '"2"'), deletes=True),
        Operation(
            name="delete registered",
            function="delete_pack",
            act=delete("jira"),
            prepare=release,
            deletes=True,
        ),
        Operation(
            name="delete what is in use",
            function="delete_pack",
            act=delete("jira"),
            done=frozenset({409}),
            repeated=frozenset({409}),
        ),
        Operation(name="attach", function="set_role_packs", act=set_role(ACME, "jira", "slack")),
        Operation(name="exchange", function="set_role_packs", act=set_role(ACME, "shared", "slack")),
        Operation(name="attach another's", function="set_role_packs", act=set_role(GLOBEX, "shared")),
        Operation(name="detach", function="set_role_packs", act=set_role(ACME)),
        Operation(
            name="exchange if match",
            function="set_role_packs",
            act=set_role(ACME, "shared", "slack", if_match='"1"'),
            repeated=MAY_BE_STALE,
        ),
        Operation(
            name="set a new role",
            function="set_role_packs",
            act=set_role(GLOBEX, "shared", if_none_match="*"),
            repeated=MAY_BE_STALE,
        ),
        built("build onto many layers", MANY_CHANGED, replacing="many", after=many_layers, heavy=True),
        built("build a lost layer", MANY, replacing="many", after=lose_a_layer, heavy=True, heals=True),
        Operation(
            name="try an archive",
            function="reupload_pack",
            act=try_("reupload_pack", "POST", "/packs/{slack}/upload", multipart({"archive": NEXT})),
        ),
        Operation(
            name="try a new archive",
            function="upload_pack",
            act=try_("upload_pack", "POST", "/packs/upload", multipart({"archive": NEW})),
        ),
        Operation(
            name="try changes",
            function="change_pack",
            act=try_("change_pack", "POST", "/packs/{slack}/changes", changes_form(CHANGED_FILES)),
        ),
        Operation(
            name="try a file",
            function="put_file",
            act=try_("put_file", "PUT", "/packs/{slack}/files/guides/new.md"),
        ),
        Operation(
            name="try an image",
            function="create_pack",
            act=try_image("create_pack", "POST", "/packs", "3.0.0"),
            prepare=shelve_another,
        ),
        Operation(
            name="try another tag",
            function="replace_pack",
            act=try_image("replace_pack", "PUT", "/packs/{jira}", "2.0.0"),
        ),
        built("build what is tried", NEXT, replacing=True, changes={"dry_run": True}),
        Operation(name="make a key", function="keys", act=make_key({}), done=CREATED, repeated=CREATED),
        # After a crash before the record is kept, the repeat makes another key.
        Operation(
            name="make a key with a key",
            both_may_succeed=True,
            function="keys",
            act=make_key(KEY),
            done=CREATED,
            repeated=frozenset({201, 409}),
        ),
        Operation(
            name="set the version policy",
            function="policies",
            act=set_policy("immutable"),
            prepare=with_organisation,
        ),
        Operation(
            name="set the version policy if match",
            function="policies",
            act=set_policy("increasing", {"If-Match": '"0"'}),
            prepare=with_organisation,
            repeated=MAY_BE_STALE,
        ),
        Operation(name="make a feed", function="feeds", act=feeds.make(), done=CREATED, repeated=CREATED),
        # As for keys.
        Operation(
            name="make a feed with a key",
            both_may_succeed=True,
            function="feeds",
            act=feeds.make(KEY),
            done=CREATED,
            repeated=frozenset({201, 409}),
        ),
        Operation(
            name="remove a feed",
            function="feeds",
            act=feeds.remove,
            prepare=feeds.keep,
            done=frozenset({200}),
            repeated=frozenset({200, 404}),
        ),
        Operation(
            name="log in with a feed",
            function="exchange_pull_token",
            act=feeds.log_in,
            prepare=feeds.keep,
            both_may_succeed=True,
        ),
        Operation(
            name="add a publisher",
            function="trusted_publishers",
            act=publishers.add,
            done=CREATED,
            repeated=CREATED,
        ),
        Operation(
            name="remove a publisher",
            function="trusted_publishers",
            act=publishers.remove,
            prepare=publishers.keep,
            repeated=frozenset({200, 404}),
        ),
        # Once it was carried out, the token is used.
        Operation(
            name="exchange a token",
            function="exchange_oidc",
            act=publishers.exchange("token"),
            prepare=publishers.keep,
            repeated=frozenset({200, 401}),
        ),
        Operation(name="set the signature policy", function="policies", act=set_signature_policy()),
        Operation(
            name="set the signature policy if match",
            function="policies",
            act=set_signature_policy({"If-Match": '"0"'}, otherwise="refuse"),
            repeated=MAY_BE_STALE,
        ),
        Operation(name="revoke a key", function="keys", act=revoke_key, prepare=keep_a_key),
        Operation(
            name="log in to the registry",
            function="issue_pull_token",
            act=log_in_to_the_registry,
            prepare=own_role,
            done=frozenset({200, 400}),
            repeated=frozenset({200, 400}),
        ),
        Operation(
            name="make a webhook", function="webhooks", act=webhooks.make(), done=CREATED, repeated=CREATED
        ),
        Operation(
            name="make a webhook with a key",
            both_may_succeed=True,
            function="webhooks",
            act=webhooks.make(KEY),
            done=CREATED,
            repeated=frozenset({201, 409}),
        ),
        Operation(
            name="change a webhook",
            function="webhooks",
            act=webhooks.change("changed"),
            prepare=webhooks.keep,
        ),
        Operation(
            name="change a webhook if match",
            function="webhooks",
            act=webhooks.change("changed", '"1"'),
            prepare=webhooks.keep,
            repeated=MAY_BE_STALE,
        ),
        Operation(
            name="rotate a secret",
            function="webhooks",
            act=webhooks.of_webhook("POST", "/rotate"),
            prepare=webhooks.keep,
        ),
        Operation(
            name="delete a webhook",
            function="webhooks",
            act=webhooks.of_webhook("DELETE"),
            prepare=webhooks.keep,
            repeated=frozenset({200, 404}),
        ),
        Operation(
            name="try a webhook out",
            function="webhook_deliveries",
            act=webhooks.ask_for("test"),
            prepare=webhooks.keep,
            done=ACCEPTED,
            repeated=ACCEPTED,
        ),
        Operation(
            name="send an event again",
            function="webhook_deliveries",
            act=webhooks.ask_for("deliveries/{delivery}/redelivery"),
            prepare=webhooks.delivered,
            done=ACCEPTED,
            repeated=ACCEPTED,
        ),
        Operation(
            name="fan out", function="fan_out", act=webhooks.fan_out, prepare=webhooks.told, comes_again=True
        ),
        Operation(
            name="deliver",
            function="deliver",
            act=webhooks.deliver,
            prepare=webhooks.on_its_way,
            comes_again=True,
        ),
        Operation(
            name="deliver to nobody",
            function="deliver",
            act=webhooks.deliver,
            prepare=webhooks.on_its_way_to_nowhere,
            comes_again=True,
        ),
        Operation(
            name="deliver again",
            function="retry_delivery",
            act=webhooks.retry,
            prepare=webhooks.failed_once,
            comes_again=True,
        ),
        Operation(
            name="attest an image",
            function="attest_image",
            act=attesting.attest,
            prepare=attesting.published,
            comes_again=True,
        ),
        Operation(
            name="attest an image that is signed",
            function="attest_image",
            act=attesting.attest,
            prepare=attesting.signed,
            comes_again=True,
        ),
        Operation(
            name="attest an image that is gone",
            function="attest_image",
            act=attesting.attest,
            prepare=attesting.pushed_too_late,
            comes_again=True,
        ),
        Operation(
            name="read statements",
            function="list_attestations",
            act=attesting.read,
            prepare=attesting.attached,
        ),
        Operation(
            name="read the keys",
            function="signing_keys",
            act=attesting.read_keys,
        ),
        Operation(
            name="prepare an image",
            function="prepare_artifacts",
            act=doors.prepare,
            prepare=doors.asked,
            comes_again=True,
        ),
        Operation(
            name="prepare an image that is gone",
            function="prepare_artifacts",
            act=doors.prepare,
            prepare=doors.gone,
            comes_again=True,
        ),
        Operation(
            name="read an index of skills",
            function="door_agent_skills",
            act=doors.read(".well-known/agent-skills/index.json"),
            prepare=doors.pinned_and_prepared,
        ),
        Operation(
            name="read an index of skills that are not prepared",
            function="door_agent_skills",
            act=doors.read(".well-known/agent-skills/index.json"),
            prepare=doors.served,
        ),
        Operation(
            name="read a marketplace",
            function="door_marketplace",
            act=doors.read("marketplace.json"),
            prepare=doors.pinned_and_prepared,
        ),
        Operation(
            name="read a skill's version as ClawHub has it",
            function="door_clawhub",
            act=doors.read("api/v1/skills/slack/versions/1.1.0"),
            prepare=doors.pinned_and_prepared,
        ),
        Operation(
            name="ask for a bundle",
            function="door_bundle",
            act=doors.read("bundle.tar"),
            prepare=doors.served,
            done=frozenset({202}),
            # The job may have made it by then.
            repeated=frozenset({202, 302}),
        ),
        Operation(
            name="make a bundle",
            function="prepare_artifacts",
            act=doors.prepare,
            prepare=doors.bundle_asked_for,
            comes_again=True,
        ),
        Operation(
            name="read a file by MCP",
            function="door_mcp",
            act=doors.call("resources/read", uri="skill://acme/slack/pack.yaml"),
            prepare=doors.pinned_and_prepared,
        ),
        Operation(name="refresh", function="refresh_role", act=refresh(), prepare=next_revision),
        Operation(
            name="refresh if match",
            function="refresh_role",
            act=refresh(if_match='"1"'),
            prepare=next_revision,
            repeated=MAY_BE_STALE,
        ),
        Operation(name="pin", function="set_role_packs", act=pin),
        Operation(name="consent", function="refresh_role", act=consent, prepare=widened),
        Operation(name="withdraw a revision", function="withdraw_revision", act=withdraw_a_revision),
        Operation(
            name="restore a revision", function="withdraw_revision", act=restore_a_revision, prepare=withdrawn
        ),
        Operation(name="delete a revision", function="delete_revision", act=delete_a_revision, deletes=True),
        Operation(name="set a retention policy", function="retention", act=set_retention),
        Operation(name="set the scan policy", function="policies", act=set_scan_policy),
        Operation(
            name="override a finding",
            function="pack_scan",
            act=override_a_finding,
            done=frozenset({201}),
            repeated=frozenset({201}),
        ),
        Operation(
            name="scan again",
            function="rescan_packs",
            act=scan_again,
            prepare=found_by_old_rules,
            comes_again=True,
        ),
        Operation(
            name="clean up a revision",
            function="clean_up",
            act=message("revision_deletion"),
            prepare=half_deleted_revision,
            deletes=True,
        ),
        Operation(
            name="clean up old revisions",
            function="clean_up",
            act=message("retention_sweep"),
            prepare=sweep,
            deletes=True,
        ),
        Operation(
            name="tell roles",
            function="follow_packs",
            act=tell_roles,
            prepare=pinned_and_withdrawn,
            comes_again=True,
        ),
        Operation(name="download", function="download_pack", act=download),
        Operation(name="list files", function="list_files", act=list_files),
        Operation(name="read a file", function="get_file", act=get_file),
        Operation(
            name="pull a blob",
            function="pull_blob",
            act=pull_blob,
            prepare=pinned_layer,
            done=frozenset({307}),
            repeated=frozenset({307}),
        ),
        Operation(
            name="pull a skill artifact that is not prepared",
            function="pull_manifest",
            act=pull_skill,
            prepare=pinned_layer,
            # The job may have made it by then.
            done=frozenset({503}),
            repeated=frozenset({200, 503}),
        ),
        Operation(name="follow", function="follow_packs", act=follow, prepare=followed, comes_again=True),
        Operation(name="read the lock", function="get_lock", act=read_lock),
        Operation(
            name="delete a role", function="delete_role", act=delete_role(), repeated=frozenset({200, 404})
        ),
        Operation(
            name="delete a role if match",
            function="delete_role",
            act=delete_role('"1"'),
            repeated=frozenset({200, 404, 412}),
        ),
        Operation(
            name="clean up an orphan",
            function="clean_up",
            act=message("orphan_image"),
            prepare=abandon_an_image,
        ),
        Operation(
            name="clean up an archive",
            function="clean_up",
            act=message("staged_archive"),
            prepare=_abandon_an_archive,
        ),
        Operation(
            name="clean up what is in use",
            function="clean_up",
            act=message("orphan_image"),
            prepare=lose_a_tag,
        ),
        Operation(
            name="clean up a deletion",
            function="clean_up",
            act=message("pack_deletion"),
            prepare=half_deleted,
            deletes=True,
        ),
    )
}
