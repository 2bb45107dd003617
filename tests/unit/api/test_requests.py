"""What the document says of a request's values is what the readers of requests take (decision 74)."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from api.artefacts import document
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from openapi_schema_validator import OAS31Validator
from tests.gateway import Request
from tests.service import ACME

from packyard.errors import InvalidRequest
from packyard.http.clone import read_clone
from packyard.http.feeds import read_feed_request
from packyard.http.image_ref import read_registration, read_replacement
from packyard.http.keys import read_key_request
from packyard.http.listing import read_listing
from packyard.http.pack_change import read_pack_change
from packyard.http.pack_scan import read_override
from packyard.http.publishers import read_publisher_request
from packyard.http.pull_login import read_login
from packyard.http.retention import read_keep
from packyard.http.roles import read_assignment, read_refresh, require_role_id
from packyard.http.scan_policy import read_scan_policy
from packyard.http.signature_policy import read_signature_policy
from packyard.http.token_exchange import read_exchange
from packyard.http.uploads import read_start
from packyard.http.version_policy import read_policy
from packyard.http.webhooks import read_webhook_change, read_webhook_request
from packyard.http.withdrawal import read_reason
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.role import MAX_PACKS

DOCUMENT = document()
PACK_IDS = [f"pack_01JQ2V7N3T5W8XABCDEFGH{number:04d}" for number in range(MAX_PACKS + 1)]
READERS: dict[str, Callable[[APIGatewayProxyEvent], object]] = {
    "CloneRequest": read_clone,
    "FeedRequest": read_feed_request,
    "KeyRequest": read_key_request,
    "PackChange": read_pack_change,
    "Registration": read_registration,
    "Replacement": read_replacement,
    "RetentionPolicy": read_keep,
    "RoleAssignment": read_assignment,
    "ScanOverrideRequest": lambda event: read_override(event, limits=ArchiveLimits()),
    "ScanPolicyChange": read_scan_policy,
    "RoleRefresh": read_refresh,
    "PullLoginRequest": read_login,
    "TokenExchangeRequest": lambda event: read_exchange(
        event, api_domain="", public_url="https://packyard.example/v1"
    ),
    "TrustedPublisherRequest": read_publisher_request,
    "SignaturePolicyChange": read_signature_policy,
    "UploadStart": lambda event: read_start(event, max_bytes=1 << 40),
    "VersionPolicyChange": read_policy,
    "WebhookChange": read_webhook_change,
    "WebhookRequest": read_webhook_request,
    "WithdrawalRequest": read_reason,
}
BASES: dict[str, dict[str, Any]] = {
    "TokenExchangeRequest": {"token": "eyJ.eyJ.x", "org": "acme", "pack_name": "slack"},
    "TrustedPublisherRequest": {"pack_name": "slack", "issuer": "https://ci.example", "claims": {"sub": "x"}},
    "KeyRequest": {"label": "ci", "scopes": []},
    "Registration": {"image_ref": "ghcr.io/acme/slack-pack:1.4.0"},
    "SignaturePolicyChange": {"rules": []},
    "ScanOverrideRequest": {
        "rule": "secret.github-token",
        "path": "guides/start.md",
        "reason": "It has been revoked.",
        "expires_at": "2027-01-31T00:00:00Z",
    },
    "WebhookRequest": {"url": "https://example.com/packyard"},
}
# A field that goes with others.
COMPANIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("FeedRequest", "label"): {"role_id": "support"},
    ("FeedRequest", "expires_in"): {"role_id": "support"},
    ("RoleAssignment", "accept_capabilities"): {"pack_ids": []},
    ("TrustedPublisherRequest", "issuer_url"): {"issuer": "gitlab", "claims": {"project_id": "7"}},
    ("UploadStart", "kind"): {"pack_id": "pack_01JQ2V7N3T5W8XABCDEFGH0000"},
    ("UploadStart", "delete"): {"pack_id": "pack_01JQ2V7N3T5W8XABCDEFGH0000", "kind": "changes"},
}
VALUES: list[Any] = [
    *(60, 60.0, 86_400.5, ["caps:write"], ["caps:write", "full_access"], ["caps:write"] * 2, ["caps:fly"]),
    *("https://ci.example", {"sub": "x"}),
    *(None, True, False, 0, 1, -1, 1.5, 2.0, 1 << 33, {}, [], [1], [[]]),
    *("", "org", "community", "Org", "private", "our-slack", "Our Slack", "a--b", "-a", "a" * 64, "a" * 65),
    *(
        "active",
        "disabled",
        "changes",
        "door",
        "registry",
        "free",
        "increasing",
        "immutable",
        "Free",
        "accept",
        ["guides/a.md", "data/"],
        ["a", ""],
    ),
    *("1.4.0", "high", "warn", "block", "secret.github-token", "guides/a.md", "2027-01-31T00:00:00Z"),
    *(PACK_IDS[0], PACK_IDS[0].lower(), PACK_IDS[:1], PACK_IDS[:1] * 2, PACK_IDS[:-1], PACK_IDS),
]
# Texts of another form are no id that the service has given. The pack is not there, which is 404 and told later.
IDS = {("UploadStart", "pack_id")}
# Which issuers and claims there are, and which of them go together, is for the reader to say.
PUBLISHERS = {("TrustedPublisherRequest", name) for name in ("issuer", "issuer_url", "claims")}
# A schema does not tell what an image reference, a rule, a path or an instant is; the reader does.
REFERENCES = {("Registration", "image_ref"), ("Replacement", "image_ref")} | {
    ("ScanOverrideRequest", name) for name in ("rule", "path", "expires_at")
}


def schema_takes(schema: dict[str, Any], value: Any) -> bool:
    return bool(OAS31Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value))


def takes(read: Callable[[], object]) -> bool:
    try:
        read()
    except InvalidRequest:
        return False
    return True


def body_event(body: Any) -> APIGatewayProxyEvent:
    headers = {"content-type": "application/json"}
    text = json.dumps(body).encode()
    return APIGatewayProxyEvent(Request(method="POST", resource="/", headers=headers, body=text).event())


def test_every_described_json_body_is_tried() -> None:
    used = {
        media["schema"]["$ref"].rpartition("/")[2]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for kind, media in operation.get("requestBody", {}).get("content", {}).items()
        if kind == "application/json"
    }

    assert used == set(READERS)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        pytest.param(name, field, id=f"{name}.{field}")
        for name in READERS
        for field in DOCUMENT["components"]["schemas"][name]["properties"]
    ],
)
def test_a_reader_takes_the_values_that_the_schema_takes(name: str, field: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}"}
    verdicts = set()
    for value in VALUES:
        body = BASES.get(name, {}) | COMPANIONS.get((name, field), {}) | {field: value}
        read = takes(lambda body=body: READERS[name](body_event(body)))  # type: ignore[misc]
        documented = schema_takes(schema, body)
        verdicts.add(read)
        if isinstance(value, str) and (name, field) in IDS:
            assert read >= documented, value
        elif (name, field) in PUBLISHERS or (isinstance(value, str) and (name, field) in REFERENCES):
            assert read <= documented, value
        else:
            assert read == documented, value

    assert verdicts == {True, False}


def test_an_archive_for_a_pack_has_no_visibility_of_its_own() -> None:
    body = {"pack_id": PACK_IDS[0], "visibility": "org"}

    assert not schema_takes({"$ref": "#/components/schemas/UploadStart"}, body)
    assert not takes(lambda: READERS["UploadStart"](body_event(body)))


@pytest.mark.parametrize(
    "body", [{"kind": "changes"}, {"delete": ["a"]}, {"pack_id": PACK_IDS[0], "delete": ["a"]}]
)
def test_changes_are_of_a_pack_and_say_that_they_are_changes(body: dict[str, Any]) -> None:
    assert not schema_takes({"$ref": "#/components/schemas/UploadStart"}, body)
    assert not takes(lambda: READERS["UploadStart"](body_event(body)))


QUERIES = {
    parameter["name"]: parameter["schema"]
    for parameter in DOCUMENT["paths"]["/packs"]["get"]["parameters"]
    if parameter["in"] == "query" and parameter["name"] != "cursor"
}
TEXTS = [
    "",
    "0",
    "1",
    "100",
    "101",
    "-1",
    "1.5",
    "x",
    "true",
    "false",
    "TRUE",
    "community",
    "Community",
    "a--b",
    "a-",
]
TEXTS += ["a" * 64, "a" * 65, "A", "slack pack", "our-slack"]


def stands_for(schema: dict[str, Any], text: str) -> Any:
    """Return the value that a parameter's text stands for."""
    if schema.get("type") == "integer" and text.lstrip("-").isdigit():
        return int(text)
    return {"true": True, "false": False}.get(text, text) if schema.get("type") == "boolean" else text


@pytest.mark.parametrize("name", QUERIES)
def test_a_parameter_takes_the_values_that_the_schema_takes(name: str) -> None:
    # No cursor is given, so that nothing reads one.
    cursors = cast("Any", None)
    for text in TEXTS:
        event = APIGatewayProxyEvent(Request(method="GET", resource="/packs", query={name: text}).event())
        read = takes(lambda event=event: read_listing(event, ACME, cursors))  # type: ignore[misc]
        assert read == schema_takes(QUERIES[name], stands_for(QUERIES[name], text)), text


@pytest.mark.parametrize("text", ["a", "support-agent", "A.b_c", "", "-a", "a" * 128, "a" * 129, "a b", "é"])
def test_a_role_s_id_is_read_as_the_schema_has_it(text: str) -> None:
    [schema] = [
        parameter["schema"]
        for parameter in DOCUMENT["paths"]["/agent-roles/{role_id}/packs"]["get"]["parameters"]
        if parameter["name"] == "role_id"
    ]

    assert takes(lambda: require_role_id(text)) == schema_takes(schema, text)
