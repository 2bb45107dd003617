"""The API's document, off the wire and without a credential."""

from local.stack import StackDescription
from tests.documented import DOCUMENT
from tests.e2e.client import Client


def test_the_document_is_the_one_that_was_built(stack: StackDescription) -> None:
    reply = Client.of(stack).call("GET", "/openapi.json")

    assert reply.status == 200
    assert reply.body == DOCUMENT()


def test_the_page_is_shown_to_anyone(stack: StackDescription) -> None:
    reply = Client.of(stack).call("GET", "/docs")

    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers["X-Request-Id"]
