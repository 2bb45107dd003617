"""The operations of the operator; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.examples import PACK_ID
from api.operation import Answer, Operation
from packyard.http import page_limit
from packyard.tenants.caller import OPERATE

_TAG: Final = "Operator"
_ORG_ID: Final = "org_01jq2v7n3t5w8xabcdefghjkmn"
_DELETION: Final[dict[str, Any]] = {
    "pack_id": PACK_ID,
    "name": "slack",
    "org_id": _ORG_ID,
    "org_slug": "acme",
    "asked_at": "2026-03-01T12:00:00.000Z",
}
_QUEUES: Final[list[dict[str, Any]]] = [
    {"name": "build", "count": 0, "letters": []},
    {
        "name": "cleanup",
        "count": 1,
        "letters": [
            {
                "message_id": "219f8380-5770-4cc2-8c3e-5c715e145f5e",
                "sent_at": "2026-03-01T12:00:00.000Z",
                "subject": f"Finish the deletion of {PACK_ID}.",
            }
        ],
    },
]
_ORGANISATION: Final[dict[str, Any]] = {
    "id": _ORG_ID,
    "slug": "acme",
    "billing": "active",
    "platform": False,
    "usage": {
        "packs": {"used": 12, "limit": 100, "set": "own"},
        "stored_bytes": {"used": 734_003_200, "set": "default"},
        "publishes_a_day": {
            "used": 7,
            "limit": 200,
            "resets_at": "2026-03-02T00:00:00.000Z",
            "set": "default",
        },
        "builds_at_once": {"used": 1, "limit": 8, "set": "default"},
    },
}

OPERATOR_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="operator_view",
        name="list_deletions",
        method="get",
        path="/operator/deletions",
        tag=_TAG,
        summary="List the packs whose deletion is not finished",
        description="Of all organisations, the longest waiting first. They are retried by themselves; one that waits "
        "for hours is stuck. Only a key that the operator has issued with `--operate` may ask.",
        query=page_limit.PAGE_QUERY,
        answers={
            200: Answer(description="A page.", model="DeletionPage", example={"deletions": [_DELETION]})
        },
        scope=OPERATE,
    ),
    Operation(
        function="operator_view",
        name="list_dead_letters",
        method="get",
        path="/operator/dead-letters",
        tag=_TAG,
        summary="List the messages that were given up",
        description="For each queue how many there are, and what up to ten of them are about. The messages stay where "
        "they are, and nothing hides them from others meanwhile.",
        answers={
            200: Answer(
                description="All queues, by name.", model="DeadLetterQueues", example={"queues": _QUEUES}
            )
        },
        scope=OPERATE,
    ),
    Operation(
        function="operator_view",
        name="get_organisation",
        method="get",
        path="/operator/organisations/{org}",
        tag=_TAG,
        summary="Read what an organisation uses, and of what",
        description="Counts, and no content. `packyard admin quota set` changes the limits.",
        answers={200: Answer(description="The organisation.", model="Organisation", example=_ORGANISATION)},
        refusals=["organisation_not_found"],
        scope=OPERATE,
    ),
)
