"""The operations of the doors; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.examples import DIGEST
from api.operation import ANYTHING, Answer, Operation

_TAG: Final = "Doors"
_ROLE: Final = "/doors/roles/{role_id}"
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

DOOR_OPERATIONS: Final[Sequence[Operation]] = (
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
        description="`.well-known/agent-skills/index.json` is the index of all packs, with `<name>/` before it that "
        "of one. `zips/<name>-<image>.zip` is what an entry's `url` leads to.",
        answers={200: Answer(description="The index.", model="SkillsIndex", example=_INDEX), 302: _ZIP},
        refusals=["role_not_found", "pack_not_found", "payload_too_large"],
    ),
)
