"""If-Match, as RFC 9110 has it."""

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway import Request

from packyard.errors import InvalidRequest
from packyard.http.preconditions import read_conditions, read_if_match


def event_with(*lines: str, name: str = "If-Match") -> APIGatewayProxyEvent:
    event = Request(method="PATCH", resource="/packs/{id}").event()
    event["multiValueHeaders"] = {name: list(lines)} if lines else {}
    return APIGatewayProxyEvent(event)


def test_a_request_without_the_header_states_no_condition() -> None:
    assert read_if_match(event_with()) is None


@pytest.mark.parametrize("name", ["If-Match", "if-match", "IF-MATCH"])
def test_the_headers_name_is_read_in_any_case(name: str) -> None:
    condition = read_if_match(event_with('"3"', name=name))

    assert condition is not None
    assert condition.matches(3)
    assert not condition.matches(4)


@pytest.mark.parametrize(
    ("lines", "matched"),
    [
        pytest.param(['"3"'], {3}, id="one tag"),
        pytest.param(['"1", "3"'], {1, 3}, id="two tags"),
        pytest.param(['"1","3"'], {1, 3}, id="two tags without a space"),
        pytest.param([' \t"1" ,\t, "3", '], {1, 3}, id="empty elements and white space"),
        pytest.param(['"1"', '"3"'], {1, 3}, id="two lines"),
        pytest.param(["*"], {1, 2, 3, 4}, id="any"),
        pytest.param([" * "], {1, 2, 3, 4}, id="any, with white space"),
        pytest.param(['W/"3"'], set(), id="a weak tag never matches"),
        pytest.param(['W/"3", "4"'], {4}, id="a weak tag beside a strong one"),
        pytest.param(['"03"'], set(), id="tags are compared as they stand"),
        pytest.param(['"*"'], set(), id="a quoted asterisk is a tag"),
        pytest.param(['"1,3"'], set(), id="a comma inside a tag parts nothing"),
        pytest.param(['"xyzzy", ""'], set(), id="tags of others"),
        pytest.param(['"é"'], set(), id="a tag beyond ASCII"),
        pytest.param([",".join(['"9"'] * 255)], set(), id="many tags"),
    ],
)
def test_a_condition_holds_for_the_revisions_that_it_names(lines: list[str], matched: set[int]) -> None:
    condition = read_if_match(event_with(*lines))

    assert condition is not None
    assert {revision for revision in range(1, 5) if condition.matches(revision)} == matched


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([""], id="empty"),
        pytest.param([" , ,"], id="only empty elements"),
        pytest.param(["3"], id="no quotes"),
        pytest.param(['"3'], id="one quote"),
        pytest.param(["'3'"], id="single quotes"),
        pytest.param(['w/"3"'], id="a weakness mark in lower case"),
        pytest.param(['W/ "3"'], id="a weakness mark apart"),
        pytest.param(['"3" "4"'], id="no comma"),
        pytest.param(['*, "3"'], id="an asterisk in a list"),
        pytest.param(["*", "*"], id="an asterisk on two lines"),
        pytest.param(['"a b"'], id="a space in a tag"),
        pytest.param(['"\u0663"'], id="a character that no header can hold"),
        pytest.param(['"3"\n'], id="a line break"),
        pytest.param(['"' + "3" * 1024 + '"'], id="too long"),
        pytest.param([" " * 1024 + "3"], id="too long with white space"),
    ],
)
def test_an_invalid_list_of_entity_tags_is_400_on_the_header(lines: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_if_match(event_with(*lines))

    assert list(refused.value.fields) == ["If-Match"]


@given(st.text(alphabet=' ,*"W/3'))
def test_whatever_is_not_refused_is_a_condition(text: str) -> None:
    try:
        condition = read_if_match(event_with(text))
    except InvalidRequest:
        return
    assert condition is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("3", id="as a number"),
        pytest.param("'3'", id="single quotes"),
        pytest.param('"3', id="half of the quotes"),
        pytest.param('\\"3\\"', id="quotes with backslashes, from a shell or JSON"),
        pytest.param("\u201c3\u201d", id="quotes of a text processor"),
        pytest.param("W/3", id="weak, without quotes"),
        pytest.param('w/"3"', id="a weakness mark in lower case"),
    ],
)
def test_the_refusal_of_an_unquoted_revision_shows_the_quoted_form(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_if_match(event_with(text))

    assert 'If-Match: "3". In a shell, keep them by single quotes around' in refused.value.fields["If-Match"]


def conditions_of(if_none_match: list[str], **headers: str) -> APIGatewayProxyEvent:
    event = Request(method="PUT", resource="/agent-roles/{role_id}/packs").event()
    event["multiValueHeaders"] = {"If-None-Match": if_none_match} | {n: [v] for n, v in headers.items()}
    return APIGatewayProxyEvent(event)


def test_if_none_match_asks_for_a_creation_only() -> None:
    assert read_conditions(conditions_of(["*"])).create_only
    assert not read_conditions(event_with('"3"')).create_only
    assert read_conditions(event_with('"3"')).if_match == read_if_match(event_with('"3"'))


@pytest.mark.parametrize("lines", [['"3"'], ["*", "*"], ['*, "3"'], [""], ['"*"']])
def test_any_other_if_none_match_on_a_write_is_400(lines: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_conditions(conditions_of(lines))

    assert list(refused.value.fields) == ["If-None-Match"]


@pytest.mark.parametrize("lines", [["*"], ['"3"']])
def test_where_nothing_can_be_new_if_none_match_is_400_and_not_passed_over(lines: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_if_match(conditions_of(lines))

    assert list(refused.value.fields) == ["If-None-Match"]
