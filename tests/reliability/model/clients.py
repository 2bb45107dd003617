"""Three organisations with their keys, whose requests go through the authorizer to the real handlers."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from tests.changes import archive_of, changes_form
from tests.documented import DOCUMENT, assert_documented
from tests.door import DoorClient
from tests.functions import function_of
from tests.gateway import Answer, Request, multipart
from tests.reliability.model.packs import ApiKey, Archive
from tests.reliability.model.state import ALL_SCOPES, READER, Key, Login
from tests.service import ACME, GLOBEX, Service

from packyard.http.authorizer import Unauthorized
from packyard.tenants.api_key import ApiKey as StoredKey
from packyard.tenants.api_key import PermissionSet, hash_secret, new_secret
from packyard.tenants.org import BillingPosture, Org

DOMAIN: Final = "packs.test"
ORGS: Final = (ACME.org_id, GLOBEX.org_id, "org_01hz1n1tech00000000000000a")
SLUGS: Final = dict(zip(ORGS, ("acme", "globex", "initech"), strict=True))
# Of the operator.
KEYS: Final = tuple((org, number) for org in ORGS for number in range(READER + 1))
_ARN: Final = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs"
_UNAUTHENTICATED: Final = {"error": {"code": "unauthenticated", "message": "", "request_id": ""}}
# Each operation, its method and path. The document calls it as its function is called, and so does the model.
OPERATIONS: Final = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, operations in DOCUMENT()["paths"].items()
    for method, operation in operations.items()
}


def takes(operation: str, header: str) -> bool:
    """Return whether requests of an operation may have a header."""
    return header in (parameter["name"] for parameter in OPERATIONS[operation][2].get("parameters", ()))


def _secret_of(key: Key) -> str:
    return new_secret(bytes([KEYS.index(key)]) * 32)


def operators_keys() -> dict[Key, Any]:
    """Return the operator's keys, as the model has them."""
    return {
        (org, number): ApiKey(
            org,
            f"key {number}",
            [] if number == READER else list(ALL_SCOPES),
            datetime(2026, 1, 1 + number, tzinfo=UTC),
            id=hash_secret(_secret_of((org, number))),
        )
        for org, number in KEYS
    }


def _stored(key: Key, made: ApiKey) -> StoredKey:
    return StoredKey(
        key_hash=made.id or "",
        org_id=made.org,
        label=made.label,
        permission_set=PermissionSet.READ_ONLY if key[1] == READER else PermissionSet.FULL_ACCESS,
        created_at=made.created_at,
    )


def packed(archive: Archive) -> bytes:
    """Return an archive as it is sent."""
    return b"no archive at all" if archive.fault == "archive" else archive_of(dict(archive.files))


class Clients:
    """Sends the requests of all organisations, and counts what has been `sent`.

    While it `remembers`, it goes by what the authorizer has said of a key before. To ask each time takes longer.
    """

    def __init__(self, service: Service) -> None:
        self.service, self.tenants = service, service.services.tenants
        self.sent, self.remembers = 0, False
        self.secrets = {key: _secret_of(key) for key in KEYS}
        self._contexts: dict[Key, Any] = {}
        for org in ORGS:
            self.tenants.put_org(Org(org_id=org, slug=SLUGS[org], billing=BillingPosture.ACTIVE))
        for key, made in operators_keys().items():
            self.tenants.put_api_key(_stored(key, made))

    def _authorize(self, key: Key) -> bool:
        """Ask the authorizer, as the gateway does before each request."""
        event = {"type": "TOKEN", "authorizationToken": f"Bearer {self.secrets[key]}", "methodArn": _ARN}
        if not (self.remembers and key in self._contexts):
            try:
                self._contexts[key] = self.service.invoke("authorize", event)["context"]
            except Unauthorized:
                return False
        return True

    def send(self, operation: str, key: Key, args: Mapping[str, Any], once: str | None) -> Answer:
        """Send the request of an operation of the model, with what its method takes and an idempotency key.

        Of its arguments, `if_match` is a revision, `*`, or `new` for what must not exist; `host` is the organisation
        that the host names.
        """
        self.sent += 1
        if not self._authorize(key):
            return Answer(401, {}, _UNAUTHENTICATED)
        method, resource, _ = OPERATIONS[operation]
        fields = {name: value for name, value in args.items() if value is not None}
        path = resource
        for name in re.findall(r"{(\w+)}", resource):
            path = path.replace(f"{{{name}}}", quote(fields.pop("pack_id" if name == "id" else name)))
        headers = {"Host": f"{SLUGS[fields.pop('host', key[0])]}.{DOMAIN}", "Accept": "*/*"}
        if if_match := fields.pop("if_match", None):
            named = "*" if if_match in ("*", "new") else f'"{if_match}"'
            headers["If-None-Match" if if_match == "new" else "If-Match"] = named
        if once:
            headers["Idempotency-Key"] = once
        query = fields.pop("query", {}) | ({"dry_run": "true"} if fields.pop("dry_run", None) else {})
        request = Request(method=method, resource=resource, path=path, query=query)
        body, stated = _body(method, fields)
        event = replace(request, headers=headers | stated, body=body).event()
        event["requestContext"]["authorizer"] = self._contexts[key]
        raw = self.service.invoke(function_of(operation), event)
        if operation == "get_file" and raw["statusCode"] == 200:
            body = base64.b64decode(raw["body"]) if raw["isBase64Encoded"] else raw["body"].encode()
            raw["body"] = None
            return Answer(200, Answer.of(raw).headers, body)
        answer = Answer.of(raw)
        assert_documented(method, resource, answer.status, answer.body)
        assert "X-Request-Id" in answer.headers
        return answer

    def pull(self, login: Login, owner: str, name: str, digest: str) -> Answer:
        """Ask the distribution door for an image, with a role's login."""
        token = (door := DoorClient(service=self.service)).token(login.role_id, login.password)
        if token.status != 200:
            return Answer(token.status, {}, None)
        door = replace(door, bearer=json.loads(token.body)["token"])
        return Answer(door.manifest(f"{owner}/{name}", digest).status, {}, None)


def _body(method: str, fields: dict[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    """Return what a request states in its body, and the headers that say how."""
    match fields:
        case {"deletions": deletions, "files": files}:
            return changes_form(files or None, deletions)
        case {"archive": archive}:
            others = {name: value.encode() for name, value in fields.items() if name != "archive"}
            return multipart({"archive": packed(archive)} | others)
        case {"content": content}:
            return content, {}
    if method in ("GET", "DELETE"):
        return None, {}
    return json.dumps(fields, default=str).encode(), {"Content-Type": "application/json"}
