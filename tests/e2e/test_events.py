"""Every event in events/ is put to the built function under Lambda's own runtime interface."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from local.aws import Endpoint
from local.derived_template import environment_file
from local.environments import PROJECT
from local.function import running_function
from local.sam_deployment import function_environments, logical_id
from local.sample_events import narrowed, rendered, sample_events, stated_answer
from local.stack import StackDescription

CASES = sample_events()


@pytest.fixture(scope="module")
def environments(stack: StackDescription) -> dict[str, dict[str, str]]:
    """Return what `sam local` would give each function."""
    port = urlsplit(stack["endpoint_url"]).port
    assert port is not None
    variables = function_environments(endpoint=Endpoint(port))
    return environment_file(variables, endpoint_url=stack["endpoint_url"], port=port, hosts=[])


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_built_function_answers_the_event_as_it_states(
    path: Path, stack: StackDescription, environments: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    name = path.parent.name
    expected = stated_answer(path, stack["orgs"])
    assert expected is not None

    with running_function(
        name, environment=environments[logical_id(name)], log_path=tmp_path / "log"
    ) as function:
        answer = function.invoke(rendered(path, stack["orgs"]))

    assert narrowed(answer, expected) == expected, (tmp_path / "log").read_text()


def test_every_function_has_an_event() -> None:
    functions = {path.name for path in (PROJECT / "functions").iterdir() if (path / "app.py").exists()}

    assert functions == {path.parent.name for path in CASES}
