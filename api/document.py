"""The document: the operations and the schemas, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html)."""

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from api import (
    attestation_models,
    comparison_models,
    door_models,
    dry_run_models,
    error_models,
    feed_models,
    key_models,
    operator_models,
    publisher_models,
    role_models,
    scan_models,
    upload_models,
    webhook_models,
    withdrawal_models,
)
from api.examples import PACK_ID, REFUSALS, UPLOAD_ID
from api.models import MODELS
from api.operation import ANYTHING, JSON, MULTIPART, Answer, Operation, Schema
from api.request_schemas import bodies, body_schema, field_schema
from packyard.errors import PackyardError
from packyard.http.console import ASSET
from packyard.http.deliveries import DELIVERY
from packyard.http.doors import SECRET
from packyard.http.entity_tags import IF_NONE_MATCH
from packyard.http.feeds import FEED
from packyard.http.fields import Body, Field
from packyard.http.file_path import PATH
from packyard.http.keys import KEY
from packyard.http.operator_view import ORGANISATION
from packyard.http.publishers import PUBLISHER
from packyard.http.revision_field import NUMBER
from packyard.http.roles import ROLE
from packyard.http.webhooks import WEBHOOK
from packyard.tenants.caller import WRITE

_TITLE: Final = "Packyard"
_DESCRIPTION: Final = """\
A control plane for content packs: versioned bundles of guides, scripts, data and behaviour for AI agent roles,
shipped as OCI images.

Every error is one envelope with a stable `code` and the request's id. Checks run in this order, and the first that
fails answers: credential, scope, billing posture, shape of the request, existence, ownership, state.

Optional fields are absent, never null. Clients should ignore fields that they do not know. The service ignores nothing:
a query parameter, a field or a part of a form that an operation does not list is refused with 400 by its name.

Every GET answers an `ETag`. Sent back as `If-None-Match`, it gives 304 without a body while nothing has changed."""

_MODULES: Final = (
    attestation_models,
    comparison_models,
    door_models,
    dry_run_models,
    error_models,
    feed_models,
    key_models,
    operator_models,
    publisher_models,
    role_models,
    scan_models,
    upload_models,
    webhook_models,
    withdrawal_models,
)
_REQUEST_ID: Final = "The request's id, also in the logs."
# The codes that any operation may answer. Some of them come from the gateway.
_ALWAYS: Final = ("validation_error", "rate_limited", "internal_error", "service_unavailable", "timeout")
_SIGNED_IN: Final = ("unauthenticated", "permission_denied")
_BY_THE_GATEWAY: Final = {"rate_limited": (429, "Too many requests; Retry-After says when to try again.")}
_HEADERS_OF_STATUS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer."},
    429: {"Retry-After": "Seconds."},
    503: {"Retry-After": "Seconds."},
}
_ETAG: Final = "Changes with the body; for If-None-Match."
_NOT_MODIFIED: Final = Answer(
    description="The client has the body already: If-None-Match names its entity tag.",
    media_type=None,
    headers={"ETag": "The entity tag of the body."},
)
# There is no pattern, since an id of another form is 404, as every unknown id.
_PACK: Final = Field(name="id", example=PACK_ID, description="The pack.", required=True)
_UPLOAD: Final = Field(name="upload_id", example=UPLOAD_ID, description="The upload.", required=True)
_PATH_PARAMETERS: Final = {
    field.name: field
    for field in (
        *(_PACK, PATH, _UPLOAD, ROLE, KEY, NUMBER, PUBLISHER, FEED, WEBHOOK, DELIVERY, SECRET, ASSET),
        ORGANISATION,
    )
}


def build(operations: Sequence[Operation], *, version: str) -> dict[str, Any]:
    """Return the document.

    Args:
        operations: The operations, in the document's order.
        version: The version of the API.
    """
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _TITLE,
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/v1", "description": "This deployment."}],
        "security": [{"credential": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": dict(paths),
        "components": {
            "schemas": _schemas(),
            "responses": {
                _response_name(code): _refusal(status, [code])
                for code, (status, _) in sorted(statuses_of_codes().items(), key=lambda known: known[1][0])
            },
            "securitySchemes": {
                "credential": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key (`sk_…`), or a JWT of the deployment's issuer.",
                }
            },
        },
    }


def statuses_of_codes() -> Mapping[str, tuple[int, str]]:
    """Return every error code with its status and what it means, from the tree of refusals."""
    known = {
        kind.code: (kind.status, (inspect.getdoc(kind) or "").partition("\n")[0])
        for kind in _descendants(PackyardError)
        # A class without a code of its own has the code of its parent, which has the description too.
        if "code" in vars(kind)
    }
    return {**known, **_BY_THE_GATEWAY}


