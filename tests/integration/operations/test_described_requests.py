"""The document and the functions take the same names: in bodies, in forms, in queries and in headers (decision 74)."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.documented import DOCUMENT, is_of_another_protocol
from tests.functions import function_of
from tests.gateway import Answer, Request, multipart
from tests.operator_view import OPERATOR
from tests.service import Service, running_service

import packyard.http
from packyard.http.fields import Body, Field

OPERATIONS = [
    pytest.param(method.upper(), path, details, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT()["paths"].items()
    for method, details in methods.items()
    if not is_of_another_protocol(path)
]
EACH = pytest.mark.parametrize(("method", "path", "details"), OPERATIONS)
WITH_FIELDS = pytest.mark.parametrize(
    ("method", "path", "details"),
    [
        operation
        for operation in OPERATIONS
        if {"application/json", "multipart/form-data"}
        & set(operation.values[2].get("requestBody", {}).get("content", {}))  # type: ignore[union-attr]
    ],
)
PATH_VALUES = {
    "id": "pack_01HZ0000000000000000009999",
    "path": "a.md",
    "key_id": "0" * 64,
    "upload_id": "upl_x",
    "role_id": "support",
    "n": "1",
    "feed_id": "feed_01HZ0000000000000000009999",
    "publisher_id": "pub_01HZ0000000000000000009999",
    "webhook_id": "whk_01HZ0000000000000000009999",
    "delivery_id": "01HZ0000000000000000009999",
    "asset": "index-0.js",
    "org": "acme",
}
# A header that every reader of it refuses, whatever else the request holds.
MALFORMED = {"If-Match": '"', "If-None-Match": "x y", "Idempotency-Key": "not visible"}


def described_fields() -> Iterator[Field]:
    """Yield every field that a reader of requests describes."""
    for module in pkgutil.iter_modules(packyard.http.__path__, "packyard.http."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Field):
                yield value
            if isinstance(value, Body):
                yield from value.fields


def documented_names() -> set[str]:
    schemas = DOCUMENT()["components"]["schemas"].values()
    return {name for schema in schemas for name in schema.get("properties", {})}


NAMES = sorted({field.name for field in described_fields()} | documented_names() | {"dry_run", "force"})


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


def ask(service: Service, method: str, path: str, details: dict[str, Any], **more: Any) -> Answer:
    """Send a request to the function that the document names."""
    function = function_of(details["operationId"])
    request = Request(method=method, resource=path, path=path.format(**PATH_VALUES), caller=OPERATOR, **more)
    return service.request(function, request)


def body_schema(details: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Return whether the body is a form, and its schema."""
    [(media_type, media)] = details["requestBody"]["content"].items()
    schema: dict[str, Any] = DOCUMENT()["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
    return media_type == "multipart/form-data", schema


def with_body(details: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Return a request's body and its headers."""
    is_form, _ = body_schema(details)
    if not is_form:
        return {"body": json.dumps(fields).encode(), "headers": {"Content-Type": "application/json"}}
    # A form has a part at least; this one says nothing.
    body, headers = multipart({"_charset_": b"utf-8"} | dict.fromkeys(fields, b""))
    return {"body": body, "headers": headers}


@WITH_FIELDS
def test_a_body_has_the_documented_fields_and_no_others(
    service: Service, method: str, path: str, details: dict[str, Any]
) -> None:
    _, schema = body_schema(details)
    taken = set()
    for name in NAMES:
        # No field takes a number below zero; some take null.
        answer = ask(service, method, path, details, **with_body(details, {name: -1}))
        assert answer.status == 400
        if "is not a" not in answer.fields.get(name, ""):
            taken.add(name)

    assert taken == set(schema["properties"])


@WITH_FIELDS
def test_a_body_without_fields_lacks_those_that_the_document_requires(
    service: Service, method: str, path: str, details: dict[str, Any]
) -> None:
    _, schema = body_schema(details)

    answer = ask(service, method, path, details, **with_body(details, {}))

    faults = answer.fields if answer.status == 400 else {}
    assert {name for name, fault in faults.items() if fault.startswith("is required")} == set(
        schema.get("required", ())
    )


@EACH
def test_a_query_has_the_documented_parameters_and_no_others(
    service: Service, method: str, path: str, details: dict[str, Any]
) -> None:
    documented = {each["name"] for each in details.get("parameters", ()) if each["in"] == "query"}
    # Each is given twice, so that nothing is carried out.
    refused = {
        name: ask(service, method, path, details, query={name: ["", ""]}).fields[name] for name in NAMES
    }

    assert {name for name, fault in refused.items() if "is not a query parameter" not in fault} == documented


WRITES = pytest.mark.parametrize(
    ("method", "path", "details"), [operation for operation in OPERATIONS if operation.values[0] != "GET"]
)


def accepted_body(details: dict[str, Any]) -> dict[str, Any]:
    """Return a body that is read without fault, as far as an operation takes one."""
    if "requestBody" not in details:
        return {"headers": {}}
    [(media_type, media)] = details["requestBody"]["content"].items()
    if media_type == "multipart/form-data":
        body, headers = multipart({"archive": b"\x1f\x8b"})
        return {"body": body, "headers": headers}
    if media_type == "application/json":
        return with_body(details, media["example"])
    return {"body": b"x", "headers": {}}


@WRITES
@pytest.mark.parametrize("header", MALFORMED)
def test_a_write_reads_the_documented_headers_and_no_others(
    service: Service, header: str, method: str, path: str, details: dict[str, Any]
) -> None:
    documented = {each["name"] for each in details.get("parameters", ()) if each["in"] == "header"}
    more = accepted_body(details)
    headers = more.pop("headers") | {header: MALFORMED[header]}

    answer = ask(service, method, path, details, headers=headers, **more)

    fault = answer.fields.get(header, "is not taken here") if answer.status == 400 else "is not taken here"
    assert ("is not taken here" not in fault) == (header in documented)
