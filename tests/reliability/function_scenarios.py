"""Everything that can make a function call something: successes, refusals, failures, repeats, of all functions."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any, Final

from tests import revisions, scans
from tests.aws import BUCKET, dead_letter_queues_in_memory
from tests.changes import archive_of, changes_form
from tests.changes import change as change_pack
from tests.credentials import authorized, key_of_acme
from tests.door import DoorClient
from tests.doors import Doors
from tests.fake_registry.moods import Refuses
from tests.fake_registry.server import FakeRegistry
from tests.feeds import make as make_feed
from tests.feeds import secret_of
from tests.gateway import Answer, Request, multipart
from tests.internet import Internet
from tests.operator_view import OPERATOR, bury, leave_deleting
from tests.packs import a_pack
from tests.publishers import GITHUB, exchange, token
from tests.reliability import attesting, feed_requests
from tests.reliability import publisher_requests as publishers
from tests.reliability import webhook_requests as webhooks
from tests.reliability.deployment import Deployment
from tests.reliability.invariants import observe
from tests.reliability.operations import FIRST, OPERATIONS, STANDING, reupload, set_policy, with_organisation
from tests.reliability.permissions import Recorder, of_form
from tests.reliability.signature_requests import set_signature_policy
from tests.reliability.transformed import ACCOUNT, CREDENTIALS, EVENT_BUS, FOREIGN_REGISTRY
from tests.service import ACME, DEADLINE, PackArchive, stream_record
from tests.staged_uploads import arrive, look, start
from tests.third_party_images import image as image_of
from tests.third_party_images import layer, pack_image
from tests.usage import limit
from tests.webhooks import event_record

from packyard.oci.digest import Digest
from packyard.packs.event import SHOWN_AFTER
from packyard.packs.manifest.name import PackName
from packyard.packs.manifest.version import Version
from packyard.packs.timestamp import format_timestamp
from packyard.packs.usage import Quota
from packyard.store.feed_uses import SHARED_FROM
from packyard.store.keys import pack_key, role_key
from packyard.store.published_versions import publication
from packyard.store.search_index import index_row
from packyard.store.wire import to_wire
from packyard.tenants.version_policy import VersionPolicy

# As large as no answer is.
_LARGE: Final = 5 << 20
_MANY: Final = 19_000
_FOREIGN: Final = f"{FOREIGN_REGISTRY}/theirs/pack"


@dataclass
class Setup:
    """A deployment whose operator has given credentials for an ECR registry of another account, and that registry."""

    deployment: Deployment
    recorder: Recorder
    net: Internet
    theirs: FakeRegistry

    def on_the_internet(self) -> None:
        """Let the service read images by way of the tests' internet, with the operator's credentials."""
        service = self.deployment.service
        settings = replace(service.services.settings, registry_credentials=CREDENTIALS)
        net = self.net

        def begin() -> None:
            service.new_process(settings=settings)
            source = service.services.image_source
            through_net = replace(source, resolve=net.resolve, connect=net.connect, tls=net.tls)
            service.new_process(parts={"image_source": through_net})

        self.recorder.service.begin, self.recorder.service.last = begin, ""

    def ask(self, function: str, method: str, path: str, **more: Any) -> Any:
        """Send a request, whatever comes back; a form that comes back is as good as what it allows."""
        body = json.dumps(more["json"]).encode() if "json" in more else more.get("body")
        headers = {"Accept": "*/*", **({"Content-Type": "application/json"} if "json" in more else {})}
        request = Request(
            method=method,
            resource=path,
            path=path,
            query=more.get("query", {}),
            headers=headers | more.get("headers", {}),
            body=body,
            caller=more.get("caller", ACME),
        )
        event = request.event()
        if "address" in more:
            event["requestContext"]["identity"] = {"sourceIp": more["address"]}
        raw = self.deployment.service.invoke(function, event)
        if function == "start_upload" and raw["statusCode"] == 201:
            self.recorder.needs["start_upload"] |= of_form(json.loads(raw["body"])["fields"])
        return raw


def _shelve_theirs(setup: Setup) -> None:
    # What moto's GetAuthorizationToken grants.
    setup.theirs.basic = f"AWS:{ACCOUNT}-auth-token"
    shelf = setup.theirs.shelves.repository("theirs/pack", create=True)
    for version in ("1", "2"):
        content = f"name: theirs\nversion: {version}.0.0\n".encode()
        files = [(f"data/{number:05}-{'x' * 150}", b"") for number in range(_MANY)]
        # Incompressible, so that there are checkpoints before the last file.
        large = ("data/large.bin", Random(1).randbytes(_LARGE))  # noqa: S311 - content of a test
        last = ("data/z.md", b"# Last\n")
        made = (
            image_of(layer(("pack.yaml", content), large, *files, last))
            if version == "1"
            else pack_image(content)
        )
        made.shelve(shelf, version)


def _theirs(setup: Setup) -> None:
    """Everything that reads another account's image, the first time and when it is known."""
    _shelve_theirs(setup)
    setup.on_the_internet()
    body = {"image_ref": f"{_FOREIGN}:1", "visibility": "community"}
    made = setup.ask("create_pack", "POST", "/packs", json=body)
    assert made["statusCode"] == 201, made["body"]
    pack = f"/packs/{json.loads(made['body'])['id']}"
    for _ in range(2):
        assert setup.ask("list_files", "GET", f"{pack}/files")["statusCode"] == 302
        assert setup.ask("get_file", "GET", f"{pack}/files/data/large.bin")["statusCode"] == 302
        assert setup.ask("get_file", "GET", f"{pack}/files/data/z.md")["statusCode"] == 200
    assert any("/windows/" in key for key in setup.deployment.service.aws.objects())
    _forget_indexes(setup.deployment)
    assert setup.ask("get_file", "GET", f"{pack}/files/pack.yaml")["statusCode"] == 200
    assert setup.ask("download_pack", "GET", f"{pack}/download")["statusCode"] == 200
    assert setup.ask("clone_pack", "POST", f"{pack}/clone", json={"name": "copy"})["statusCode"] == 201
    pack_id = pack.rpartition("/")[2]
    assert setup.deployment.service.set_role("theirs", [pack_id]).status == 200
    table = setup.deployment.service.services.settings.table
    setup.deployment.service.aws.dynamodb.update_item(
        TableName=table, Key=to_wire(pack_key(pack_id)), UpdateExpression="REMOVE layers"
    )
    assert setup.ask("get_lock", "GET", "/agent-roles/theirs/lock")["statusCode"] == 200
    _forget(setup.deployment, "locks/")
    assert setup.ask("door_bundle", "GET", "/doors/roles/theirs/lock.json")["statusCode"] == 200
    _forget_indexes(setup.deployment)
    assert setup.deployment.prepare(Doors(setup.deployment.service).message(pack_id))
    moved = setup.ask("replace_pack", "PUT", pack, json={"image_ref": f"{_FOREIGN}:2"})
    assert moved["statusCode"] == 200, moved["body"]
    for _ in range(2):
        compared = setup.ask("get_diff", "GET", f"{pack}/diff", query={"from": "1"})
        assert compared["statusCode"] == 302, compared["body"]