def _descendants(kind: type[PackyardError]) -> Iterator[type[PackyardError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name
        or (operation.function if operation.signed_in else operation.path.strip("/").partition(".")[0]),
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description:
        described["description"] = operation.description
    if operation.writes or operation.scope != WRITE:
        described["x-scope"] = operation.scope
    parameters = list(_parameters(operation))
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = _body(operation.body, operation.example)
    elif operation.takes_bytes:
        described["requestBody"] = {"required": False, "content": {ANYTHING: {}}}
    answers = {str(status): _answer(answer, operation.method) for status, answer in operation.answers.items()}
    if operation.method == "get":
        answers["304"] = _answer(_NOT_MODIFIED, "get")
    described["responses"] = dict(sorted({**answers, **_refusals(operation)}.items()))
    if not operation.signed_in:
        described["security"] = []
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    segments = [segment.strip("{}") for segment in operation.path.split("/") if segment.startswith("{")]
    headers = [*operation.headers, *([IF_NONE_MATCH] if operation.method == "get" else [])]
    yield from (_parameter(_PATH_PARAMETERS[name], "path") for name in segments)
    yield from (_parameter(field, "query") for field in operation.query)
    yield from (_parameter(field, "header") for field in headers)


def _parameter(field: Field, place: str) -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": field.name, "in": place}
    if field.required:
        parameter["required"] = True
    return parameter | {
        "description": field.description,
        "schema": field_schema(field, described=False),
    }


def _body(body: Body, example: Mapping[str, Any] | None) -> dict[str, Any]:
    is_form = any(field.kind == "file" for field in body.fields)
    media: dict[str, Any] = {"schema": _reference(body.name)}
    if example is not None:
        media["example"] = example
    return {
        "required": bool(body.one_of) or any(field.required for field in body.fields),
        "content": {MULTIPART if is_form else JSON: media},
    }


def _answer(answer: Answer, method: str) -> dict[str, Any]:
    tag = {"ETag": _ETAG} if method == "get" else {}
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": _headers({**tag, **answer.headers, "X-Request-Id": _REQUEST_ID}),
    }
    if answer.media_type is not None:
        media: dict[str, Any] = {"schema": _reference(answer.model)} if answer.model else {}
        other = "DryRun" if answer.dry_run else answer.other
        if other is not None and answer.model:
            media["schema"] = {"anyOf": [_reference(answer.model), _reference(other)]}
        if answer.example is not None:
            media["example"] = answer.example
        described["content"] = {answer.media_type: media}
    return described


def _refusals(operation: Operation) -> dict[str, Any]:
    codes = [*operation.refusals, *_ALWAYS]
    if operation.signed_in:
        codes += _SIGNED_IN
    if operation.writes and operation.method != "delete" and operation.tag != "Roles":
        codes.append("billing_inactive")
    known = statuses_of_codes()
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(codes):
        by_status[known[code][0]].append(code)
    return {
        str(status): {"$ref": f"#/components/responses/{_response_name(codes[0])}"}
        if len(codes) == 1
        else _refusal(status, codes)
        for status, codes in by_status.items()
    }


def _response_name(code: str) -> str:
    return code.title().replace("_", "")


def _refusal(status: int, codes: Sequence[str]) -> dict[str, Any]:
    known = statuses_of_codes()
    meanings = [f"`{code}`: {known[code][1]}" for code in codes]
    return {
        "description": "\n\n".join(meanings),
        "headers": _headers({**_HEADERS_OF_STATUS.get(status, {}), "X-Request-Id": _REQUEST_ID}),
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [_reference("Error")],
                    "properties": {"error": {"properties": {"code": {"enum": list(codes)}}}},
                },
                "examples": {code: {"value": REFUSALS[code]} for code in codes},
            }
        },
    }


def _headers(headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: {"description": description, "schema": {"type": "string"}}
        for name, description in headers.items()
    }


def _reference(model: str) -> Schema:
    return {"$ref": f"#/components/schemas/{model}"}


def _schemas() -> dict[str, Any]:
    adapters: list[tuple[str, Literal["serialization"], TypeAdapter[Any]]] = [
        (model.__name__, "serialization", TypeAdapter(model))
        for models in (MODELS, *(module.MODELS for module in _MODULES))
        for model in models
    ]
    _, collected = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = _without_titles(collected["$defs"])
    schemas["ErrorBody"]["properties"]["code"]["enum"] = sorted(statuses_of_codes())
    schemas |= {body.name: body_schema(body) for body in bodies()}
    return dict(sorted(schemas.items()))


def _without_titles(schema: Any) -> Any:
    """Return a schema without the titles that pydantic makes of names, since they repeat them."""
    if isinstance(schema, dict):
        return {
            name: _without_titles(value)
            for name, value in schema.items()
            if not (name == "title" and isinstance(value, str))
        }
    return schema
