"""If-None-Match: which clients have the body already."""

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests.gateway import Request

from packyard.http.entity_tags import is_known


def event_with(*lines: str, name: str = "If-None-Match") -> APIGatewayProxyEvent:
    event = Request(method="GET", resource="/packs/{id}").event()
    event["multiValueHeaders"] = {name: list(lines)} if lines else {}
    return APIGatewayProxyEvent(event)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(['"3"'], id="the tag"),
        pytest.param(["*"], id="any"),
        pytest.param([" * "], id="any, with white space"),
        pytest.param(['W/"3"'], id="a weak one: this header compares weakly (RFC 9110, section 13.1.2)"),
        pytest.param(['"1", W/"2" ,"3"'], id="in a list"),
        pytest.param(['"1"', '"3"'], id="on another line"),
        pytest.param(["3"], id="without its quotes, as clients of S3 are used to"),
        pytest.param(["W/3"], id="weak and without its quotes"),
    ],
)
def test_a_client_has_the_body_that_it_names(lines: list[str]) -> None:
    assert is_known(event_with(*lines), '"3"')


@pytest.mark.parametrize("name", ["If-None-Match", "if-none-match", "IF-NONE-MATCH"])
def test_the_header_s_name_is_read_in_any_case(name: str) -> None:
    assert is_known(event_with('"3"', name=name), '"3"')


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="no header"),
        pytest.param([""], id="an empty one"),
        pytest.param(['"4"'], id="another tag"),
        pytest.param(['"33"', '"3a"'], id="longer ones"),
        pytest.param(['"1,3,5"'], id="the tag's text within another tag"),
        pytest.param(['"*"'], id="a quoted asterisk is a tag"),
        pytest.param(['"3-gzip"'], id="with a proxy's suffix: the body comes again, which harms nobody"),
        pytest.param(['""'], id="an empty tag"),
    ],
)
def test_any_other_client_gets_the_body(lines: list[str]) -> None:
    assert not is_known(event_with(*lines), '"3"')