def _reads(setup: Setup) -> None:
    pack = f"/packs/{setup.deployment.notes['slack']}"
    table = setup.deployment.service.aws.table
    index_row(table, {}, table.get(pack_key(setup.deployment.notes["slack"])) or {})
    for query in ({}, {"owned": "true"}, {"owned": "false"}, {"search": "slack"}, {"search": "a slack"}):
        assert setup.ask("list_packs", "GET", "/packs", query=query)["statusCode"] == 200
    _page_through(setup, "list_packs", "/packs")
    assert setup.ask("get_pack", "GET", pack)["statusCode"] == 200
    assert setup.ask("list_revisions", "GET", f"{pack}/revisions")["statusCode"] == 200
    _page_through(setup, "list_revisions", f"{pack}/revisions")
    assert setup.ask("list_revisions", "GET", f"{pack}/revisions/1")["statusCode"] == 200
    assert setup.ask("get_role_packs", "GET", "/agent-roles/writer/packs")["statusCode"] == 200
    for path in ("openapi.json", "docs"):
        assert setup.ask("api_docs", "GET", f"/{path}")["statusCode"] == 200
    assert setup.ask("console", "GET", "/console")["statusCode"] == 200
    for forget in (False, True):
        if forget:
            _forget_indexes(setup.deployment)
        assert setup.ask("get_file", "GET", f"{pack}/files/README.md")["statusCode"] == 200
    _forget_indexes(setup.deployment)
    assert setup.ask("list_files", "GET", f"{pack}/files")["statusCode"] == 200


def _publishers(setup: Setup) -> None:
    """Trusted publishers, a page at a time; a first token, which pins, and a second one, which does not."""
    publishers.keep(setup.deployment)
    body = {"pack_name": "jira", "issuer": "gitlab", "claims": {"project_id": 7}}
    again = {"Idempotency-Key": "again"}
    for _ in range(2):
        made = setup.ask("trusted_publishers", "POST", "/trusted-publishers", json=body, headers=again)
        assert made["statusCode"] == 201
    _page_through(setup, "trusted_publishers", "/trusted-publishers")
    issuer, now = setup.deployment.issuer.url, setup.deployment.service.clock()
    for _ in range(2):
        assert exchange(setup.deployment.service, token(issuer, GITHUB, at=now)).status == 200
    assert publishers.remove(setup.deployment).status == 200


def _feeds(setup: Setup) -> None:
    """Feeds, a page at a time, of a role and of packs of two organisations; pulling what they serve."""
    service, notes = setup.deployment.service, setup.deployment.notes
    key_of_acme(setup.deployment.service)
    (pack,) = service.set_role("fed", [notes["slack"]]).body["packs"]
    again = {"Idempotency-Key": "again"}
    for wanted in ({"role_id": "fed"}, {"pack_ids": [notes["slack"], notes["foreign"]]}):
        for headers in ({}, again):
            setup.ask("feeds", "POST", "/feeds", json=wanted, headers=headers)
        made = Answer.of(setup.ask("feeds", "POST", "/feeds", json=wanted))
        for _ in ("not yet prepared", "prepared"):
            assert setup.ask("feeds", "GET", f"/feeds/{made.body['id']}")["statusCode"] == 200
            assert setup.deployment.prepare(Doors(service).message(notes["slack"]))
        client = DoorClient(service=service).logged_in("feed", secret_of(made))
        _pull(client, f"{ACME.org_slug}/slack", pack["image_digest"])
    feed_requests.keep(setup.deployment)
    assert feed_requests.log_in(setup.deployment).status == 200
    assert setup.ask("feeds", "GET", f"/feeds/{notes['feed']}")["statusCode"] == 200
    _page_through(setup, "feeds", "/feeds")
    assert feed_requests.remove(setup.deployment).status == 200


