"""The operations on events; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.examples import DIGEST, PACK_ID
from api.operation import Answer, Operation
from packyard.http import events
from packyard.tenants.caller import READ_AUDIT

_EVENT: Final[dict[str, Any]] = {
    "id": "01JQ2V7N3T5W8XABCDEFGHJKMN",
    "type": "pack.updated",
    "at": "2026-03-01T12:00:00.000Z",
    "actor": "user:ada",
    "request_id": "6f1c2f0e-8a55-4b7c-9d0e-0d7a4c1e2b3f",
    "pack_id": PACK_ID,
    "revision": 4,
    "data": {
        "operation": "reupload",
        "name": "slack",
        "version": "1.4.0",
        "image_digest": DIGEST,
        "version_before": "1.3.2",
    },
}

EVENT_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="list_events",
        method="get",
        path="/events",
        tag="Events",
        summary="List what your organisation has accepted",
        description="Every accepted write is one event; a consent to capabilities is one more. An event is listed when "
        "it is ten seconds old. So a reader who goes on with `after` and the last id misses none. With more than one "
        "of `type`, `pack_id`, `role_id` and `actor`, a page may hold few events or none although more follow: go on "
        "while there is `next_cursor`. A key for one pack cannot list events.",
        query=events.QUERY,
        answers={
            200: Answer(
                description="A page: the newest first, or the oldest first with `after`.",
                model="EventPage",
                example={"events": [_EVENT]},
            )
        },
        scope=READ_AUDIT,
    ),
)
