"""The operations on API keys; see `api.operations`."""

from collections.abc import Sequence
from typing import Final

from api import examples
from api.operation import JSON_FAULTS, Answer, Operation
from packyard.http import keys, page_limit
from packyard.http.idempotency import IDEMPOTENCY_KEY
from packyard.tenants.caller import WRITE_KEYS

_KEYS: Final = "API keys"

KEY_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="keys",
        name="list_keys",
        method="get",
        path="/keys",
        tag=_KEYS,
        summary="List your organisation's API keys",
        description="The newest first, those included that were revoked in the last 30 days or have just expired. A "
        "key for one pack sees the keys for that pack only.",
        query=page_limit.PAGE_QUERY,
        answers={200: Answer(description="A page.", model="KeyPage", example={"keys": [examples.KEY]})},
    ),
    Operation(
        function="keys",
        name="create_key",
        method="post",
        path="/keys",
        tag=_KEYS,
        summary="Make an API key",
        description="The key never allows more than the credential that makes it: its scopes, its pack, its end. The "
        "secret is in this answer and nowhere else. An organisation has at most 100 keys that can be used.",
        headers=[IDEMPOTENCY_KEY],
        body=keys.KEY_REQUEST,
        example={
            "label": "CI of slack-pack",
            "scopes": ["caps:write"],
            "pack_name": "slack",
            "expires_in": 7776000,
        },
        answers={
            201: Answer(
                description="The new key, with its secret.",
                model="IssuedKey",
                example=examples.KEY | {"key": "sk_q3ZbVQ0m3v1kqkJ0hJ8m2yq5o0aQe1b8sWc7xR4tYzA"},
                headers={"Cache-Control": "no-store"},
            )
        },
        refusals=[*JSON_FAULTS, "already_created", "quota_exceeded"],
        writes=True,
        scope=WRITE_KEYS,
    ),
    Operation(
        function="keys",
        name="revoke_key",
        method="delete",
        path="/keys/{key_id}",
        tag=_KEYS,
        summary="Revoke an API key",
        description="No request can use the key any more. Repeating is safe.",
        answers={200: Answer(description="The revoked key.", model="Key", example=examples.REVOKED_KEY)},
        refusals=["key_not_found"],
        writes=True,
        scope=WRITE_KEYS,
    ),
)