def _roles(setup: Setup) -> None:
    """Lists and histories of roles, a role that is made again, and roles from before there were pins."""
    notes, table = setup.deployment.notes, setup.deployment.service.services.settings.table
    service = setup.deployment.service
    for role in ("a", "b"):
        assert service.set_role(role, [notes["slack"]]).status == 200
    _page_through(setup, "get_role_packs", "/agent-roles")
    assert reupload()(setup.deployment).status == 200
    references = f"/packs/{notes['slack']}/references"
    _page_through(setup, "list_revisions", references)
    compared = f"/packs/{notes['slack']}/diff"
    for forget in (False, True):
        if forget:
            _forget_indexes(setup.deployment)
        assert setup.ask("get_diff", "GET", compared, query={"from": "1"})["statusCode"] == 200
    assert service.set_role("a", []).status == 200
    _page_through(setup, "get_role_packs", "/agent-roles/a/revisions")
    key = to_wire(role_key(ACME.org_id, "b"))
    assert service.delete_role("b").status == 200
    service.aws.dynamodb.delete_item(TableName=table, Key=key)
    assert service.set_role("b", [notes["slack"], notes["shared"]]).status == 200
    for change in (service.refresh_role, service.delete_role):
        for name in ("slack", "shared"):
            row = to_wire(pack_key(notes[name]))
            service.aws.dynamodb.update_item(TableName=table, Key=row, UpdateExpression="REMOVE layers")
        service.aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE pins")
        assert setup.ask("get_role_packs", "GET", "/agent-roles/b/packs")["statusCode"] == 200
        _forget_indexes(setup.deployment)
        for query in ({}, {"files": "true"}):
            assert setup.ask("get_lock", "GET", "/agent-roles/b/lock", query=query)["statusCode"] == 200
        assert change("b").status == 200


def _door(setup: Setup) -> None:
    """A role's images, by the distribution door and without a registry login."""
    service, slack = setup.deployment.service, setup.deployment.notes["slack"]
    secret = key_of_acme(setup.deployment.service)
    role = "/agent-roles/puller"
    assert service.set_role("puller", [slack]).status == 200
    pinned = setup.ask("get_role_packs", "GET", f"{role}/packs")
    (pack,) = json.loads(pinned["body"])["packs"]
    made = setup.ask("issue_pull_token", "POST", f"{role}/pull-token")
    for password in (json.loads(made["body"])["password"], secret):
        client = DoorClient(service=service).logged_in("puller", password)
        assert client.ping().status == 200
        _pull(client, f"{pack['owner']}/{pack['name']}", pack["image_digest"])
        # A role of before there were pins.
        key = to_wire(role_key(ACME.org_id, "puller"))
        table = service.services.settings.table
        service.aws.dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE pins")
    of_ecr = service.services.settings.registry_kind == "ecr"
    _pull_as_skill(setup, client, f"{pack['owner']}/{pack['name']}", slack)
    logged_in = setup.ask("issue_pull_token", "POST", f"{role}/pull-token", json={"login": "registry"})
    assert logged_in["statusCode"] == (200 if of_ecr else 400), logged_in["body"]
    assert setup.ask("download_pack", "GET", f"/packs/{slack}/download")["statusCode"] == 200


def _pull(client: DoorClient, repository: str, digest: str) -> None:
    index = client.manifest(repository, digest)
    manifest = client.manifest(repository, json.loads(index.body)["manifests"][0]["digest"])
    (layer,) = json.loads(manifest.body)["layers"]
    assert client.blob(repository, layer["digest"]).status == 307


def _pull_as_skill(setup: Setup, client: DoorClient, repository: str, pack_id: str) -> None:
    """Pull a skill artifact before it is prepared, and after."""
    assert setup.deployment.prepare(Doors(setup.deployment.service).message(pack_id))
    _forget(setup.deployment, "doors/")
    assert client.manifest(repository, "skill-1.1.0").status == 503
    assert setup.deployment.prepare(Doors(setup.deployment.service).message(pack_id))
    manifest = json.loads(client.manifest(repository, "skill-1.1.0").body)
    assert client.blob(repository, manifest["config"]["digest"]).status == 200
    assert client.blob(repository, manifest["layers"][0]["digest"]).status == 307


def _page_through(setup: Setup, function: str, path: str) -> None:
    """Read a list one entry at a time, which takes cursors."""
    query, pages = {"limit": "1"}, 0
    while True:
        answer = setup.ask(function, "GET", path, query=query)
        assert answer["statusCode"] == 200, answer["body"]
        pages += 1
        cursor = json.loads(answer["body"]).get("next_cursor")
        if cursor is None:
            break
        query["cursor"] = cursor
    assert pages > 1


