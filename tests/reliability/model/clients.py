"""Three organisations with their keys, whose requests go through the authorizer to the real handlers."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from tests.changes import changes_form
from tests.documented import assert_documented
from tests.gateway import Answer, Request, multipart
from tests.reliability.model.packs import Archive, Reference
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
# An organisation's key: two that write, so that one can be revoked, and one that reads.
Key = tuple[str, int]
KEYS: Final = tuple((org, number) for org in ORGS for number in range(3))
READER: Final = 2
_UNAUTHENTICATED: Final = Answer(
    401, {}, {"error": {"code": "unauthenticated", "message": "", "request_id": ""}}
)
# The model's operations: the function, its method and path, and the names of the arguments of `Model`'s method. Those
# in the path are there; the others are the request's.
_ROUTES: Final = {
    "upload": ("upload_pack", "POST", "/packs/upload", ["archive"]),
    "reupload": ("reupload_pack", "POST", "/packs/{id}/upload", ["id", "archive"]),
    "start_upload": ("start_upload", "POST", "/packs/uploads", []),
    "create": ("create_pack", "POST", "/packs", ["image_ref"]),
    "replace": ("replace_pack", "PUT", "/packs/{id}", ["id", "image_ref"]),
    "clone": ("clone_pack", "POST", "/packs/{id}/clone", ["id", "name"]),
    "update": ("update_pack", "PATCH", "/packs/{id}", ["id"]),
    "put_file": ("put_file", "PUT", "/packs/{id}/files/{path}", ["id", "path", "content"]),
    "change": ("change_pack", "POST", "/packs/{id}/changes", ["id", "files", "deletions"]),
    "delete": ("delete_pack", "DELETE", "/packs/{id}", ["id"]),
    "set_role": ("set_role_packs", "PUT", "/agent-roles/{role_id}/packs", ["role_id", "pack_ids"]),
    "get_role": ("get_role_packs", "GET", "/agent-roles/{role_id}/packs", ["role_id"]),
    "get": ("get_pack", "GET", "/packs/{id}", ["id"]),
    "get_upload": ("get_upload", "GET", "/packs/uploads/{upload_id}", ["upload_id"]),
    "list_files": ("list_files", "GET", "/packs/{id}/files", ["id"]),
    "get_file": ("get_file", "GET", "/packs/{id}/files/{path}", ["id", "path"]),
    "list_packs": ("list_packs", "GET", "/packs", ["query"]),
    "list_revisions": ("list_revisions", "GET", "/packs/{id}/revisions", ["id", "query"]),
}


def secret_of(key: Key) -> str:
    return new_secret(bytes([KEYS.index(key)]) * 32)


def api_key_of(key: Key) -> ApiKey:
    return ApiKey(
        key_hash=hash_secret(secret_of(key)),
        org_id=key[0],
        label=f"key {key[1]}",
        permission_set=PermissionSet.READ_ONLY if key[1] == READER else PermissionSet.FULL_ACCESS,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def principal_of(key: Key) -> str:
    return f"key:{api_key_of(key).key_id}"


def packed(archive: Archive) -> bytes:
    """Return an archive as it is sent."""
    return b"no archive at all" if archive.fault == "archive" else tar_gz(dict(archive.files))


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """Return a compressed tar that is the same at any time."""
    return gzip.compress(tar(*files.items()), mtime=0)


@dataclass
class Clients:
    """Sends the requests of all organisations.

    Attributes:
        service: What answers.
        sent: How many requests have been sent.
    """

    service: Service
    sent: int = 0
    _past_the_authorizer: bool = False

    def __post_init__(self) -> None:
        tenants = self.service.services.tenants
        for org in ORGS:
            tenants.put_org(Org(org_id=org, slug=SLUGS[org], billing=BillingPosture.ACTIVE))
        for key in KEYS:
            tenants.put_api_key(api_key_of(key))

    def revoke(self, key: Key) -> None:
        self.service.services.tenants.revoke_api_key(api_key_of(key), at=self.service.clock())

    def set_billing(self, org: str, *, lapsed: bool) -> None:
        posture = BillingPosture.PAST_DUE if lapsed else BillingPosture.ACTIVE
        self.service.services.tenants.set_posture(org, billing=posture, trial_ends_at=None)

    @contextmanager
    def past_the_authorizer(self) -> Iterator[None]:
        """Send requests without asking the authorizer while the context lasts, which takes less time."""
        self._past_the_authorizer = True
        try:
            yield
        finally:
            self._past_the_authorizer = False

    def send(
        self,
        operation: str,
        key: Key,
        *args: Any,
        if_match: str | None = None,
        once: str | None = None,
        **more: Any,
    ) -> Answer:
        """Send the request of one of the model's operations.

        Args:
            operation: Its name.
            key: Who asks.
            args: What `Model`'s method takes.
            if_match: A revision, `*`, or `new` for what must not exist.
            once: An idempotency key.
            more: Fields of the request, and `host`, the organisation that the host names.
        """
        self.sent += 1
        caller = self._authorize(key)
        if caller is None:
            return _UNAUTHENTICATED
        function, method, path, names = _ROUTES[operation]
        headers = {"Host": f"{SLUGS[more.pop('host', None) or key[0]]}.{DOMAIN}", "Accept": "*/*"}
        if if_match == "new":
            headers["If-None-Match"] = "*"
        elif if_match:
            headers["If-Match"] = "*" if if_match == "*" else f'"{if_match}"'
        if once:
            headers["Idempotency-Key"] = once
        fields = {
            name: value
            for name, value in (*zip(names, args, strict=True), *more.items())
            if value is not None
        }
        resource = path
        for name in [name for name in fields if f"{{{name}}}" in resource]:
            path = path.replace(f"{{{name}}}", quote(fields.pop(name)))
        query, body = fields.pop("query", {}), fields.pop("content", None)
        if operation == "change":
            body, form_headers = changes_form(dict(fields.pop("files")) or None, fields.pop("deletions"))
            headers |= form_headers
        elif "archive" in fields:
            form = {"archive": packed(fields.pop("archive"))}
            body, form_headers = multipart(form | {name: value.encode() for name, value in fields.items()})
            headers |= form_headers
        elif fields or operation == "start_upload":
            body, headers["Content-Type"] = json.dumps(fields, default=_text_of).encode(), "application/json"
        request = Request(
            method=method,
            resource=resource,
            path=path,
            query=query,
            headers=headers,
            body=body,
            caller=caller,
        )
        return self._answer(function, request)

    def _authorize(self, key: Key) -> Caller | None:
        """Ask the authorizer, as the gateway does before each request."""
        if self._past_the_authorizer:
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


def _text_of(reference: Reference) -> str:
    return reference.text
