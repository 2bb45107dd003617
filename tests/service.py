"""The whole service in one process: the real handlers, moto for AWS, and our fake registry.

Nothing of ours is patched. What a test wants otherwise (the time, a setting, a store that stands still) it brings
through the composition root (`Service.new_process`), as any deployment does.
"""

import hashlib
import io
import json
import logging
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from typing import Any, Final

import yaml
from tests import table_rows
from tests.aws import (
    ATTESTATION_QUEUE,
    BUCKET,
    CURSOR_SECRET,
    DEAD_LETTER_QUEUES,
    DELIVERY_QUEUES,
    PREPARATION_QUEUE,
    PULL_TOKEN_SECRET,
    REGISTRY_PULL_ROLE,
    SIGNING_KEY,
    TABLE,
    WEBHOOK_KEY,
    Aws,
    aws_in_memory,
    keys_in_memory,
    queue_url,
    secrets_in_memory,
)
from tests.documented import assert_documented
from tests.engine.wire import Wire
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.scan_function import SCAN_FUNCTION, scans_in_process

from packyard.composition import bootstrap
from packyard.composition.deadline import Deadline
from packyard.composition.settings import JwtSettings, Settings
from packyard.messaging.consumer import logger as consumer_log
from packyard.packs.archive.limits import ArchiveLimits
from packyard.store.wire import Item, to_wire
from packyard.tenants.caller import SCOPES, Caller

ACME: Final = Caller(
    org_id="org_01hzacme0000000000000000aa",
    org_slug="acme",
    principal="key:acme",
    scopes=SCOPES,
    may_create=True,
)
GLOBEX: Final = Caller(
    org_id="org_01hzg0bex0000000000000000a",
    org_slug="globex",
    principal="key:globex",
    scopes=SCOPES,
    may_create=True,
)
DEADLINE: Final = timedelta(seconds=120)
PUBLIC_URL: Final = "https://packyard.example/v1"


class Context:
    """What Lambda tells a function about itself."""

    function_name = "test"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:test"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def __init__(self, function: str = "") -> None:
        # Each message of a batch has a share of it, which must be long enough to wait for a receiver.
        self._seconds = {"deliver": 180, "retry_delivery": 180, "rescan_packs": 600}.get(function, 29)

    def get_remaining_time_in_millis(self) -> int:
        """Return enough."""
        return self._seconds * 1000


@dataclass
class Clock:
    """A clock that stands still until it is told to move."""

    now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@dataclass(kw_only=True)
