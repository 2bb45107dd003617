"""A client of the deployed API that shares no code with the service."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from local.stack import StackDescription
from tests.documented import assert_documented
from tests.service import PackArchive

UNKNOWN = "pack_01KB0000000000000000000000"
# A trace, an ARN, an API key.
_INSIDE = re.compile(r"Traceback|Exception|arn:aws|\bsk_[0-9A-Za-z_-]")
_SECONDS_OF_ATTESTING: Final = 120
# What changes without a new revision: whether the image is withdrawn, and whether it has statements.
_STATES: Final = frozenset({"status", "attestations"})


@dataclass(frozen=True)
class Reply:
    """An answer off the wire."""

    status: int
    headers: Any
    body: Any

    @property
    def code(self) -> str:
        """The error's code."""
        code = self.body["error"]["code"]
        assert isinstance(code, str)
        return code

    @property
    def revision(self) -> int:
        """The revision in the entity tag of a pack for its owner; what else the tag says changes at any time."""
        return int(self.headers["ETag"].strip('"').partition("@")[0])


@dataclass(frozen=True)
class Client:
    """Calls the API with one key, or with none."""

    stack: StackDescription
    http: urllib3.PoolManager
    key: str | None = None

    @classmethod
    def of(
        cls, stack: StackDescription, org: str | None = None, permission_set: str = "full_access"
    ) -> "Client":
        """Return a client with an organisation's API key, or without a credential."""
        key = stack["orgs"][org]["keys"][permission_set] if org else None
        return cls(stack, urllib3.PoolManager(retries=False, timeout=60), key)

    def call(self, method: str, path: str, **kwargs: Any) -> Reply:
        """Send a request; an answer without a JSON body has None."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= kwargs.pop("headers", {})
        answer = self.http.request(method, self.stack["api_url"] + path, headers=headers, **kwargs)
        is_json = answer.headers.get("Content-Type", "").partition(";")[0] == "application/json"
        body = json.loads(answer.data) if answer.data and is_json else None
        assert_documented(method, path, answer.status, body)
        return Reply(answer.status, answer.headers, body)

    def upload(self, archive: bytes, **fields: str) -> Reply:
        """Post an archive."""
        form = {"archive": ("pack.tar.gz", archive, "application/gzip"), **fields}
        return self.call("POST", "/packs/upload", fields=form)

    def published(self, name: str, **fields: str) -> dict[str, Any]:
        """Post an archive of a name, and return the pack that it has become."""
        reply = self.upload(PackArchive(name=name).build(), **fields)
        assert reply.status == 201, reply.body
        pack: dict[str, Any] = reply.body
        return pack

    def attested(self, pack_id: str) -> dict[str, Any]:
        """Return the statements about a pack's image, as soon as they are there."""
        deadline = time.monotonic() + _SECONDS_OF_ATTESTING
        while time.monotonic() < deadline:
            answer = self.call("GET", f"/packs/{pack_id}/attestations")
            assert answer.status == 200, answer.body
            if answer.body["attestations"] == "attached":
                body: dict[str, Any] = answer.body
                return body
            assert answer.body["attestations"] == "pending"
            time.sleep(0.5)
        raise AssertionError("no statements came")


def without_states(pack: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every answer says of a pack at the same revision."""
    return {name: value for name, value in pack.items() if name not in _STATES}


def assert_refused(reply: Reply, status: int, code: str) -> dict[str, Any]:
    """Check a refusal, and that it tells nothing of the inside; return its details."""
    assert (reply.status, reply.code) == (status, code), reply.body
    assert reply.headers["Content-Type"].startswith("application/json")
    error: dict[str, Any] = reply.body["error"]
    assert error["request_id"] == reply.headers["X-Request-Id"]
    assert error.keys() <= {"code", "message", "request_id", "details"}
    assert _INSIDE.search(json.dumps(reply.body)) is None
    details: dict[str, Any] = error.get("details", {})
    return details
