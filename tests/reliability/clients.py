"""Three organisations with their keys, whose requests go through the authorizer to the real handlers."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from tests.documented import assert_documented
from tests.gateway import Answer, Request, multipart
from tests.reliability.model_packs import Archive, Reference
from tests.service import ACME, GLOBEX, Service
from tests.third_party_images import tar

from packyard.http.authorizer import Unauthorized
from packyard.http.caller import to_context
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret, new_secret
from packyard.tenants.caller import Caller
from packyard.tenants.org import BillingPosture, Org

DOMAIN: Final = "packs.test"
INITECH: Final = "org_01hz1n1tech00000000000000a"
ORGS: Final = (ACME.org_id, GLOBEX.org_id, INITECH)
SLUGS: Final = dict(zip(ORGS, ("acme", "globex", "initech"), strict=True))
# Two that write, so that one can be revoked, and one that reads.
KEYS: Final = tuple((org, number) for org in ORGS for number in range(3))
READER: Final = 2
_NO_GATEWAY: Final = Answer(401, {}, {"error": {"code": "unauthenticated", "message": "", "request_id": ""}})


def secret_of(key: tuple[str, int]) -> str:
    return new_secret(bytes([KEYS.index(key)]) * 32)


def key_of(key: tuple[str, int]) -> ApiKey:
    permission = PermissionSet.READ_ONLY if key[1] == READER else PermissionSet.FULL_ACCESS
    return ApiKey(
        key_hash=hash_secret(secret_of(key)),
        org_id=key[0],
        label=f"key {key[1]}",
        permission_set=permission,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def principal_of(key: tuple[str, int]) -> str:
    return f"key:{key_of(key).key_id}"


def packed(archive: Archive) -> bytes:
    """Return an archive as it is sent."""
    if archive.fault == "archive":
        return b"no archive at all"
    return tar_gz(dict(archive.files))


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """Return a compressed tar that is the same at any time."""
    return gzip.compress(tar(*files.items()), mtime=0)


@dataclass
class Clients:
    """Sends the requests of all organisations, each with one of their keys.

    Attributes:
        service: Who answers.
        sent: How many requests have been sent.
    """

    service: Service
    sent: int = 0
    _let_in: bool = False

    def __post_init__(self) -> None:
        tenants = self.service.services.tenants
        for org in ORGS:
            tenants.put_org(Org(org_id=org, slug=SLUGS[org], billing=BillingPosture.ACTIVE))
        for key in KEYS:
            tenants.put_api_key(key_of(key))

    def revoke(self, key: tuple[str, int]) -> None:
        """Do what the operator does to revoke a key."""
        self.service.services.tenants.revoke_api_key(key_of(key), at=self.service.clock())

    def set_billing(self, org: str, *, lapsed: bool) -> None:
        """Do what the operator does when a tenant stops paying, or pays again."""
        posture = BillingPosture.PAST_DUE if lapsed else BillingPosture.ACTIVE
        self.service.services.tenants.set_posture(org, billing=posture, trial_ends_at=None)

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """Spare the authorizer for a while: it has been asked often enough."""
        self._let_in = True
        try:
            yield
        finally:
            self._let_in = False

    def ask(self, function: str, method: str, resource: str, key: tuple[str, int], **more: Any) -> Answer:
        """Send a request.

        Args:
            function: Its folder.
            method: The verb.
            resource: The path as the template has it.
            key: Who asks.
            more: `ids` for the path's parameters, `json`, `form` or `body`, `if_match`, `once` (an idempotency key),
                `query`, `host`. An `if_match` of `new` is for what must not be there.
        """
        self.sent += 1
        headers = {"Host": f"{more.get('host', SLUGS[key[0]])}.{DOMAIN}", "Accept": "*/*"}
        tag = more.get("if_match")
        if tag == "new":
            headers["If-None-Match"] = "*"
        elif tag:
            headers["If-Match"] = tag if tag == "*" else f'"{tag}"'
        headers |= {"Idempotency-Key": more["once"]} if more.get("once") else {}
        body = more.get("body")
        if "json" in more:
            body = json.dumps(more["json"]).encode()
            headers["Content-Type"] = "application/json"
        elif "form" in more:
            body, form_headers = multipart(more["form"])
            headers |= form_headers
        path = resource
        for name, value in more.get("ids", {}).items():
            path = path.replace(f"{{{name}}}", quote(value))
        caller = self._authorize(key)
        if caller is None:
            return _NO_GATEWAY
        request = Request(
            method=method,
            resource=resource,
            path=path,
            query=more.get("query", {}),
            headers=headers,
            body=body,
            caller=caller,
        )
        return self._answer(function, request)

    def _authorize(self, key: tuple[str, int]) -> Caller | None:
        """Ask the authorizer, as the gateway does before each request."""
        if self._let_in:
            return Caller(
                org_id=key[0],
                org_slug=SLUGS[key[0]],
                principal=principal_of(key),
                scopes=frozenset(),
                may_create=True,
            )
        arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
        event = {"type": "TOKEN", "authorizationToken": f"Bearer {secret_of(key)}", "methodArn": arn}
        try:
            context = self.service.invoke("authorize", event)["context"]
        except Unauthorized:
            return None
        caller = Caller(
            org_id=context["org_id"],
            org_slug=context["org_slug"],
            principal=context["principal"],
            scopes=frozenset(context["scopes"].split()),
            may_create=context["may_create"] == "true",
        )
        assert to_context(caller) == context
        return caller

    def _answer(self, function: str, request: Request) -> Answer:
        raw = self.service.invoke(function, request.event())
        headers = {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        if function == "get_file" and raw["statusCode"] == 200:
            body = raw["body"]
            return Answer(200, headers, base64.b64decode(body) if raw["isBase64Encoded"] else body.encode())
        answer = Answer.of(raw)
        assert_documented(request.method, request.resource, answer.status, answer.body)
        assert "X-Request-Id" in headers
        return answer

    # -- the operations -------------------------------------------------------------------------------------------

    def upload(
        self, key: tuple[str, int], archive: Archive, visibility: str, once: str | None = None
    ) -> Answer:
        form = {"archive": packed(archive), "visibility": visibility.encode()}
        return self.ask("upload_pack", "POST", "/packs/upload", key, form=form, once=once)

    def reupload(
        self, key: tuple[str, int], pack_id: str, archive: Archive, if_match: str | None, once: str | None
    ) -> Answer:
        return self.ask(
            "reupload_pack",
            "POST",
            "/packs/{id}/upload",
            key,
            ids={"id": pack_id},
            form={"archive": packed(archive)},
            if_match=if_match,
            once=once,
        )

    def start_upload(
        self,
        key: tuple[str, int],
        visibility: str | None,
        pack_id: str | None,
        if_match: str | None,
        *,
        once: str | None,
    ) -> Answer:
        given = {"visibility": visibility, "pack_id": pack_id}
        body = {name: value for name, value in given.items() if value is not None}
        return self.ask(
            "start_upload", "POST", "/packs/uploads", key, json=body, if_match=if_match, once=once
        )

    def create(
        self, key: tuple[str, int], reference: Reference, visibility: str, once: str | None = None
    ) -> Answer:
        body = {"image_ref": reference.text, "visibility": visibility}
        return self.ask("create_pack", "POST", "/packs", key, json=body, once=once)

    def replace(
        self, key: tuple[str, int], pack_id: str, reference: Reference, if_match: str | None = None
    ) -> Answer:
        body = {"image_ref": reference.text}
        return self.ask(
            "replace_pack", "PUT", "/packs/{id}", key, ids={"id": pack_id}, json=body, if_match=if_match
        )

    def clone(
        self, key: tuple[str, int], pack_id: str, name: str | None, visibility: str, once: str | None = None
    ) -> Answer:
        body = {"visibility": visibility} | ({"name": name} if name else {})
        return self.ask(
            "clone_pack", "POST", "/packs/{id}/clone", key, ids={"id": pack_id}, json=body, once=once
        )

    def update(
        self, key: tuple[str, int], pack_id: str, visibility: str, if_match: str | None = None
    ) -> Answer:
        return self.ask(
            "update_pack",
            "PATCH",
            "/packs/{id}",
            key,
            ids={"id": pack_id},
            json={"visibility": visibility},
            if_match=if_match,
        )

    def put_file(
        self, key: tuple[str, int], pack_id: str, path: str, content: bytes, if_match: str | None
    ) -> Answer:
        return self.ask(
            "put_file",
            "PUT",
            "/packs/{id}/files/{path}",
            key,
            ids={"id": pack_id, "path": path},
            body=content,
            if_match=if_match,
        )

    def delete(self, key: tuple[str, int], pack_id: str, if_match: str | None = None) -> Answer:
        return self.ask("delete_pack", "DELETE", "/packs/{id}", key, ids={"id": pack_id}, if_match=if_match)

    def set_role(
        self, key: tuple[str, int], role_id: str, pack_ids: Sequence[str], if_match: str | None = None
    ) -> Answer:
        return self.ask(
            "set_role_packs",
            "PUT",
            "/agent-roles/{role_id}/packs",
            key,
            ids={"role_id": role_id},
            json={"pack_ids": list(pack_ids)},
            if_match=if_match,
        )

    def get_role(self, key: tuple[str, int], role_id: str) -> Answer:
        resource = "/agent-roles/{role_id}/packs"
        return self.ask("get_role_packs", "GET", resource, key, ids={"role_id": role_id})

    def get(self, key: tuple[str, int], pack_id: str, host: str | None = None) -> Answer:
        where = {"host": host} if host else {}
        return self.ask("get_pack", "GET", "/packs/{id}", key, ids={"id": pack_id}, **where)

    def get_upload(self, key: tuple[str, int], upload_id: str) -> Answer:
        return self.ask("get_upload", "GET", "/packs/uploads/{upload_id}", key, ids={"upload_id": upload_id})

    def list_files(self, key: tuple[str, int], pack_id: str) -> Answer:
        return self.ask("list_files", "GET", "/packs/{id}/files", key, ids={"id": pack_id})

    def get_file(self, key: tuple[str, int], pack_id: str, path: str) -> Answer:
        resource = "/packs/{id}/files/{path}"
        return self.ask("get_file", "GET", resource, key, ids={"id": pack_id, "path": path})

    def list_packs(self, key: tuple[str, int], query: dict[str, str]) -> Answer:
        return self.ask("list_packs", "GET", "/packs", key, query=query)

    def list_revisions(self, key: tuple[str, int], pack_id: str, query: dict[str, str]) -> Answer:
        resource = "/packs/{id}/revisions"
        return self.ask("list_revisions", "GET", resource, key, ids={"id": pack_id}, query=query)


@contextmanager
def outage(service: Service, number: int) -> Iterator[None]:
    """Let AWS refuse the call of this number, counted from 0, as it does when it is not well; it does nothing then."""
    calls = iter(range(1 << 30))
    answer: Any = (
        _Response(500),
        {
            "Error": {"Code": "InternalServerError", "Message": ""},
            "ResponseMetadata": {"HTTPStatusCode": 500},
        },
    )

    def before(**_: Any) -> Any:
        return answer if next(calls) == number else None

    clients = (service.aws.dynamodb, service.aws.s3, service.aws.sqs)
    for client in clients:
        client.meta.events.register("before-call", before, unique_id="outage")
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", unique_id="outage")


@dataclass
class _Response:
    status_code: int