class Service:
    """A running service and what it talks to.

    Attributes:
        services: The composition root of the process that is running.
        wire: All that leaves the process, for as long as it is laid.
        bodies: The bodies that each entity tag has stood for.
        held: The messages that the last delivery held.
        invoked: The functions that have been invoked, for whoever wants to know and empties it.
    """

    aws: Aws
    registry: FakeRegistry
    services: bootstrap.Services
    clock: Clock
    wire: Wire
    process: ExitStack
    bodies: dict[tuple[str, ...], str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    invoked: set[str] = field(default_factory=set)

    def new_process(self, *, parts: Mapping[str, object] | None = None, **changes: Any) -> None:
        """Go on in a new process: what the old one had made for itself is forgotten.

        Args:
            parts: What takes the place of parts that the composition root would make, by their names there. They last
                until the next new process.
            changes: Fields of the composition root that are other from now on: `settings`, `client`, `deadline`.
        """
        self.process.close()
        self.wire.hang_up()
        root: type[bootstrap.Services] = type("Services", (bootstrap.Services,), dict(parts or {}))
        kept = {made.name: getattr(self.services, made.name) for made in fields(bootstrap.Services)}
        self.services = root(**kept | changes)
        self.process.enter_context(bootstrap.using(self.services))

    @contextmanager
    def another_process(self) -> Iterator[None]:
        """Let another process answer what is asked while the context lasts."""
        with bootstrap.using(replace(self.services)):
            yield

    def request(self, function: str, request: Request) -> Answer:
        """Send a request to a function's own handler."""
        answer = Answer.of(self.invoke(function, request.event()))
        assert_documented(request.method, request.resource, answer.status, answer.body)
        return answer

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function as Lambda does."""
        handler = import_module(f"functions.{function}.app").lambda_handler
        self.invoked.add(function)
        answer = handler(event, Context(function))
        if event.get("httpMethod") == "GET":
            self._hold_to_its_tag(event, answer)
        return answer

    def _hold_to_its_tag(self, event: dict[str, Any], answer: dict[str, Any]) -> None:
        """Check that a read has an entity tag, which it has had with no other body, whoever asked.

        Roles of two organisations may have one path, and all policies have; they are two things.
        """
        tags = answer["multiValueHeaders"].get("ETag")
        assert (answer["statusCode"] in (200, 302, 304)) == bool(tags), answer
        if answer["statusCode"] == 200:
            of_one = "roles/" in event["path"] or event["path"].endswith("-policy")
            whose = event["requestContext"]["authorizer"].get("org_id", "") if of_one else ""
            thing = (whose, event["path"], json.dumps(event["multiValueQueryStringParameters"]), *tags)
            body = hashlib.sha256(answer["body"].encode()).hexdigest()
            assert self.bodies.setdefault(thing, body) == body, f"{thing} stands for two bodies"

    def upload(self, archive: bytes, caller: Caller = ACME, *, visibility: str | None = None) -> Answer:
        """Post an archive to `/packs/upload`."""
        parts = {"archive": archive} | ({"visibility": visibility.encode()} if visibility else {})
        body, headers = multipart(parts)
        request = Request(method="POST", resource="/packs/upload", headers=headers, body=body, caller=caller)
        return self.request("upload_pack", request)

    def send(
        self, function: str, method: str, path: str, *, caller: Caller | None = ACME, **more: Any
    ) -> Answer:
        """Send a request whose body, if any, is JSON.

        Args:
            function: Its folder.
            method: The verb.
            path: The path as sent; also stands in for the resource.
            caller: Who asks; None for nobody who has signed in.
            more: `json` for the body, `headers`, `query`.
        """
        headers = dict(more.get("headers", {}))
        body = None
        if "json" in more:
            body = json.dumps(more["json"]).encode()
            headers.setdefault("Content-Type", "application/json")
        request = Request(
            method=method,
            resource=path,
            path=path,
            query=more.get("query", {}),
            headers=headers,
            body=body,
            caller=caller,
        )
        return self.request(function, request)

    def get(self, pack_id: str, caller: Caller = ACME) -> Answer:
        """Read a pack."""
        return self.request(
            "get_pack",
            Request(method="GET", resource="/packs/{id}", path=f"/packs/{pack_id}", caller=caller),
        )

    def update(
        self, pack_id: str, visibility: str, caller: Caller = ACME, *, if_match: str | None = None
    ) -> Answer:
        """Change who may see a pack."""
        return self.request("update_pack", update_request(pack_id, visibility, caller, if_match))

    def delete(self, pack_id: str, caller: Caller = ACME, *, if_match: str | None = None) -> Answer:
        """Delete a pack."""
        headers = {"If-Match": if_match} if if_match else {}
        return self.send("delete_pack", "DELETE", f"/packs/{pack_id}", caller=caller, headers=headers)

    def clone(self, pack_id: str, caller: Caller = ACME, **body: object) -> Answer:
        """Clone a pack."""
        return self.send("clone_pack", "POST", f"/packs/{pack_id}/clone", caller=caller, json=body)

    def set_role(
        self, role_id: str, pack_ids: object, caller: Caller = ACME, **conditions: str | None
    ) -> Answer:
        """Set the packs of a role, on a condition: `if_match` or `if_none_match`."""
        return self.request("set_role_packs", role_request(role_id, pack_ids, caller, **conditions))

    def pin(self, role_id: str, packs: object, caller: Caller = ACME, **more: object) -> Answer:
        """Set the packs of a role, each with where it is pinned; `more` are further fields of the body."""
        return self._of_role("set_role_packs", "PUT", role_id, "packs", caller, json={"packs": packs, **more})

    def refresh_role(
        self, role_id: str, caller: Caller = ACME, *, if_match: str | None = None, **body: object
    ) -> Answer:
        """Move a role's pins to the present revisions."""
        headers = {"If-Match": if_match} if if_match else {}
        return self._of_role(
            "refresh_role", "POST", role_id, "packs/refresh", caller, json=body, headers=headers
        )

    def delete_role(self, role_id: str, caller: Caller = ACME, *, if_match: str | None = None) -> Answer:
        """Delete a role."""
        headers = {"If-Match": if_match} if if_match else {}
        return self._of_role("delete_role", "DELETE", role_id, "", caller, headers=headers)

    def list_roles(self, caller: Caller = ACME, /, **query: str) -> Answer:
        """List roles."""
        return self.send("get_role_packs", "GET", "/agent-roles", caller=caller, query=query)

    def follow(self, pack_id: str) -> list[str]:
        """Let the table's stream tell of a pack's new image, and of the roles that follow it. Return what failed."""
        failed = self.invoke("follow_packs", {"Records": self.stream_of(pack_id)})["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in failed]

    def stream_of(self, pack_id: str) -> list[dict[str, Any]]:
        """Return what the table's stream tells of a pack's new image, roles that hold it, and states of its images."""
        # Not by a client: the stream reads what is there without a request that could fail.
        items = [item for item in table_rows.all_items() if item["PK"] == f"PACK#{pack_id}"]
        told = [item for item in items if item["SK"].startswith(("REF#", "IMAGE#"))]
        row = next((item for item in items if item["SK"] == "PACK"), {"image_digest": "new"})
        return [
            stream_record(pack_id, "PACK", {"image_digest": "old"}, row),
            *(stream_record(pack_id, item["SK"], {}, item) for item in told),
        ]

    def lock(self, role_id: str, caller: Caller = ACME, /, etag: str = "", **query: str) -> Answer:
        """Read a role's lock document."""
        headers = {"If-None-Match": etag} if etag else {}
        return self._of_role("get_lock", "GET", role_id, "lock", caller, query=query, headers=headers)

    def role_history(self, role_id: str, caller: Caller = ACME, /, **query: str) -> Answer:
        """Read a role's history."""
        return self._of_role("get_role_packs", "GET", role_id, "revisions", caller, query=query)

    def _of_role(
        self, function: str, method: str, role_id: str, tail: str, caller: Caller, **more: Any
    ) -> Answer:
        headers = dict(more.get("headers", {}))
        body = json.dumps(more["json"]).encode() if "json" in more else None
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = Request(
            method=method,
            resource=f"/agent-roles/{{role_id}}/{tail}".rstrip("/"),
            path=f"/agent-roles/{role_id}/{tail}".rstrip("/"),
            query=more.get("query", {}),
            headers=headers,
            body=body,
            caller=caller,
        )
        return self.request(function, request)

    def get_role(self, role_id: str, caller: Caller = ACME) -> Answer:
        """Read the packs of a role."""
        resource, path = "/agent-roles/{role_id}/packs", f"/agent-roles/{role_id}/packs"
        return self.request(
            "get_role_packs", Request(method="GET", resource=resource, path=path, caller=caller)
        )

    def list_packs(self, caller: Caller = ACME, /, **query: str) -> Answer:
        """List packs."""
        return self.request(
            "list_packs", Request(method="GET", resource="/packs", query=query, caller=caller)
        )

    def deliver(self) -> list[str]:
        """Hand the queued messages to `clean_up` once and return the ids of those that failed.

        What is held or failed stays in the queue.
        """
        bodies = self.aws.queued()
        left = self.deliver_bodies(bodies)
        for number in left:
            self.aws.sqs.send_message(QueueUrl=self.aws.queue_url, MessageBody=bodies[int(number)])
        return [number for number in left if number not in self.held]

    def is_due(self, body: str) -> bool:
        """Return whether a message of ours may be settled by now."""
        return datetime.fromisoformat(json.loads(body)["due_at"]) <= self.clock()

    def deliver_bodies(self, bodies: list[str]) -> list[str]:
        """Hand messages to `clean_up` and return the ids of those that it leaves in the queue, held or failed.

        Which of them are held is in `held`.
        """
        self.held.clear()
        records = [
            {"messageId": str(n), "body": body, "eventSource": "aws:sqs", "attributes": {}}
            for n, body in enumerate(bodies)
        ]
        if not records:
            return []
        noting, log = _NoteHeld(self.held), logging.getLogger(consumer_log.name)
        log.addHandler(noting)
        try:
            answer = self.invoke("clean_up", {"Records": records})
        finally:
            log.removeHandler(noting)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def time_passes(self) -> None:
        """Let the time of invocations run out as the clock advances."""
        self.new_process(deadline=Deadline(monotonic=lambda: self.clock().timestamp()))

    def settle(self) -> None:
        """Let every deadline pass and every message be settled."""
        for _ in range(3):
            self.clock.advance(DEADLINE + timedelta(seconds=1))
            left = self.deliver()
        assert left == []

    def images(self) -> dict[str, set[str]]:
        """Return the digests of the manifests in each repository that has any."""
        kept = self.registry.shelves.repositories
        return {name: set(repository.manifests) for name, repository in kept.items() if repository.manifests}


class _NoteHeld(logging.Handler):
    """Takes down which messages the consumer's log says are held."""

    def __init__(self, held: set[str]) -> None:
        super().__init__()
        self._held = held

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        if record.getMessage() == "held":
            self._held.add(record.__dict__["message_id"])


def numbered_bytes(size: int, number: int) -> bytes:
    """Return bytes that look random, others for each number."""
    return hashlib.shake_256(str(number).encode()).digest(size)


@contextmanager
def running_service(
    *,
    limits: ArchiveLimits | None = None,
    api_domain: str = "",
    jwt: JwtSettings | None = None,
    scans: bool = False,
) -> Iterator[Service]:
    """Run an empty service.

    Args:
        limits: Bounds on archives.
        api_domain: The parent domain of organisations' hosts.
        jwt: Whose JWTs are accepted.
        scans: Whether what is published is scanned.
    """
    with aws_in_memory() as aws, FakeRegistry() as registry:
        clock = Clock()
        ulids, secrets = count(1), count(1)
        clients: dict[str, Any] = {"dynamodb": aws.dynamodb, "s3": aws.s3, "sqs": aws.sqs}

        def client(name: str) -> Any:
            # Few tests need a secret, and none of the others is to pay for it.
            if name == "secretsmanager" and name not in clients:
                clients[name] = secrets_in_memory()
            if name == "kms" and name not in clients:
                clients[name] = keys_in_memory()
            if name == "lambda" and name not in clients:
                clients[name] = wire.clients[name] = scans_in_process(wire)
            return clients[name]

        # The test's clock says when a message is due, so moto need not hold it back.
        aws.sqs.meta.events.register("before-parameter-build.sqs.SendMessage", _deliver_at_once)
        wire = Wire({name: clients[name] for name in ("dynamodb", "s3", "sqs")}, clock)
        if scans:
            client("lambda")
        first, retries, dead_letters = map(queue_url, DELIVERY_QUEUES)
        services = bootstrap.Services(
            settings=Settings(
                table=TABLE,
                staging_bucket=BUCKET,
                cleanup_queue_url=aws.queue_url,
                build_queue_url=aws.build_queue_url,
                registry_url=registry.url,
                registry_kind="distribution",
                cursor_secret=CURSOR_SECRET,
                pull_token_secret=PULL_TOKEN_SECRET,
                registry_pull_role=REGISTRY_PULL_ROLE,
                webhook_key=WEBHOOK_KEY,
                signing_key=SIGNING_KEY,
                attestation_queue_url=queue_url(ATTESTATION_QUEUE),
                preparation_queue_url=queue_url(PREPARATION_QUEUE),
                delivery_queue_url=first,
                delivery_retry_queue_url=retries,
                delivery_dead_letters_url=dead_letters,
                dead_letter_queues=" ".join(
                    f"{name}={queue_url(queue)}" for name, queue in DEAD_LETTER_QUEUES.items()
                ),
                trusted_webhook_hosts="127.0.0.1:*",
                trusted_issuer_hosts="127.0.0.1:*",
                public_url=PUBLIC_URL,
                api_domain=api_domain,
                publish_deadline_seconds=int(DEADLINE.total_seconds()),
                archive_limits=limits or ArchiveLimits(),
                trusted_registries="127.0.0.1:*",
                jwt=jwt,
                scan_function=SCAN_FUNCTION if scans else "",
            ),
            clock=clock,
            new_ulid=lambda: f"01HZ{next(ulids):022d}",
            random_bytes=lambda size: numbered_bytes(size, next(secrets)),
            sleep=lambda _seconds: None,
            # No invocation runs out of time by itself here, however slow the machine; see `time_passes`.
            deadline=Deadline(monotonic=lambda: 0),
            client=client,
        )
        with ExitStack() as end, ExitStack() as process:
            end.callback(wire.hang_up)
            process.enter_context(bootstrap.using(services))
            yield Service(
                aws=aws, registry=registry, services=services, clock=clock, wire=wire, process=process
            )


def stream_record(pack_id: str, sort_key: str, old: Item, new: Item) -> dict[str, Any]:
    """Return a record of the table's stream about an item of a pack's partition, as Lambda passes it on."""
    images = {"OldImage": to_wire(old), "NewImage": to_wire(new)}
    return {
        "eventID": sort_key,
        "eventName": "MODIFY" if old else "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": to_wire({"PK": f"PACK#{pack_id}", "SK": sort_key}),
            "SequenceNumber": sort_key,
            **{name: image for name, image in images.items() if image},
        },
    }


def update_request(pack_id: str, visibility: str, caller: Caller, if_match: str | None = None) -> Request:
    """Return the request that changes who may see a pack."""
    return Request(
        method="PATCH",
        resource="/packs/{id}",
        path=f"/packs/{pack_id}",
        headers={"Content-Type": "application/json"} | ({"If-Match": if_match} if if_match else {}),
        body=json.dumps({"visibility": visibility}).encode(),
        caller=caller,
    )


def role_request(
    role_id: str,
    pack_ids: object,
    caller: Caller,
    *,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> Request:
    """Return the request that sets the packs of a role."""
    conditions = {"If-Match": if_match, "If-None-Match": if_none_match}
    return Request(
        method="PUT",
        resource="/agent-roles/{role_id}/packs",
        path=f"/agent-roles/{role_id}/packs",
        headers={"Content-Type": "application/json"}
        | {name: value for name, value in conditions.items() if value is not None},
        body=json.dumps({"pack_ids": pack_ids}).encode(),
        caller=caller,
    )


def _deliver_at_once(params: dict[str, Any], **_: Any) -> None:
    params["DelaySeconds"] = 0


@dataclass(frozen=True, kw_only=True)
class PackArchive:
    """A pack archive to be; `build()` gives its bytes."""

    name: str = "slack"
    version: str = "1.4.0"
    files: Mapping[str, bytes] = field(default_factory=lambda: {"guides/post.md": b"# Post a message\n"})
    fields: Mapping[str, Any] = field(default_factory=dict)
    wrapper: str = ""
    backwards: bool = False

    def build(self) -> bytes:
        """Return the `.tar.gz`."""
        manifest = {"name": self.name, "version": self.version, **self.fields}
        files = {"pack.yaml": yaml.safe_dump(manifest, sort_keys=False).encode(), **self.files}
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
            for path in sorted(files, reverse=self.backwards):
                member = tarfile.TarInfo(self.wrapper + path)
                member.size = len(files[path])
                archive.addfile(member, io.BytesIO(files[path]))
        return out.getvalue()
