"""The operations of the doors; see `api.operations`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from api.examples import DIGEST, LOCK
from api.operation import ANYTHING, Answer, Operation
from packyard.http.lock import QUERY as LOCK_QUERY

_TAG: Final = "Doors"
_ROLE: Final = "/doors/roles/{role_id}"
_FEED: Final = "/f/{secret}"
_HEX: Final = DIGEST.removeprefix("sha256:")
_ZIP: Final = Answer(
    description="A zip: Location has a short-lived URL.",
    media_type=None,
    headers={"Location": "A short-lived URL.", "ETag": "The digest of the zip, in quotes."},
)
_INDEX: Final[dict[str, Any]] = {
    "$schema": "https://schemas.agentskills.io/discovery/0.2.0/schema.json",
    "skills": [
        {
            "name": "slack",
            "type": "archive",
            "description": "Post and read messages.",
            "url": "../../zips/slack-9f86d081884c.zip",
            "digest": DIGEST,
        }
    ],
}
_MARKETPLACE: Final[dict[str, Any]] = {
    "name": "acme-support",
    "owner": {"name": "acme"},
    "description": "Content packs of acme",
    "plugins": [
        {
            "name": "slack",
            "version": "1.4.0+9f86d081884c",
            "description": "Post and read messages.",
            "source": {
                "source": "archive",
                "url": "https://acme.packs.example/v1/doors/roles/support/zips/slack-9f86d081884c.zip",
                "sha256": _HEX,
            },
        }
    ],
}
_MCP: Final[dict[str, Any]] = {
    "jsonrpc": "2.0",
    "id": 1,
    "result": {"resultType": "complete", "skills": [], "ttlMs": 0, "cacheScope": "private"},
}

_OF_ROLES: Final[Sequence[Operation]] = (
    Operation(
        function="door_marketplace",
        method="get",
        path=f"{_ROLE}/marketplace.json",
        tag=_TAG,
        summary="Read a role's packs as a plugin marketplace of Claude Code",
        description="`claude plugin marketplace add` takes its URL. A pack that is withdrawn leaves it.",
        answers={200: Answer(description="The marketplace.", model="Marketplace", example=_MARKETPLACE)},
        refusals=["role_not_found", "payload_too_large"],
    ),
    Operation(
        function="door_mcp",
        method="post",
        path=f"{_ROLE}/mcp",
        tag=_TAG,
        summary="Read a role's packs as an MCP client",
        description="One JSON-RPC request of MCP 2026-07-28 with the extension for skills: `server/discover`, "
        "`skills/list`, `skills/get`, `resources/read` of `skill://<owner>/<pack>/<path>`.",
        takes_bytes=True,
        answers={
            200: Answer(
                description="The answer of JSON-RPC, which may be an error.", model="JsonRpc", example=_MCP
            ),
            202: Answer(description="The request was a notification.", media_type=None),
        },
        refusals=["role_not_found", "payload_too_large", "registry_unavailable"],
    ),
    Operation(
        function="door_mcp",
        name="refuse_mcp_stream",
        method="get",
        path=f"{_ROLE}/mcp",
        tag=_TAG,
        summary="Is not taken: there are no streams",
        answers={},
        refusals=["method_not_allowed"],
    ),
    Operation(
        function="door_bundle",
        name="read_lock_json",
        method="get",
        path=f"{_ROLE}/lock.json",
        tag=_TAG,
        summary="Read a role's lock document",
        description="As `GET /agent-roles/{role_id}/lock`.",
        query=LOCK_QUERY,
        answers={
            200: Answer(description="The document.", model="Lock", example=LOCK),
            302: Answer(
                description="Too large for one answer: Location has a short-lived URL of it.",
                media_type=None,
                headers={"Location": "A short-lived URL."},
            ),
        },
        refusals=["role_not_found", "registry_unavailable"],
    ),
    Operation(
        function="door_bundle",
        name="read_bundle",
        method="get",
        path=f"{_ROLE}/bundle.tar",
        tag=_TAG,
        summary="Download all images of a role, for a site without a network",
        description="An OCI image layout: the images and the statements about them, and the lock beside `oci-layout`. "
        "Each image has its flat name as `org.opencontainers.image.ref.name`. It is made when it is asked for; the "
        "same pins give the same bytes. At most 2 GiB.",
        answers={
            202: Answer(
                description="It is being made.",
                model="BeingMade",
                example={"status": "being_made"},
                headers={"Retry-After": "Seconds."},
            ),
            302: Answer(
                description="It is there: Location has a short-lived URL.",
                media_type=None,
                headers={"Location": "A short-lived URL."},
            ),
        },
        refusals=["role_not_found", "payload_too_large"],
    ),
    Operation(
        function="door_clawhub",
        method="get",
        path=f"{_ROLE}/api/{{path}}",
        tag=_TAG,
        summary="Read a role's packs as a client of ClawHub",
        description="The read side of ClawHub's API, version 1: the role's URL is the registry's. Errors are text.",
        answers={
            200: Answer(description="As ClawHub answers.", media_type=ANYTHING),
            302: _ZIP,
        },
        refusals=[
            "validation_error",
            "role_not_found",
            "pack_not_found",
            "file_not_found",
            "registry_unavailable",
        ],
    ),
    Operation(
        function="door_agent_skills",
        method="get",
        path=f"{_ROLE}/{{path}}",
        tag=_TAG,
        summary="Read a role's packs as Agent Skills",
        description="`.well-known/agent-skills/index.json` is the index of all packs; `<name>/` before it: "
        "of that one. `zips/<name>-<image>.zip` is what an entry's `url` leads to.",
        answers={200: Answer(description="The index.", model="SkillsIndex", example=_INDEX), 302: _ZIP},
        refusals=["role_not_found", "pack_not_found", "payload_too_large"],
    ),
)


def _of_feed(operation: Operation) -> Operation:
    """Return the same below a feed's address, which needs no credential."""
    return replace(
        operation,
        name=f"{operation.name or operation.function}_of_feed",
        path=operation.path.replace(_ROLE, _FEED),
        summary=operation.summary.replace("a role's packs", "a feed's packs").replace(
            "of a role", "of a feed"
        ),
        refusals=[code.replace("role_not_found", "feed_not_found") for code in operation.refusals]
        if "role_not_found" in operation.refusals
        else [*operation.refusals, "feed_not_found"],
        signed_in=False,
    )


DOOR_OPERATIONS: Final[Sequence[Operation]] = (*_OF_ROLES, *map(_of_feed, _OF_ROLES))
