"""The document: the table of operations and the models, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html)."""

import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from api.examples import REFUSALS
from api.models import MODELS, ROLE_ID
from api.operation import Answer, Operation, Parameter, Schema
from packyard.errors import PackyardError

_TITLE: Final = "Packyard"
_DESCRIPTION: Final = """\
A control plane for content packs: versioned bundles of guides, scripts, data and behaviour for AI agent roles,
shipped as OCI images.

Every error is one envelope with a stable `code` and the request's id. Checks run in this order, and the first that
fails answers: credential, scope, billing posture, shape of the request, existence, ownership, state.

Optional fields are absent, never null. Clients should pass over fields that they do not know. The service does not pass
over anything: a query parameter, a field or a part of a form that an operation does not list is 400 by its name.

Every GET answers an `ETag`. Sent back as `If-None-Match`, it gives 304 without a body while nothing has changed."""

_REQUEST_ID: Final = "The request's id, also in the logs."
# What any operation may answer; the gateway answers some of it for all of them.
_ALWAYS: Final = ("validation_error", "rate_limited", "internal_error", "service_unavailable", "timeout")
_SIGNED_IN: Final = ("unauthenticated", "permission_denied")
_BY_THE_GATEWAY: Final = {"rate_limited": (429, "Too many requests; Retry-After says when to try again.")}
_HEADERS_OF_STATUS: Final[Mapping[int, Mapping[str, str]]] = {
    401: {"WWW-Authenticate": "Bearer."},
    429: {"Retry-After": "Seconds."},
    503: {"Retry-After": "Seconds."},
}
_ETAG: Final = "Changes with the body; for If-None-Match."
_IF_NONE_MATCH: Final = Parameter(
    name="If-None-Match",
    place="header",
    schema={"type": "string", "examples": ['"3"']},
    description="Entity tags of bodies that the client has: 304 when this one is among them.",
)
_NOT_MODIFIED: Final = Answer(
    description="The client has the body already: If-None-Match names it.",
    media_type=None,
    headers={"ETag": "The body's, which the client has sent."},
)
_PATH_PARAMETERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "id": ("The pack.", {"type": "string", "examples": ["pack_01JQ2V7N3T5W8XABCDEFGHJKMN"]}),
    "path": (
        "Where the file is in the pack. It may have several segments, each URL-encoded by itself.",
        {"type": "string", "examples": ["guides/start.md"]},
    ),
    "upload_id": ("The upload.", {"type": "string", "examples": ["upl_01JQ2V7N3T5W8XABCDEFGHJKMN"]}),
    "role_id": ("The role.", {"type": "string", "pattern": ROLE_ID, "examples": ["support-agent"]}),
}


def build(operations: Sequence[Operation], *, version: str) -> dict[str, Any]:
    """Return the document.

    Args:
        operations: What there is, in the order in which it is to be read.
        version: Of the API.
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
        # A refusal that only says more about its parent's code leaves the meaning to the parent.
        if "code" in vars(kind)
    }
    return {**known, **_BY_THE_GATEWAY}


def _descendants(kind: type[PackyardError]) -> Iterator[type[PackyardError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.function
        if operation.signed_in
        else operation.path.strip("/").partition(".")[0],
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description:
        described["description"] = operation.description
    if operation.writes:
        described["x-scope"] = "caps:write"
    parameters = [*_path_parameters(operation.path), *_parameters(operation)]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        media: dict[str, Any] = {"schema": _reference(operation.body.model)} if operation.body.model else {}
        if operation.body.example is not None:
            media["example"] = operation.body.example
        described["requestBody"] = {
            "required": operation.body.required,
            "content": {operation.body.media_type: media},
        }
    answers = {str(status): _answer(answer, operation.method) for status, answer in operation.answers.items()}
    if operation.method == "get":
        answers["304"] = _answer(_NOT_MODIFIED, "get")
    described["responses"] = dict(sorted({**answers, **_refusals(operation)}.items()))
    if not operation.signed_in:
        described["security"] = []
    return described


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for segment in path.split("/"):
        if segment.startswith("{"):
            name = segment.strip("{}")
            description, schema = _PATH_PARAMETERS[name]
            yield {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    reads = [_IF_NONE_MATCH] if operation.method == "get" else []
    for parameter in (*operation.parameters, *reads):
        yield {
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.description,
            "schema": dict(parameter.schema),
        }


def _answer(answer: Answer, method: str) -> dict[str, Any]:
    tag = {"ETag": _ETAG} if method == "get" else {}
    described: dict[str, Any] = {
        "description": answer.description,
        "headers": _headers({**tag, **answer.headers, "X-Request-Id": _REQUEST_ID}),
    }
    if answer.media_type is not None:
        media: dict[str, Any] = {"schema": _reference(answer.model)} if answer.model else {}
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
        (model.__name__, "serialization", TypeAdapter(model)) for model in MODELS
    ]
    _, collected = TypeAdapter.json_schemas(adapters, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = _without_titles(collected["$defs"])
    schemas["ErrorBody"]["properties"]["code"]["enum"] = sorted(statuses_of_codes())
    return schemas


def _without_titles(schema: Any) -> Any:
    """Return a schema without the titles that pydantic makes of names: they say the same twice."""
    if isinstance(schema, dict):
        return {
            name: _without_titles(value)
            for name, value in schema.items()
            if not (name == "title" and isinstance(value, str))
        }
    return schema
