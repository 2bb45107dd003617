"""The operations on webhooks; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.operation import JSON_FAULTS, Answer, Operation
from packyard.http import page_limit, webhooks
from packyard.http.idempotency import IDEMPOTENCY_KEY
from packyard.http.preconditions import IF_MATCH
from packyard.tenants.caller import READ_AUDIT, WRITE_HOOKS

_TAG: Final = "Webhooks"
_DELIVERY_ID: Final = "01JQ2V7N3T5W8XABCDEFGHJKMN"
_WEBHOOK: Final[dict[str, Any]] = {
    "id": "whk_01JQ2V7N3T5W8XABCDEFGHJKMN",
    "url": "https://example.com/packyard",
    "types": ["revision.withdrawn", "role.withdrawn_pin"],
    "state": "active",
    "created_at": "2026-03-01T12:00:00.000Z",
    "created_by": "user:ada",
    "revision": 1,
}
_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105 - an example
_ETAG: Final = {
    "ETag": "The webhook's revision, in quotes, with something after `@` while it fails: what If-Match takes."
}
_DELIVERY: Final[dict[str, Any]] = {
    "id": _DELIVERY_ID,
    "type": "revision.withdrawn",
    "status": "retrying",
    "attempts": 2,
    "first_at": "2026-03-01T12:00:00.000Z",
    "last_at": "2026-03-01T12:00:32.000Z",
    "next_at": "2026-03-01T12:01:07.000Z",
    "response_status": 503,
    "error": "status",
}


def _webhook(description: str) -> Answer:
    return Answer(description=description, model="Webhook", example=_WEBHOOK, headers=_ETAG)


def _with_secret(description: str) -> Answer:
    return Answer(
        description=description,
        model="WebhookWithSecret",
        example=_WEBHOOK | {"secret": _SECRET},
        headers={"Cache-Control": "no-store", **_ETAG},
    )


def _asked(description: str) -> Answer:
    return Answer(description=description, model="DeliveryAsked", example={"delivery_id": _DELIVERY_ID})


WEBHOOK_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="webhooks",
        name="list_webhooks",
        method="get",
        path="/webhooks",
        tag=_TAG,
        summary="List your organisation's webhooks",
        description="All of them, of which there are at most 20. The secrets are not shown.",
        answers={
            200: Answer(description="The webhooks.", model="WebhookList", example={"webhooks": [_WEBHOOK]})
        },
    ),
    Operation(
        function="webhooks",
        name="create_webhook",
        method="post",
        path="/webhooks",
        tag=_TAG,
        summary="Make a webhook",
        description="Events are sent to the URL by POST, as Standard Webhooks 1.0 says: the headers `webhook-id`, "
        "`webhook-timestamp` and `webhook-signature`, and a body of JSON with `type`, `timestamp`, `data` and the "
        "other fields of the event. The secret is in this answer and nowhere else. Any answer of 2xx within 10 "
        "seconds means that the event was taken; what fails is tried again for 24 hours.",
        headers=[IDEMPOTENCY_KEY],
        body=webhooks.WEBHOOK_REQUEST,
        example={
            "url": "https://example.com/packyard",
            "types": ["revision.withdrawn", "role.withdrawn_pin"],
        },
        answers={201: _with_secret("The new webhook, with its secret.")},
        refusals=[*JSON_FAULTS, "already_created", "quota_exceeded"],
        writes=True,
        scope=WRITE_HOOKS,
    ),
    Operation(
        function="webhooks",
        name="get_webhook",
        method="get",
        path="/webhooks/{webhook_id}",
        tag=_TAG,
        summary="Read a webhook",
        answers={200: _webhook("The webhook.")},
        refusals=["webhook_not_found"],
    ),
    Operation(
        function="webhooks",
        name="change_webhook",
        method="patch",
        path="/webhooks/{webhook_id}",
        tag=_TAG,
        summary="Change, disable or enable a webhook",
        headers=[IF_MATCH],
        body=webhooks.WEBHOOK_CHANGE,
        example={"state": "active"},
        answers={200: _webhook("The webhook as it is now.")},
        refusals=[*JSON_FAULTS, "webhook_not_found", "precondition_failed"],
        writes=True,
        scope=WRITE_HOOKS,
    ),
    Operation(
        function="webhooks",
        name="delete_webhook",
        method="delete",
        path="/webhooks/{webhook_id}",
        tag=_TAG,
        summary="Delete a webhook",
        description="What is on its way to it is not sent any more.",
        headers=[IF_MATCH],
        answers={
            200: Answer(description="It is gone.", model="DeletedWebhook", example={"status": "deleted"})
        },
        refusals=["webhook_not_found", "precondition_failed"],
        writes=True,
        scope=WRITE_HOOKS,
    ),
    Operation(
        function="webhooks",
        name="rotate_secret",
        method="post",
        path="/webhooks/{webhook_id}/rotate",
        tag=_TAG,
        summary="Give a webhook a new secret",
        description="The secret is in this answer and nowhere else. The one before signs too for 24 hours more.",
        headers=[IDEMPOTENCY_KEY, IF_MATCH],
        answers={200: _with_secret("The webhook, with its new secret.")},
        refusals=[
            *JSON_FAULTS,
            "webhook_not_found",
            "already_created",
            "quota_exceeded",
            "precondition_failed",
        ],
        writes=True,
        scope=WRITE_HOOKS,
    ),
    Operation(
        function="webhook_deliveries",
        name="send_test",
        method="post",
        path="/webhooks/{webhook_id}/test",
        tag=_TAG,
        summary="Try a webhook out",
        description="Sends the type `webhook.test`, once, even while the webhook is disabled. What came of it is in "
        "the list of deliveries a moment later.",
        headers=[IDEMPOTENCY_KEY],
        answers={202: _asked("The test is on its way.")},
        refusals=[*JSON_FAULTS, "webhook_not_found"],
        writes=True,
        scope=WRITE_HOOKS,
    ),
    Operation(
        function="webhook_deliveries",
        name="list_deliveries",
        method="get",
        path="/webhooks/{webhook_id}/deliveries",
        tag=_TAG,
        summary="List the deliveries to a webhook",
        description="Those of the last seven days, the newest event first. Bodies of answers are not kept.",
        query=page_limit.PAGE_QUERY,
        answers={
            200: Answer(description="A page.", model="DeliveryPage", example={"deliveries": [_DELIVERY]})
        },
        refusals=["webhook_not_found"],
        scope=READ_AUDIT,
    ),
    Operation(
        function="webhook_deliveries",
        name="send_again",
        method="post",
        path="/webhooks/{webhook_id}/deliveries/{delivery_id}/redelivery",
        tag=_TAG,
        summary="Send the event of a delivery again",
        description="Under the same `webhook-id`, so a receiver that remembers ids knows it. It is tried for 24 hours "
        "anew.",
        headers=[IDEMPOTENCY_KEY],
        answers={202: _asked("The event is on its way again.")},
        refusals=[*JSON_FAULTS, "webhook_not_found"],
        writes=True,
        scope=WRITE_HOOKS,
    ),
)
