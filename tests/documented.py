"""Holds what the service answers against what the API's document says of it."""

import re
from functools import cache
from typing import Any, Final

from api.artefacts import document
from openapi_schema_validator import OAS31Validator, oas31_format_checker

DOCUMENT: Final = cache(document)

# Where there is no such operation the routers say so, ours or the gateway's.
_NO_OPERATION: Final = frozenset({404, 405})


def assert_documented(method: str, path: str, status: int, body: Any = None) -> None:
    """Fail unless the document lists this answer for this operation, and a JSON body is as it says.

    Args:
        method: The request's, in any case.
        path: The request's, below the stage: as sent or as the template has it.
        status: The answer's.
        body: The answer's, parsed; None for none, or for one that is not JSON.
    """
    documented = documented_path(path.partition("?")[0].rstrip("/"))
    operation = None if documented is None else DOCUMENT()["paths"][documented].get(method.lower())
    if documented is None or operation is None:
        assert status in _NO_OPERATION, f"{method} {path} is in no document, and was answered {status}"
        return
    assert str(status) in operation["responses"], f"{method} {documented} may not answer {status}: {body}"
    validator = _validator(method.lower(), documented, str(status))
    if body is not None and validator is not None:
        faults = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
        assert not faults, f"{method} {documented} answered {status} otherwise than documented: {faults}"


@cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    """Return every documented path with what it matches, those with fewer parameters first."""

    def pattern(path: str) -> re.Pattern[str]:
        escaped = re.escape(path).replace(r"\{path\}", ".+")
        return re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", escaped))

    return [(pattern(path), path) for path in sorted(DOCUMENT()["paths"], key=lambda path: path.count("{"))]


def documented_path(path: str) -> str | None:
    """Return the path in the document that a path below the stage is one of; None for none."""
    return next((documented for pattern, documented in _routes() if pattern.fullmatch(path)), None)


@cache
def _validator(method: str, path: str, status: str) -> OAS31Validator | None:
    response = DOCUMENT()["paths"][path][method]["responses"][status]
    if "$ref" in response:
        response = DOCUMENT()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response.get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return None
    # What clients are told to pass over is, in our own answers, a field that somebody forgot to document.
    closed = _closed({**schema, "components": DOCUMENT()["components"]})
    return OAS31Validator(closed, format_checker=oas31_format_checker)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


def is_of_another_protocol(path: str) -> bool:
    """Return whether the client's own protocol decides what a request to a door may ask with, as a path tells."""
    return path.startswith("/f/") or (
        path.startswith("/doors/") and not path.endswith(("/lock.json", "/bundle.tar"))
    )
