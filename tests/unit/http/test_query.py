"""The names in a query string: those that an operation takes, each once."""

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests.gateway import Request

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.http.query import require_known

KNOWN = [Field(name=name) for name in ("limit", "cursor", "owned")]


def event_with(query: dict[str, str | list[str]]) -> APIGatewayProxyEvent:
    return APIGatewayProxyEvent(Request(method="GET", resource="/packs", query=query).event())


@pytest.mark.parametrize("query", [{}, {"limit": "1"}, {"limit": "1", "cursor": "", "owned": "maybe"}])
def test_what_is_known_passes_whatever_its_value(query: dict[str, str | list[str]]) -> None:
    require_known(event_with(query), KNOWN)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        pytest.param({"x": "2"}, ("x", "known are cursor, limit, owned"), id="unknown"),
        pytest.param({"page": "2"}, ("page", "did you mean cursor?"), id="as other APIs call it"),
        pytest.param(
            {"Per_Page": "2"}, ("Per_Page", "did you mean limit?"), id="as others do, in another case"
        ),
        pytest.param(
            {"search": "x"}, ("search", "known are"), id="as others call what this one does not have"
        ),
        pytest.param(
            {"sort": "name"}, ("sort", "the order is always the same"), id="what has another answer"
        ),
        pytest.param({"limt": "2"}, ("limt", "did you mean limit?"), id="a typing error"),
        pytest.param({"Limit": "2"}, ("Limit", "did you mean limit?"), id="in another case"),
        pytest.param({"limit": ["1", "2"]}, ("limit", "is given 2 times"), id="repeated"),
        pytest.param({"limit": ["1", "1"]}, ("limit", "is given 2 times"), id="repeated alike"),
        pytest.param({"": "x"}, ("query", "is not a query parameter"), id="without a name"),
        pytest.param({"_": "1732"}, ("_", "is not a query parameter"), id="a cache buster"),
        pytest.param({"limit[]": "1"}, ("limit[]", "did you mean limit?"), id="as PHP writes a list"),
        pytest.param({"x" * 5000: "1"}, ("x" * 64, "is not a query parameter"), id="longer than is shown"),
    ],
)
def test_anything_else_is_400_by_its_name(query: dict[str, str | list[str]], fault: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        require_known(event_with(query), KNOWN)

    ((name, reason),) = refused.value.fields.items()
    assert name == fault[0]
    assert fault[1] in reason


def test_an_operation_without_parameters_says_so() -> None:
    with pytest.raises(InvalidRequest) as refused:
        require_known(event_with({"version": "1"}))

    assert refused.value.fields == {"version": "is not a query parameter of this operation, which takes none"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_one_with_a_body_says_that_fields_go_there(method: str) -> None:
    event = APIGatewayProxyEvent(
        Request(method=method, resource="/packs", query={"visibility": "community"}).event()
    )

    with pytest.raises(InvalidRequest, match="takes none; its fields go into the body"):
        require_known(event)


def test_of_many_unknown_names_the_first_twenty_are_told() -> None:
    with pytest.raises(InvalidRequest) as refused:
        require_known(event_with({f"p{number:04d}": "" for number in range(3000)}), KNOWN)

    assert list(refused.value.fields) == [f"p{number:04d}" for number in range(20)]