def _own_image(setup: Setup) -> None:
    """An image of our own registry is given a name that is taken, which only its content says."""
    host = setup.deployment.service.registry.url.partition("://")[2]
    body = {"image_ref": f"{host}/packs/{ACME.org_id}/slack:1.0.0"}
    assert setup.ask("create_pack", "POST", "/packs", json=body)["statusCode"] == 409


def _large_file_of_ours(setup: Setup) -> None:
    made = setup.deployment.service.upload(
        PackArchive(name="large", files={"data/large.bin": bytes(_LARGE)}).build()
    )
    path = f"/packs/{made.body['id']}/files/data/large.bin"
    for _ in range(2):
        assert setup.ask("get_file", "GET", path)["statusCode"] == 302


def _file_without_an_index(setup: Setup) -> None:
    _forget_indexes(setup.deployment)
    path = f"/packs/{setup.deployment.notes['slack']}/files/guides/new.md"
    assert setup.ask("put_file", "PUT", path, body=b"# New\n")["statusCode"] == 200


def _changes_without_an_index(setup: Setup) -> None:
    _forget_indexes(setup.deployment)
    body, headers = changes_form({"guides/new.md": b"# New\n"})
    path = f"/packs/{setup.deployment.notes['slack']}/changes"
    assert setup.ask("change_pack", "POST", path, body=body, headers=headers)["statusCode"] == 200
    upload_id = start(
        setup.deployment.service, pack_id=setup.deployment.notes["slack"], kind="changes", delete=["guides/"]
    ).body["upload_id"]
    _forget_indexes(setup.deployment)
    message = arrive(setup.deployment.service, upload_id, archive_of({"README.md": b"another"}))
    setup.deployment.builds.append(message)
    setup.deployment.build(message)


def _uploads(setup: Setup) -> None:
    for headers in ({}, {"Idempotency-Key": "k"}, {"Idempotency-Key": "k"}):
        body = {"pack_id": setup.deployment.notes["slack"]}
        made = setup.ask("start_upload", "POST", "/packs/uploads", json=body, headers=headers)
        assert made["statusCode"] == 201
    upload_id = json.loads(made["body"])["upload_id"]
    assert setup.ask("get_upload", "GET", f"/packs/uploads/{upload_id}")["statusCode"] == 200


def _rebuilds_what_stands(setup: Setup) -> None:
    """A staged archive that is what stands already, as a new pack and as the same."""
    for archive, fields in (
        (STANDING, {}),
        (STANDING, {"pack_id": setup.deployment.notes["slack"]}),
        (FIRST, {}),
    ):
        upload_id = start(setup.deployment.service, **fields).body["upload_id"]
        message = arrive(setup.deployment.service, upload_id, archive)
        setup.deployment.builds.append(message)
        setup.deployment.build(message)


def _a_repository_that_is_lost(setup: Setup) -> None:
    """Whoever sends an archive again pushes what the registry has lost; here the whole repository."""
    repositories = setup.deployment.service.registry.shelves.repositories
    lost = repositories.pop(f"packs/{ACME.org_id}/slack")
    answer: Answer = reupload(archive=STANDING)(setup.deployment)
    assert answer.status == 200, answer.body
    assert repositories[f"packs/{ACME.org_id}/slack"].manifests.keys() <= lost.manifests.keys()


def _messages_that_fail(setup: Setup) -> None:
    """A message that cannot be settled waits longer; one that comes early is sent anew."""
    deployment = setup.deployment
    early = deployment.service.upload(PackArchive(name="early").build())
    assert early.status == 201
    deployment.collect()
    for body in list(deployment.inbox):
        _receive(deployment, "clean_up", body)
    deployment.service.registry.moods.append(Refuses(status=503))
    upload_id = start(deployment.service).body["upload_id"]
    _receive(
        deployment, "build_upload", arrive(deployment.service, upload_id, PackArchive(name="late").build())
    )
    deployment.service.registry.moods.clear()
    _receive(deployment, "clean_up", "nonsense")


