"""The API's document and its page, through the function's own handler."""

import json
from typing import Any

import pytest
from tests.documented import DOCUMENT
from tests.gateway import Request
from tests.service import Service


def ask(service: Service, path: str) -> Any:
    return service.invoke("api_docs", Request(method="GET", resource=path).event())


def test_the_document_needs_no_credential(service: Service) -> None:
    answer = ask(service, "/openapi.json")

    assert answer["statusCode"] == 200
    assert answer["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert json.loads(answer["body"]) == DOCUMENT()


def test_the_page_is_html_that_browsers_let_load_nothing(service: Service) -> None:
    answer = ask(service, "/docs")

    assert answer["statusCode"] == 200
    assert answer["multiValueHeaders"]["Content-Type"] == ["text/html; charset=utf-8"]
    assert answer["multiValueHeaders"]["Content-Security-Policy"][0].startswith("default-src 'none';")
    assert answer["body"].startswith("<!doctype html>")


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_it_is_the_gateway_s_answer_like_any_other(service: Service, path: str) -> None:
    request = Request(method="GET", resource=path).event()

    answer = service.invoke("api_docs", request)

    assert answer["multiValueHeaders"]["X-Request-Id"] == [request["requestContext"]["requestId"]]
    assert answer["isBase64Encoded"] is False
