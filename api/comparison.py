"""The operations that read one revision, compare two, and list what references a pack."""

from typing import Final

from api import examples
from api.operation import Answer, Operation
from packyard.http import diff, page_limit

_PACKS: Final = "Packs"
_FILE: Final = {"size": 2048, "mode": "0644", "digest": f"sha256:{'2' * 64}"}
_DIFF: Final = {
    "from": 3,
    "to": 4,
    "files": {
        "added": [{"path": "guides/threads.md", **_FILE}],
        "removed": [],
        "changed": [{"path": "pack.yaml", "from": _FILE, "to": _FILE | {"digest": f"sha256:{'3' * 64}"}}],
    },
    "manifest": ["version"],
    "capabilities": {"widened": False, "added": [], "removed": []},
    "bump": "minor",
}
_REVISION: Final = examples.PACK | {
    "revision": 3,
    "operation": "upload",
    "status": "active",
    "actor": "key:0123456789abcdef",
}
_REFERENCES: Final = {
    "roles": [{"role_id": "support-agent", "revision": 3, "follow": False, "stale": True}],
    "others": 2,
}

OPERATIONS: Final = (
    Operation(
        function="list_revisions",
        name="get_revision",
        method="get",
        path="/packs/{id}/revisions/{n}",
        tag=_PACKS,
        summary="Read a pack as it was at a revision",
        description="Its owner sees every revision. Others see those since the pack was last shared.",
        answers={200: Answer(description="The pack as it was.", model="PackRevision", example=_REVISION)},
        refusals=["pack_not_found", "revision_not_found"],
    ),
    Operation(
        function="get_diff",
        method="get",
        path="/packs/{id}/diff",
        tag=_PACKS,
        summary="Compare two revisions of a pack",
        description="Files are compared by digest and mode, capabilities by the requests that they allow. No content "
        "is read. With `as=url`, the answer is a short-lived URL of the body and its digest.",
        query=diff.QUERY,
        answers={
            200: Answer(description="What differs.", model="Diff", other="Elsewhere", example=_DIFF),
            302: Answer(
                description="Too large for one answer: Location has a short-lived URL of it.",
                media_type=None,
                headers={"Location": "A short-lived URL."},
            ),
        },
        refusals=["pack_not_found", "revision_not_found", "registry_unavailable"],
    ),
    Operation(
        function="list_revisions",
        name="list_references",
        method="get",
        path="/packs/{id}/references",
        tag=_PACKS,
        summary="List the roles that reference a pack",
        description="The roles of your organisation. The pack's owner learns also how many roles of others there are.",
        query=page_limit.PAGE_QUERY,
        answers={200: Answer(description="A page.", model="ReferencePage", example=_REFERENCES)},
        refusals=["pack_not_found"],
    ),
)
