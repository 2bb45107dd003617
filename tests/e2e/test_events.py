"""Every event in events/ is put to the built function under Lambda's own runtime interface.

`events/<function>/<case>.json` is the event, `<case>.expected.json` what the answer must hold: at least these fields,
with a JSON body taken apart. `{{acme.org_id}}` and `{{acme.full_access}}` stand for what the local stack was given.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from local.aws import Endpoint
from local.deployment import function_environment
from local.function import running_function
from local.stack import StackDescription

EVENTS = Path(__file__).parents[2] / "events"
FUNCTIONS = Path(__file__).parents[2] / "functions"
CASES = sorted(path for path in EVENTS.glob("*/*.json") if not path.name.endswith(".expected.json"))


def _filled_in(path: Path, stack: StackDescription) -> Any:
    def known(match: re.Match[str]) -> str:
        org = stack["orgs"][match[1]]
        return org["org_id"] if match[2] == "org_id" else org["keys"][match[2]]

    return json.loads(re.sub(r"\{\{([a-z-]+)\.([a-z_]+)\}\}", known, path.read_text()))


def _narrowed(answer: Any, expected: Any) -> Any:
    """Return of `answer` only what `expected` speaks of, so that the two can be compared."""
    if isinstance(expected, dict) and isinstance(answer, str):
        answer = json.loads(answer)
    if isinstance(expected, dict) and isinstance(answer, dict):
        return {key: _narrowed(answer[key], value) for key, value in expected.items() if key in answer}
    return answer


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_built_function_answers_the_event_as_expected(
    path: Path, stack: StackDescription, tmp_path: Path
) -> None:
    name = path.parent.name
    port = urlsplit(stack["endpoint_url"]).port
    assert port is not None
    environment = function_environment(name, endpoint=Endpoint(port)) | {
        "AWS_ENDPOINT_URL": stack["endpoint_url"]
    }
    expected = _filled_in(path.with_suffix(".expected.json"), stack)

    with running_function(name, environment=environment, log_path=tmp_path / "log") as function:
        answer = function.invoke(_filled_in(path, stack))

    assert _narrowed(answer, expected) == expected, (tmp_path / "log").read_text()


def test_every_function_has_an_event() -> None:
    functions = {path.name for path in FUNCTIONS.iterdir() if (path / "app.py").exists()}

    assert functions == {path.parent.name for path in CASES}