def _receive(deployment: Deployment, function: str, body: str) -> None:
    """Deliver a message that has been received by way of the queue, so that it can be put back."""
    settings = deployment.service.services.settings
    url = {
        "build_upload": settings.build_queue_url,
        "clean_up": settings.cleanup_queue_url,
        "attest_image": settings.attestation_queue_url,
        "prepare_artifacts": settings.preparation_queue_url,
        "retry_delivery": settings.delivery_retry_queue_url,
    }[function]
    sqs = deployment.service.aws.sqs
    sqs.send_message(QueueUrl=url, MessageBody=body)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    record = {
        "messageId": "0",
        "body": body,
        "eventSource": "aws:sqs",
        "receiptHandle": message["ReceiptHandle"],
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    deployment.service.invoke(function, {"Records": [record]})
    with suppress(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _authorize(setup: Setup) -> None:
    secret = key_of_acme(setup.deployment.service)
    assert authorized(setup.deployment.service, f"Bearer {secret}")["context"]["org_id"] == ACME.org_id


def _keys(setup: Setup) -> None:
    for number in range(2):
        body = {"label": f"ci {number}", "scopes": ["caps:write"], "pack_name": "slack"}
        made = setup.ask("keys", "POST", "/keys", json=body, headers={"Idempotency-Key": f"key-{number}"})
        assert made["statusCode"] == 201, made["body"]
    _page_through(setup, "keys", "/keys")


def _events(setup: Setup) -> None:
    """List what has been accepted, by each of the filters that have an index."""
    setup.deployment.service.clock.advance(SHOWN_AFTER)
    _page_through(setup, "list_events", "/events")
    filters = {
        "type": "pack.created",
        "pack_id": setup.deployment.notes["slack"],
        "role_id": "none",
        "actor": ACME.principal,
    }
    for name, value in filters.items():
        answer = setup.ask("list_events", "GET", "/events", query={name: value, "after": "0" * 26})
        assert answer["statusCode"] == 200, answer["body"]


def _version_policies(setup: Setup) -> None:
    """Publish what `immutable` refuses, by each way there is."""
    deployment, immutable = setup.deployment, replace(ACME, version_policy=VersionPolicy.IMMUTABLE)
    slack, notes = f"/packs/{deployment.notes['slack']}", deployment.notes
    for name, version in (("slack", "9.0.0"), ("jira", "2.0.0"), ("taken", "1.4.0")):
        taken = a_pack(org_id=ACME.org_id, name=PackName(name), version=Version(version))
        deployment.service.aws.table.update(publication(taken, VersionPolicy.FREE))
    newer = PackArchive(version="9.0.0").build()
    shelf = deployment.elsewhere.shelves.repository("team/taken", create=True)
    pack_image(b"name: taken\nversion: 1.4.0\n").shelve(shelf, "1")
    elsewhere = f"127.0.0.1:{deployment.elsewhere.port}/team"
    manifest = {"pack.yaml": b"name: slack\nversion: 9.0.0\n"}
    forms = {
        ("upload_pack", "/packs/upload"): multipart({"archive": PackArchive(name="taken").build()}),
        ("reupload_pack", f"{slack}/upload"): multipart({"archive": newer}),
        ("change_pack", f"{slack}/changes"): changes_form(manifest),
    }
    answers = [
        setup.ask(function, "POST", path, body=body, headers=headers, caller=immutable)
        for (function, path), (body, headers) in forms.items()
    ]
    bodies = {
        ("create_pack", "POST", "/packs"): {"image_ref": f"{elsewhere}/taken:1"},
        ("replace_pack", "PUT", f"/packs/{notes['jira']}"): {"image_ref": f"{elsewhere}/jira:2.0.0"},
        ("clone_pack", "POST", f"/packs/{notes['shared']}/clone"): {"name": "taken"},
    }
    answers += [setup.ask(*asked, json=body, caller=immutable) for asked, body in bodies.items()]
    answers.append(setup.ask("put_file", "PUT", f"{slack}/files/LICENSE", body=b"free", caller=immutable))
    told = [json.loads(answer["body"])["error"]["code"] for answer in answers]
    assert told == ["version_taken"] * len(answers), told
    with_organisation(deployment)
    assert set_policy("immutable")(deployment).status == 200
    assert setup.ask("policies", "GET", "/version-policy")["statusCode"] == 200
    upload_id = start(deployment.service, pack_id=notes["slack"]).body["upload_id"]
    assert deployment.build(arrive(deployment.service, upload_id, newer))
    assert look(deployment.service, upload_id).body["error"]["code"] == "version_taken"


def _signature_policies(setup: Setup) -> None:
    """Require signatures that no image has, and then none."""
    deployment = setup.deployment
    notes, elsewhere = deployment.notes, f"127.0.0.1:{deployment.elsewhere.port}/team"
    shelf = deployment.elsewhere.shelves.repository("team/unsigned", create=True)
    pack_image(b"name: unsigned\nversion: 1.4.0\n").shelve(shelf, "1")
    _require(setup.ask("create_pack", "POST", "/packs", json={"image_ref": f"{elsewhere}/unsigned:1"}), 201)
    _require(setup.ask("create_pack", "POST", "/packs", json={"image_ref": f"{elsewhere}/unsigned:1"}), 200)
    assert set_signature_policy()(deployment).status == 200
    _require(setup.ask("policies", "GET", "/signature-policy"), 200)
    jira = f"/packs/{notes['jira']}"
    for refused in (
        setup.ask("create_pack", "POST", "/packs", json={"image_ref": f"{elsewhere}/unsigned:1"}),
        setup.ask("replace_pack", "PUT", jira, json={"image_ref": f"{elsewhere}/jira:2.0.0"}),
        setup.ask("clone_pack", "POST", f"{jira}/clone", json={"name": "unsigned-clone"}),
        setup.ask("set_role_packs", "PUT", "/agent-roles/unsigned/packs", json={"pack_ids": [notes["jira"]]}),
    ):
        _require(refused, 409)
    answer = setup.ask("policies", "PUT", "/signature-policy", json={"rules": []})
    _require(answer, 200)


def _require(answer: Mapping[str, Any], status: int) -> None:
    assert answer["statusCode"] == status, answer["body"]


def _usage(setup: Setup) -> None:
    """Read what is used, and let an archive wait for its turn behind a builder that has died."""
    deployment, service = setup.deployment, setup.deployment.service
    now = service.clock()
    limit(service, Quota.BUILDS_AT_ONCE, 1)
    service.services.build_slots.take(ACME.org_id, lease="dead", now=now, until=now + DEADLINE)
    upload_id = start(service).body["upload_id"]
    message = arrive(service, upload_id, PackArchive(name="waited").build())
    for _ in range(2):
        answer = setup.ask("get_usage", "GET", "/usage")
        assert answer["statusCode"] == 200, answer["body"]
        assert deployment.build(message)
        service.clock.advance(DEADLINE)
    assert look(service, upload_id).body["status"] == "done"


def _operator(setup: Setup) -> None:
    """Look at what waits, what was given up and what an organisation uses."""
    deployment = setup.deployment
    with_organisation(deployment)
    dead_letter_queues_in_memory()
    bury(deployment.service.aws, "cleanup", "{}")
    for name in ("going", "going-too"):
        leave_deleting(
            deployment.service, deployment.service.upload(PackArchive(name=name).build()).body["id"]
        )
    resource = "/operator/deletions"
    page = setup.ask("operator_view", "GET", resource, query={"limit": "1"}, caller=OPERATOR)
    cursor = json.loads(page["body"])["next_cursor"]
    for path, query in (
        (resource, {"cursor": cursor}),
        ("/operator/dead-letters", {}),
        (f"/operator/organisations/{ACME.org_slug}", {}),
    ):
        answer = setup.ask("operator_view", "GET", path, query=query, caller=OPERATOR)
        assert answer["statusCode"] == 200, answer["body"]


def _dry_runs(setup: Setup) -> None:
    """Try what takes an archive or an image, with and without the index of what stands."""
    deployment = setup.deployment
    pack, query = f"/packs/{deployment.notes['slack']}", {"dry_run": "true"}
    archive = PackArchive(version="3.0.0").build()
    for forget in (False, True):
        if forget:
            _forget_indexes(deployment)
        body, headers = multipart({"archive": archive})
        asked = setup.ask("reupload_pack", "POST", f"{pack}/upload", body=body, headers=headers, query=query)
        assert asked["statusCode"] == 200, asked["body"]
    body, headers = multipart({"archive": PackArchive(name="new").build()})
    asked = setup.ask("upload_pack", "POST", "/packs/upload", body=body, headers=headers, query=query)
    assert asked["statusCode"] == 200, asked["body"]
    image = {"image_ref": f"127.0.0.1:{deployment.elsewhere.port}/team/jira:2.0.0"}
    asked = setup.ask("create_pack", "POST", "/packs", json=image, query=query)
    assert asked["statusCode"] == 409, asked["body"]
    for fields in ({}, {"pack_id": deployment.notes["slack"]}):
        made = setup.ask("start_upload", "POST", "/packs/uploads", json=fields, query=query)
        upload_id = json.loads(made["body"])["upload_id"]
        archive = PackArchive(name="slack" if fields else "new", version="3.0.0").build()
        assert deployment.build(arrive(deployment.service, upload_id, archive))
        assert look(deployment.service, upload_id).body["outcome"]["outcome"] != "unchanged"


def _doors(setup: Setup) -> None:
    """Ask the doors for what is prepared and what is not, of a pack of our own and another organisation's."""
    deployment = setup.deployment
    _receive(deployment, "prepare_artifacts", "nonsense")
    pack_id = deployment.service.upload(PackArchive(name="served").build()).body["id"]
    shared = deployment.notes["shared"]
    assert deployment.service.set_role("served", [pack_id, shared]).status == 200
    _at_the_doors(setup, pack_id, shared)
    assert deployment.service.set_role("served", []).status == 200
    message = Doors(deployment.service).message(pack_id)
    assert deployment.service.delete(pack_id).status == 200
    assert deployment.prepare(message)


def _at_the_doors(setup: Setup, *pack_ids: str) -> None:
    """Read the packs of the role `served` by every door, before they are prepared, and after."""
    deployment = setup.deployment
    role = "/doors/roles/served"
    gets = (
        ("door_agent_skills", "/.well-known/agent-skills/index.json"),
        ("door_marketplace", "/marketplace.json"),
        ("door_clawhub", "/api/v1/skills"),
    )

    def call(method: str, **params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = setup.ask("door_mcp", "POST", f"{role}/mcp", json=body)
        assert answer["statusCode"] == 200
        return json.loads(answer["body"])["result"]

    def read_all() -> None:
        for function, tail in gets:
            _forget(deployment, "catalogues/")
            assert setup.ask(function, "GET", f"{role}{tail}")["statusCode"] == 200
        _forget(deployment, "catalogues/")
        call("skills/list")

    _forget(deployment, "indexes/")
    read_all()
    for pack_id in pack_ids:
        assert deployment.prepare(Doors(deployment.service).message(pack_id))
    read_all()
    query = {"path": "pack.yaml"}
    assert (
        setup.ask("door_clawhub", "GET", f"{role}/api/v1/skills/served/file", query=query)["statusCode"]
        == 200
    )
    call("resources/read", uri="skill://acme/served/pack.yaml")
    for query in ({}, {"files": "true"}):
        _forget(deployment, "indexes/", "locks/")
        assert setup.ask("door_bundle", "GET", f"{role}/lock.json", query=query)["statusCode"] == 200
    assert setup.ask("door_bundle", "GET", f"{role}/bundle.tar")["statusCode"] == 202
    deployment.collect()
    for body in list(deployment.preparations):
        assert deployment.prepare(body)
    assert setup.ask("door_bundle", "GET", f"{role}/bundle.tar")["statusCode"] == 302
    for function, tail in (*gets, ("door_bundle", "/lock.json"), ("door_mcp", "/mcp")):
        secret = secret_of(make_feed(deployment.service, role_id="served"))
        for network in range(SHARED_FROM):
            expected = 405 if function == "door_mcp" else 200
            address = f"198.51.{network}.7"
            asked = setup.ask(function, "GET", f"/f/{secret}{tail}", caller=None, address=address)
            assert asked["statusCode"] == expected


def _forget(deployment: Deployment, *prefixes: str) -> None:
    for key in deployment.service.aws.objects():
        if key.startswith(prefixes):
            deployment.service.aws.s3.delete_object(Bucket=BUCKET, Key=key)


def _forget_indexes(deployment: Deployment) -> None:
    for key in deployment.service.aws.objects():
        if key.startswith("indexes/"):
            deployment.service.aws.s3.delete_object(Bucket=BUCKET, Key=key)


def _twice(name: str) -> Callable[[Setup], None]:
    """Ask for an operation, ask again, and let every message about it be settled."""

    def play(setup: Setup) -> None:
        operation = OPERATIONS[name]
        operation.prepare(setup.deployment)
        answer: Answer = operation.act(setup.deployment)
        assert answer.status in operation.done, answer.body
        operation.act(setup.deployment)
        setup.deployment.settle()

    return play


def _webhooks(setup: Setup) -> None:
    """Read webhooks, and let deliveries fail until they are given up and the webhook is disabled."""
    deployment = setup.deployment
    webhooks.delivered(deployment)
    path = f"/webhooks/{deployment.notes['webhook']}"
    for each in ("/webhooks", path):
        assert setup.ask("webhooks", "GET", each)["statusCode"] == 200
    for tail in ("test", f"deliveries/{deployment.notes['delivery']}/redelivery"):
        asked = setup.ask(
            "webhook_deliveries", "POST", f"{path}/{tail}", headers={"Idempotency-Key": tail[:4]}
        )
        assert asked["statusCode"] == 202, asked["body"]
        webhooks.take_first(deployment)
        assert webhooks.deliver(deployment).status == 200
    for function in (webhooks.deliver, webhooks.retry):
        webhooks.failed_once(deployment)
        for days in (1, 5):
            deployment.service.clock.advance(timedelta(days=days))
            function(deployment)
        webhook = setup.ask("webhooks", "GET", f"/webhooks/{deployment.notes['webhook']}")
        assert json.loads(webhook["body"])["disabled_because"] == "failing"
        webhooks.failed_once(deployment)
        working = {"url": webhooks.receiver(deployment), "state": "active"}
        assert webhooks.of_webhook("PATCH", json=working)(deployment).status == 200
        deployment.notes["message"] = deployment.notes["message"].replace(
            '"first_at":"2026', '"first_at":"2025'
        )
        function(deployment)
    webhooks.failed_once(deployment)
    _receive(deployment, "retry_delivery", deployment.notes["message"])
    _page_through(setup, "webhook_deliveries", f"{path}/deliveries")


def _statements(setup: Setup) -> None:
    """Make statements about a pack with a dependency file and no index, and read them, also where they are."""
    deployment = setup.deployment
    _receive(deployment, "attest_image", "nonsense")
    files = {"guides/requirements.txt": b"six==1.16.0"}
    made = deployment.service.upload(PackArchive(name="named", files=files).build())
    deployment.notes["slack"] = made.body["id"]
    _forget_indexes(deployment)
    attesting.attached(deployment)
    path = f"/packs/{made.body['id']}/attestations"
    for query in ({}, {"as": "url"}, {"as": "url"}):
        assert setup.ask("list_attestations", "GET", path, query=query)["statusCode"] == 200
    assert setup.ask("signing_keys", "GET", "/.well-known/packyard/keys.json")["statusCode"] == 200
    # Read without a request, which would count as the function's.
    items = observe(deployment.service).items
    records = [event_record(to_wire(item)) for item in items if item["PK"] == f"EVENTS#{ACME.org_id}"]
    deployment.service.invoke("fan_out", {"Records": records})


def _event_bus(setup: Setup) -> None:
    """Put events on a bus that is there, and on one that is not there at first."""
    service = setup.deployment.service
    bus = service.services.client("events")
    settings = replace(service.services.settings, event_bus_name=EVENT_BUS)
    setup.recorder.service.begin = lambda: service.new_process(settings=settings)
    setup.recorder.service.last = ""
    webhooks.told(setup.deployment)
    assert webhooks.fan_out(setup.deployment).status == 200
    bus.create_event_bus(Name=EVENT_BUS)
    assert webhooks.fan_out(setup.deployment).status == 200
    setup.deployment.notes["message"] = webhooks.bus_message(EVENT_BUS)
    webhooks.retry(setup.deployment)
    bus.delete_event_bus(Name=EVENT_BUS)


def _revisions_that_go(setup: Setup) -> None:
    """Withdraw an earlier image, restore it, and let the table's stream tell of a retention policy."""
    deployment = setup.deployment
    pack = deployment.notes["slack"]
    assert revisions.withdraw(deployment.service, pack, 1).status == 200
    assert revisions.restore(deployment.service, pack, 1).status == 200
    assert deployment.service.set_role("holder", [pack]).status == 200
    assert revisions.withdraw(deployment.service, pack, 2).status == 200
    assert deployment.service.follow(pack) == []
    policy = f"/packs/{pack}/retention"
    for method, more in (("PUT", {"json": {"keep": 1}}), ("GET", {})):
        assert setup.ask("retention", method, policy, **more)["statusCode"] == 200
    assert deployment.service.follow(pack) == []
    assert deployment.service.set_role("holder", []).status == 200


def _scans(setup: Setup) -> None:
    """Publish what has findings in every way, read what was found, and scan again what is gone."""
    deployment, service = setup.deployment, setup.deployment.service
    advice = {"guides/start.md": scans.ADVICE}
    pack = service.upload(scans.with_advice("found"), visibility="community").body["id"]
    assert service.clone(pack, name="found-too").status == 201
    for tail in ("/scan", "/scan?revision=1"):
        path, _, query = f"/packs/{pack}{tail}".partition("?")
        asked = dict([query.split("=")]) if query else {}
        assert setup.ask("pack_scan", "GET", path, query=asked)["statusCode"] == 200
    assert setup.ask("policies", "GET", "/scan-policy")["statusCode"] == 200
    headers = {"Idempotency-Key": "override"}
    path = f"/packs/{pack}/scan/overrides"
    body = {"rule": scans.ADVICE_RULE, "path": "guides/start.md", "reason": "Ours."}
    body["expires_at"] = format_timestamp(service.clock() + DEADLINE)
    assert setup.ask("pack_scan", "POST", path, json=body, headers=headers)["statusCode"] == 201
    slack = deployment.notes["slack"]
    form, stated = multipart({"archive": scans.with_advice("slack", "9.0.0")})
    at = f"/packs/{slack}/upload"
    assert setup.ask("reupload_pack", "POST", at, body=form, headers=stated)["statusCode"] == 200
    assert change_pack(service, slack, advice | {"guides/more.md": scans.ADVICE}).status == 200
    upload_id = start(service).body["upload_id"]
    assert deployment.build(arrive(service, upload_id, scans.with_advice("staged-advice")))
    upload_id = start(service, pack_id=slack).body["upload_id"]
    assert deployment.build(arrive(service, upload_id, scans.with_advice("slack", "10.0.0")))
    gone = service.services.scans.get(pack, Digest(service.get(pack).body["image_digest"]))
    assert service.delete(pack).status == 200
    assert gone is not None
    scans.put(service, replace(gone, result=replace(gone.result, scanner=scans.OLD_RULES)))
    # An earlier image, which the policy of now refuses, and whose index is lost.
    assert scans.set_policy(service, rules={scans.SECRET_RULE: "warn"}).status == 200
    leaky = service.upload(scans.with_secret("leaky")).body["id"]
    earlier = service.get(leaky).body["image_digest"]
    assert revisions.reupload(service, leaky, "2.0.0", "leaky").status == 200
    assert scans.set_policy(service).status == 200
    scans.let_results_be_old(service, leaky, earlier)
    _forget_indexes(deployment)
    scans.walk(service)
    assert revisions.statuses(service, leaky)[1] == "withdrawn"


def _stale_pins(setup: Setup) -> None:
    """Tell the owners of roles of a pack's new image."""
    deployment = setup.deployment
    assert deployment.service.set_role("still", [deployment.notes["slack"]]).status == 200
    assert reupload()(deployment).status == 200
    assert deployment.service.follow(deployment.notes["slack"]) == []
    told = stream_record(deployment.notes["slack"], "IMAGE#sha256:a", {}, {"image_status": "withdrawn"})
    deployment.service.invoke("follow_packs", {"Records": [told]})


SCENARIOS: Final[Mapping[str, Callable[[Setup], None]]] = {
    **{f"{name}, twice": _twice(name) for name in OPERATIONS},
    "reads": _reads,
    "revisions that go": _revisions_that_go,
    "roles": _roles,
    "an image of our own": _own_image,
    "a large file of ours": _large_file_of_ours,
    "images of another account": _theirs,
    "a file without an index": _file_without_an_index,
    "changes without an index": _changes_without_an_index,
    "staged uploads": _uploads,
    "builds of what stands": _rebuilds_what_stands,
    "a repository that is lost": _a_repository_that_is_lost,
    "messages that fail": _messages_that_fail,
    "the authorizer": _authorize,
    "API keys": _keys,
    "trusted publishers": _publishers,
    "feeds": _feeds,
    "events": _events,
    "usage": _usage,
    "the operator's view": _operator,
    "the distribution door": _door,
    "version policies": _version_policies,
    "signature policies": _signature_policies,
    "dry runs": _dry_runs,
    "webhooks": _webhooks,
    "statements": _statements,
    "the doors": _doors,
    "an event bus": _event_bus,
    "scans": _scans,
    "stale pins": _stale_pins,
    "the backlog": lambda setup: setup.deployment.service.invoke("measure_backlog", {}),
}
