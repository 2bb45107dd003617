"""The API's document: valid, complete, up to date, and no stranger to the template."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from api.artefacts import artefacts, document
from api.document import statuses_of_codes
from api.operations import OPERATIONS
from api.page import render
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from tests.aws import template
from tests.documented import assert_documented

DOCUMENT = document()
ARTEFACTS = {path.name: (path, content) for path, content in artefacts()}
OPERATIONS_BY_NAME = {
    f"{method} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


def _routes() -> dict[tuple[str, str], dict[str, Any]]:
    """Return every route of the template, with its function."""
    return {
        (event["Properties"]["Method"].lower(), event["Properties"]["Path"].replace("+}", "}")): {
            "function": resource["Properties"]["CodeUri"].removeprefix("functions/"),
            "open": event["Properties"].get("Auth", {}).get("Authorizer") == "NONE",
        }
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["RestApiId"] == "Api"
    }


def _examples(content: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return each example with the schema that it stands for."""
    pairs = []
    for media in content.values():
        shown = [media["example"]] if "example" in media else []
        shown += [example["value"] for example in media.get("examples", {}).values()]
        pairs += [(media["schema"], example) for example in shown]
    return pairs


def _all_examples() -> list[tuple[Any, Any]]:
    responses = list(DOCUMENT["components"]["responses"].values())
    bodies = []
    for operation in OPERATIONS_BY_NAME.values():
        responses += operation["responses"].values()
        bodies += [operation["requestBody"]] if "requestBody" in operation else []
    return [pair for part in [*responses, *bodies] for pair in _examples(part.get("content", {}))]


def test_every_format_is_one_that_is_looked_at() -> None:
    formats = set(re.findall(r'"format": "([^"]+)"', json.dumps(DOCUMENT)))

    assert formats
    assert formats <= set(oas31_format_checker.checkers)


def test_it_is_openapi_3_1() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


@pytest.mark.parametrize("name", ARTEFACTS)
def test_what_is_served_is_what_is_generated(name: str) -> None:
    path, content = ARTEFACTS[name]

    assert path.read_text() == content, "out of date; `make openapi` writes it anew"


def test_every_route_is_documented_and_every_documented_operation_has_one() -> None:
    deployed = [op for op in OPERATIONS if f"{op.method} {op.path}" in OPERATIONS_BY_NAME]

    assert _routes() == {
        (op.method, op.path): {"function": op.function, "open": not op.signed_in} for op in deployed
    }


@pytest.mark.parametrize("name", OPERATIONS_BY_NAME)
def test_an_operation_says_what_it_is_for_and_what_any_may_answer(name: str) -> None:
    operation = OPERATIONS_BY_NAME[name]
    statuses = set(operation["responses"])

    assert operation["summary"]
    assert {"429", "500", "503", "504"} <= statuses
    assert operation.get("security") == [] or {"401", "403"} <= statuses
    assert all(
        "$ref" in response or "X-Request-Id" in response["headers"]
        for response in operation["responses"].values()
    )


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS_BY_NAME.values()]

    assert len(names) == len(set(names))


def test_every_error_code_is_documented_with_its_status() -> None:
    codes = DOCUMENT["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"]

    assert {"validation_error", "rate_limited", "timeout", "registry_cleanup_failed"} <= set(codes)
    assert all(meaning.endswith(".") for _, meaning in statuses_of_codes().values())


def test_every_example_is_what_its_schema_says() -> None:
    examples = _all_examples()

    assert examples
    for schema, example in examples:
        whole = {**schema, "components": DOCUMENT["components"]}
        OAS31Validator(whole, format_checker=oas31_format_checker).validate(example)


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        pytest.param("GET", "/packs", 418, None, id="a status that is not listed"),
        pytest.param("GET", "/packs?limit=1", 200, {"packs": [{"id": "x"}]}, id="a body of another shape"),
        pytest.param("GET", "/packs", 200, {"packs": [], "total": 0}, id="a field that nobody documented"),
        pytest.param("GET", "/packs", 200, {"packs": [], "next_cursor": None}, id="null for absent"),
        pytest.param(
            "GET",
            "/packs/pack_1",
            404,
            {"error": {"code": "role_not_found", "message": "", "request_id": ""}},
            id="a code that this operation does not have",
        ),
        pytest.param("GET", "/nowhere", 200, None, id="a route that is not there"),
    ],
)
def test_an_answer_that_is_not_documented_fails_a_test(
    method: str, path: str, status: int, body: Any
) -> None:
    with pytest.raises(AssertionError):
        assert_documented(method, path, status, body)


class _Page(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)
        for name, value in attrs:
            assert name not in {"src", "style", "srcset"}
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.links.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> _Page:
    _, content = ARTEFACTS["index.html"]
    return _Page(content)


def test_the_page_loads_nothing_and_runs_nothing(page: _Page) -> None:
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert [link for link in page.links if not link.startswith("#")] == ["openapi.json"]


def test_the_page_is_well_formed_and_its_links_lead_somewhere(page: _Page) -> None:
    assert not page.open
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} - {"openapi.json"} <= set(page.ids)


def test_the_page_shows_every_operation_and_every_object(page: _Page) -> None:
    operations = {operation["operationId"] for operation in OPERATIONS_BY_NAME.values()}
    objects = {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]}

    assert operations | objects <= set(page.ids)


def test_the_page_has_landmarks_a_language_and_a_heading(page: _Page) -> None:
    assert {"main", "nav", "h1"} <= set(page.tags)
    assert page.tags.count("h1") == 1


def test_a_document_s_text_cannot_become_markup() -> None:
    hostile = json.loads(json.dumps(DOCUMENT).replace("The pack.", "<script>alert(1)</script>"))

    assert "<script>" not in render(hostile)
