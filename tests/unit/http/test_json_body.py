"""JSON bodies as objects of known fields."""

import base64
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests.gateway import Request

from packyard.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json

NAMES = ("name", "visibility")
BODY = Body(name="Test", description="", fields=tuple(Field(name=name) for name in NAMES))


def event_with(
    body: str | None, content_type: str | None = "application/json", *, binary: bool = False
) -> APIGatewayProxyEvent:
    headers = {} if content_type is None else {"content-type": content_type}
    event = Request(method="POST", resource="/packs", headers=headers).event()
    return APIGatewayProxyEvent({**event, "body": body, "isBase64Encoded": binary})


def read(body: str | None, required: dict[str, object] | None = None) -> dict[str, Any]:
    fields = [
        Field(name=name, required=name in (required or {}), example=(required or {}).get(name))
        for name in NAMES
    ]
    return read_json(event_with(body), BODY._replace(fields=tuple(fields)))


def refused_fields(body: str | None, required: dict[str, object] | None = None) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        read(body, required)
    return refused.value.fields


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"name": "slack"}', {"name": "slack"}),
        (
            ' \n{"visibility": ["a", {"b": 1.5}], "name": null}\t',
            {"visibility": ["a", {"b": 1.5}], "name": None},
        ),
        ('{"name": "\\ud83d\\ude00 é"}', {"name": "😀 é"}),
        ("{}", {}),
    ],
)
def test_a_json_object_is_read_unchanged(body: str, expected: dict[str, Any]) -> None:
    assert read(body) == expected


@pytest.mark.parametrize("body", [None, "", " \n"], ids=["none", "empty", "white space"])
@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_no_body_is_an_object_without_fields_whatever_its_type(
    body: str | None, content_type: str | None
) -> None:
    assert read_json(event_with(body, content_type), BODY) == {}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        " application/json ; charset = utf-8 ",
        "application/json;",
    ],
)
def test_every_spelling_of_the_json_content_type_is_accepted(content_type: str) -> None:
    assert read_json(event_with("{}", content_type), BODY) == {}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonl",
        "application/json, text/plain",
        "application/merge-patch+json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json" + " " * 10_000 + "x",
    ],
)
def test_a_body_of_another_type_is_415(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType, match="send the header Content-Type: application/json"):
        read_json(event_with("{}", content_type), BODY)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="cut off"),
        pytest.param("{}{}", id="two"),
        pytest.param("{'name': 1}", id="single quotes"),
        pytest.param('{"name": 1,}', id="a trailing comma"),
        pytest.param('{"name": NaN}', id="NaN"),
        pytest.param('{"name": -Infinity}', id="infinity"),
        pytest.param('{"name": ' + "9" * 5000 + "}", id="a number of 5000 digits"),
        pytest.param('{"name": "\\ud83d"}', id="half of a pair, escaped"),
        pytest.param('{"\\udc00": 1}', id="half of a pair in a name"),
        pytest.param('{"name": "\ud83d"}', id="half of a pair"),
        pytest.param("[" * 20_000, id="nested too deeply"),
        pytest.param('{"name":' * 5000 + "1" + "}" * 5000, id="objects nested too deeply"),
        pytest.param("[]", id="a list"),
        pytest.param('"{}"', id="text"),
        pytest.param("null", id="null"),
    ],
)
def test_a_body_that_is_not_a_json_object_is_400_on_body(body: str) -> None:
    assert list(refused_fields(body)) == ["body"]


def test_every_unknown_repeated_and_missing_field_is_named_at_once() -> None:
    body = '{"visibility": "org", "visibilty": "org", "visibility": "community", "x": {"y": 1, "y": 2}}'

    assert refused_fields(body, {"name": "slack"}) == {
        "name": 'is required, as in {"name": "slack"}',
        "visibility": "is given more than once; give it once",
        "visibilty": "is not a field of this request; did you mean visibility?",
        "x": "is not a field of this request; known are name, visibility",
        "y": "is given more than once; give it once",
    }


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ('{"a_name": 1}', "a_name: is not a field of this request; did you mean name?"),
        ('{"zz": 1}', "zz: is not a field of this request; known are name, visibility"),
    ],
)
def test_an_unknown_field_is_reported_before_the_missing_one_that_it_misspells(body: str, first: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read(body, {"name": "slack"})

    assert refusal.value.message.startswith(first)
    assert refusal.value.fields["name"] == 'is required, as in {"name": "slack"}'


def test_a_missing_body_lacks_what_is_required() -> None:
    assert refused_fields(None, {"name": "slack", "visibility": "org"}) == {
        "name": 'is required, as in {"name": "slack"}',
        "visibility": 'is required, as in {"visibility": "org"}',
    }


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        ("{'name': 1}", "from line 1, column 2 on; use double quotes"),
        ('{\n "name" 1\n}', "from line 2, column 9 on"),
        ('{"name": NaN}', "holds NaN, which is not JSON; write a number or null"),
        ("[]", 'must be a JSON object, such as {"name": "value"}'),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_place_or_what_helps(body: str, advice: str) -> None:
    assert advice in refused_fields(body)["body"]


def test_a_byte_order_mark_is_passed_over() -> None:
    """RFC 8259, section 8.1, lets a reader do so; Windows PowerShell's Out-File writes one."""
    assert read('\ufeff{"name": "slack"}') == {"name": "slack"}


def test_the_list_of_unknown_fields_is_cut_to_what_fits_an_answer() -> None:
    body = "{" + ",".join(f'"{"n" * 100}{number}": 1' for number in range(400)) + "}"

    fields = refused_fields(body)

    assert len(fields) <= 20
    assert all(len(name) <= 64 for name in fields)


@pytest.mark.parametrize("spaces", [64 << 10, 1 << 20])
def test_a_body_over_64_kib_is_413(spaces: int) -> None:
    with pytest.raises(PayloadTooLarge, match="65536"):
        read("{" + " " * spaces + "}")


def test_a_body_that_the_gateway_took_for_binary_is_read_as_well() -> None:
    event = event_with(base64.b64encode(b'{"name": "\xc3\xa9"}').decode(), binary=True)

    assert read_json(event, BODY) == {"name": "é"}


@pytest.mark.parametrize(
    "body", ["!", base64.b64encode(b'{"name": "\xff"}').decode()], ids=["no base64", "no UTF-8"]
)
def test_a_binary_body_that_is_not_utf_8_is_400(body: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_json(event_with(body, binary=True), BODY)

    assert list(refused.value.fields) == ["body"]


def test_thousands_of_fields_are_looked_at_without_comparing_each_with_each() -> None:
    body = "{" + ",".join(f'"{number}":0' for number in range(6000)) + "}"

    assert len(refused_fields(body)) == 20
