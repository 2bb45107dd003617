"""The operations on trusted publishers, and the exchange of tokens; see `api.operations`."""

from collections.abc import Sequence
from typing import Any, Final

from api.operation import JSON_FAULTS, Answer, Operation
from packyard.http import page_limit, publishers, token_exchange
from packyard.http.idempotency import IDEMPOTENCY_KEY
from packyard.tenants.caller import WRITE_KEYS

_TAG: Final = "Trusted publishers"
_CLAIMS: Final = {"repository": "acme/slack-pack", "workflow": "release.yml"}
_PUBLISHER: Final[dict[str, Any]] = {
    "id": "pub_01JQ2V7N3T5W8XABCDEFGHJKMN",
    "pack_name": "slack",
    "issuer": "github",
    "claims": _CLAIMS,
    "pinned": {"repository_id": "123456789", "repository_owner_id": "98765"},
    "created_at": "2026-03-01T12:00:00.000Z",
    "created_by": "user:ada",
}
_KEY: Final[dict[str, Any]] = {
    "key": "sk_Zm9yIHRoZSBkb2N1bWVudCwgYW5kIG5vdGhpbmcgZWx",
    "expires_at": "2026-03-01T12:15:00.000Z",
    "pack_name": "slack",
    "scopes": ["caps:write"],
}

PUBLISHER_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="trusted_publishers",
        name="list_trusted_publishers",
        method="get",
        path="/trusted-publishers",
        tag=_TAG,
        summary="List whose CI may publish your organisation's packs",
        description="A key for one pack sees those of that pack.",
        query=page_limit.PAGE_QUERY,
        answers={
            200: Answer(
                description="A page, by pack.",
                model="TrustedPublisherPage",
                example={"publishers": [_PUBLISHER]},
            )
        },
    ),
    Operation(
        function="trusted_publishers",
        name="add_trusted_publisher",
        method="post",
        path="/trusted-publishers",
        tag=_TAG,
        summary="Let a CI publish a pack without a stored secret",
        description="Runs of that CI get keys from `POST /oidc/exchange`. Ids that are left out are those of the first "
        "token: after that, a repository that was deleted and made again by somebody else is not this publisher, and "
        "one that was renamed still is. It takes `caps:write` as well, which the keys have. It ends when the API key "
        "that added it ends.",
        headers=[IDEMPOTENCY_KEY],
        body=publishers.PUBLISHER_REQUEST,
        example={"pack_name": "slack", "issuer": "github", "claims": _CLAIMS},
        answers={
            201: Answer(description="The publisher.", model="TrustedPublisher", example=_PUBLISHER),
        },
        refusals=[*JSON_FAULTS, "quota_exceeded"],
        writes=True,
        scope=WRITE_KEYS,
    ),
    Operation(
        function="trusted_publishers",
        name="remove_trusted_publisher",
        method="delete",
        path="/trusted-publishers/{publisher_id}",
        tag=_TAG,
        summary="Remove a trusted publisher",
        description="Keys that were exchanged before work until they end, for at most 15 minutes.",
        answers={
            200: Answer(description="It is gone.", model="RemovedPublisher", example={"status": "deleted"})
        },
        refusals=["publisher_not_found"],
        writes=True,
        scope=WRITE_KEYS,
    ),
    Operation(
        function="exchange_oidc",
        name="exchange_oidc",
        method="post",
        path="/oidc/exchange",
        tag=_TAG,
        summary="Exchange a token of CI for a key",
        description="Takes no credential but the token, an OpenID Connect ID token whose `aud` is exactly the "
        "deployment's URL, `#`, and the organisation's slug, such as `https://acme.packyard.example/v1#acme`. Each "
        "token is exchanged once. The key is for this pack alone, has `caps:write`, and ends after 15 minutes. The "
        "history and the events name the run of CI that has it. A refusal names the claims that are wrong, and what is "
        "configured only to a token of the owner that is configured.",
        body=token_exchange.EXCHANGE_REQUEST,
        example={
            "token": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V4YW1wbGUuY29tIn0.c2lnbmF0dXJl",
            "org": "acme",
            "pack_name": "slack",
        },
        answers={
            200: Answer(
                description="The key, this once.",
                model="ExchangedKey",
                example=_KEY,
                headers={"Cache-Control": "no-store"},
            )
        },
        refusals=[*JSON_FAULTS, "unauthenticated"],
        signed_in=False,
    ),
)
