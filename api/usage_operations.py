"""The operations on usage; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.operation import Answer, Operation
from packyard.tenants.caller import READ_AUDIT

_USAGE: Final[dict[str, Any]] = {
    "packs": {"used": 12, "limit": 100},
    "stored_bytes": {"used": 734_003_200, "limit": 10_737_418_240},
    "publishes_a_day": {"used": 7, "limit": 200, "resets_at": "2026-03-02T00:00:00.000Z"},
    "builds_at_once": {"used": 1, "limit": 4},
}

USAGE_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="get_usage",
        method="get",
        path="/usage",
        tag="Usage",
        summary="Read what your organisation uses, and of what",
        description="The operator sets the limits. A publish over the limit of packs or bytes is 409 "
        "`quota_exceeded`; delete something to get room. One over the limit of the day is 429 `rate_limited` with "
        "`Retry-After`. A staged archive over the limit of builds waits for its turn. A dry run is refused like the "
        "publish, and uses up nothing. A key for one pack cannot read the usage.",
        answers={
            200: Answer(description="What is used, of what, until when.", model="Usage", example=_USAGE)
        },
        scope=READ_AUDIT,
    ),
)
