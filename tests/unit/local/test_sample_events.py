"""Events are filled in from the running stack, and answers compared with what they state."""

import json
from pathlib import Path
from typing import Any

import pytest
from local.environments import PROJECT
from local.sample_events import (
    NoEvent,
    UnknownPlaceholder,
    event_at,
    is_event,
    narrowed,
    rendered,
    sample_events,
    stated_answer,
)
from local.seeds import SeededOrg

ORGS: dict[str, SeededOrg] = {
    "acme": {"org_id": "org_01", "keys": {"full_access": "sk_1"}},
    "trial-over": {"org_id": "org_02", "keys": {"full_access": "sk_2"}},
}


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_placeholders_stand_for_what_the_stack_was_given(tmp_path: Path) -> None:
    event = written(
        tmp_path, "a.json", {"who": "{{acme.org_id}}", "key": "Bearer {{trial-over.full_access}}"}
    )

    assert rendered(event, ORGS) == {"who": "org_01", "key": "Bearer sk_2"}


@pytest.mark.parametrize("placeholder", ["{{nobody.org_id}}", "{{acme.no_such_set}}"])
def test_one_that_means_nothing_is_named(placeholder: str, tmp_path: Path) -> None:
    event = written(tmp_path, "a.json", {"who": placeholder})

    with pytest.raises(UnknownPlaceholder, match=placeholder.strip("{}")):
        rendered(event, ORGS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1', "is not JSON from line 1, column 8 on"),
        (b"", "is not JSON from line 1, column 1 on"),
        (b"\xff\xfe{\0", "is not JSON in UTF-8"),
    ],
)
def test_an_event_that_is_not_json_is_named_with_the_place(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(NoEvent) as refused:
        rendered(path, ORGS)

    assert str(refused.value) == f"{path} {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "events/get_pack/unkown.json",
            "no file events/get_pack/unkown.json; did you mean events/get_pack/unknown.json?",
        ),
        ("get_pack/unknown.json", "did you mean events/get_pack/unknown.json?"),
        ("/nowhere/x", "events/ has them, such as events/get_pack/unknown.json"),
        ("events/get_pack", "is a folder; take an event in it, or all of them: E='events/get_pack/*.json'"),
        ("events/get_pack/unknown.expected.json", "is an answer; the event is events/get_pack/unknown.json"),
    ],
)
def test_a_file_that_is_not_an_event_is_refused_with_advice(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT)

    with pytest.raises(NoEvent) as refused:
        event_at(text)

    assert said in str(refused.value)


def test_an_event_states_its_answer_in_the_file_beside_it(tmp_path: Path) -> None:
    event = written(tmp_path, "a.json", {})
    assert stated_answer(event, ORGS) is None

    written(tmp_path, "a.expected.json", {"org": "{{acme.org_id}}"})
    assert stated_answer(event, ORGS) == {"org": "org_01"}


@pytest.mark.parametrize(
    ("answer", "agrees"),
    [
        ({"statusCode": 404, "body": '{"error": {"code": "x", "request_id": "1"}}', "more": 1}, True),
        ({"statusCode": 404, "body": '{"error": {"code": "y"}}'}, False),
        ({"statusCode": 404}, False),
        ({"statusCode": 404, "body": "no JSON"}, False),
        ({"errorMessage": "Unauthorized", "errorType": "Unauthorized"}, False),
        (None, False),
    ],
)
def test_an_answer_agrees_when_it_holds_what_is_stated(answer: Any, agrees: bool) -> None:
    stated = {"statusCode": 404, "body": {"error": {"code": "x"}}}

    assert (narrowed(answer, stated) == stated) == agrees


def test_every_sample_event_states_an_answer() -> None:
    for path in sample_events():
        assert is_event(path)
        assert path.with_name(f"{path.stem}.expected.json").exists(), path
