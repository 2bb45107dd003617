"""The operations on feeds; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.operation import Answer, Operation
from packyard.http import feeds, page_limit
from packyard.http.idempotency import IDEMPOTENCY_KEY
from packyard.tenants.caller import WRITE_ROLES

_TAG: Final = "Feeds"
_FEED: Final[dict[str, Any]] = {
    "id": "feed_01JQ2V7N3T5W8XABCDEFGHJKMN",
    "role_id": "support-agent",
    "label": "laptops of the support team",
    "created_at": "2026-03-01T12:00:00.000Z",
    "created_by": "user:ada",
}
_SERVED: Final[dict[str, Any]] = {"serves": ["pack_01JQ2V7N3T5W8XABCDEFGHJKMN"], "leaves_out": []}
_UNFIT: Final[dict[str, Any]] = {
    "serves": [],
    "leaves_out": [
        {
            "pack_id": "pack_01JQ2V7N3T5W8XABCDEFGHJKMN",
            "owner": "acme",
            "name": "slack",
            "reason": "it has 700 files, and the client takes 512",
        }
    ],
}
_URL: Final = "https://acme.packyard.example/v1/f/pyf_Zm9yIHRoZSBkb2N1bWVudCwgYW5kIG5vdGhpbmcgZWx/"

FEED_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="feeds",
        name="list_feeds",
        method="get",
        path="/feeds",
        tag=_TAG,
        summary="List your organisation's feeds",
        description="Those that have expired are listed until somebody removes them.",
        query=page_limit.PAGE_QUERY,
        answers={
            200: Answer(description="A page, the newest first.", model="FeedPage", example={"feeds": [_FEED]})
        },
    ),
    Operation(
        function="feeds",
        name="create_feed",
        method="post",
        path="/feeds",
        tag=_TAG,
        summary="Make an address that agents' own clients read packs from",
        description="Of a role, at the revisions that it pins, or of up to 100 packs, at their current revisions. Such "
        "clients cannot send a credential, so the address holds a secret: whoever has it may read what it serves. What "
        "your organisation cannot see any more is not served any more. An organisation has up to 100 feeds. A feed "
        "never lives longer than the API key that makes it.",
        headers=[IDEMPOTENCY_KEY],
        body=feeds.FEED_REQUEST,
        example={"role_id": "support-agent", "label": "laptops of the support team"},
        answers={
            201: Answer(
                description="The feed and, this once, its address.",
                model="MadeFeed",
                example={**_FEED, "url": _URL},
                headers={"Cache-Control": "no-store"},
            )
        },
        refusals=[
            "payload_too_large",
            "unsupported_media_type",
            "role_not_found",
            "pack_not_found",
            "already_created",
            "quota_exceeded",
        ],
        writes=True,
        scope=WRITE_ROLES,
    ),
    Operation(
        function="feeds",
        name="get_feed",
        method="get",
        path="/feeds/{feed_id}",
        tag=_TAG,
        summary="Read a feed",
        answers={
            200: Answer(
                description="The feed, what is known of its use, and what each door serves and leaves out.",
                model="FeedState",
                example={
                    **_FEED,
                    "last_seen": "2026-03-02",
                    "networks": 3,
                    "doors": dict.fromkeys(
                        ("agent_skills", "marketplace", "clawhub", "skill_artifact"), _SERVED
                    )
                    | {"mcp": _UNFIT},
                    "preparing": [],
                },
            )
        },
        refusals=["feed_not_found"],
    ),
    Operation(
        function="feeds",
        name="remove_feed",
        method="delete",
        path="/feeds/{feed_id}",
        tag=_TAG,
        summary="Remove a feed",
        description="Its address is refused from the next request on. What clients have installed stays with them.",
        answers={200: Answer(description="It is gone.", model="Deleted", example={"status": "deleted"})},
        refusals=["feed_not_found"],
        writes=True,
        scope=WRITE_ROLES,
    ),
)
