"""What `make invoke` and `make start-api` give to SAM CLI, and what SAM makes of it: all but the containers."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from layers.packyard.toolchain import RUNTIME, find_python, processor
from local.aws import Endpoint
from local.derived_template import ENDPOINT, WRAPPER, environment_file, write_template
from local.environments import PROJECT, tool
from local.forwarder import VARIABLE
from local.sam_deployment import Build, build
from local.sample_events import rendered, sample_events
from local.stack import StackDescription
from local.standing_stack import StackNotRunning, StandingStack, standing_stack
from tests.aws import template

VIEW = Path(__file__).parent / "sam" / "view.py"

# What SAM says of a processor, in the names of extension modules (PEP 3149) and in ELF headers (e_machine).
MACHINES = {"x86_64": ("x86_64", 62), "arm64": ("aarch64", 183)}


@pytest.fixture(scope="module")
def standing(stack: StackDescription, tmp_path_factory: pytest.TempPathFactory) -> StandingStack:
    folder = tmp_path_factory.mktemp("state")
    (folder / "stack.json").write_text(json.dumps(stack))
    return standing_stack(port_of(stack), folder=folder)


@pytest.fixture(scope="module")
def built(stack: StackDescription) -> Build:  # noqa: ARG001 - it has prepared the tools
    return build(target="container")


@pytest.fixture(scope="module")
def variables(standing: StandingStack) -> dict[str, dict[str, str]]:
    return environment_file(
        standing.variables,
        endpoint_url=standing.description["endpoint_url"],
        port=standing.port,
        hosts=["192.0.2.1"],
    )


@pytest.fixture(scope="module")
def view(
    built: Build, variables: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Return what SAM CLI itself reads out of the derived template and the env file."""
    environment = tmp_path_factory.mktemp("sam") / "environment.json"
    environment.write_text(json.dumps(variables))
    printed = subprocess.run(  # noqa: S603 - our own code
        [tool("sam", "python"), VIEW, write_template(built), environment],
        check=True,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=Endpoint(0).environment() | {"SAM_CLI_TELEMETRY": "0"},
    ).stdout
    seen: dict[str, Any] = json.loads(printed)
    return seen


def port_of(stack: StackDescription) -> int:
    port = urlsplit(stack["endpoint_url"]).port
    assert port is not None
    return port


def test_the_env_file_has_a_real_value_for_every_variable_that_a_function_declares(
    variables: dict[str, dict[str, str]],
) -> None:
    resources = template()["Resources"]
    shared = template()["Globals"]["Function"]["Environment"]["Variables"]
    declared = {
        name: shared.keys() | resource["Properties"].get("Environment", {}).get("Variables", {}).keys()
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }

    assert variables.keys() == declared.keys()
    for name, stated in variables.items():
        assert stated.keys() == declared[name] | {ENDPOINT, WRAPPER, VARIABLE}
        for value in stated.values():
            assert "{{resolve" not in value
            assert value not in resources


def test_sam_gives_a_function_what_the_env_file_says(
    view: dict[str, Any], variables: dict[str, dict[str, str]]
) -> None:
    for name, function in view["functions"].items():
        assert variables[name].items() <= function["variables"].items()


def test_sam_gives_a_function_the_way_to_the_emulator_and_credentials_that_it_takes(
    view: dict[str, Any], stack: StackDescription
) -> None:
    for function in view["functions"].values():
        given = function["variables"]
        assert given["AWS_ENDPOINT_URL"] == stack["endpoint_url"]
        # Our S3 client (clients.py) puts the bucket in front of the host, which botocore does to names only.
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", given["AWS_ENDPOINT_URL"])
        assert given["PACKYARD_LOCAL_FORWARD"] == f"{port_of(stack)} 192.0.2.1"
        assert given["AWS_ACCESS_KEY_ID"] == "test"
        assert given["AWS_REGION"] == stack["region"]


def test_sam_finds_the_authorizer_of_every_route_that_has_one(view: dict[str, Any]) -> None:
    free = {route for route, authorizer in view["routes"].items() if authorizer is None}

    assert free == {
        *("GET /openapi.json", "GET /docs", "GET /token"),
        # The page asks for a credential itself.
        *("GET /console", "GET /console/assets/{asset}"),
        # A token of CI is the credential itself; whoever checks statements has none of ours.
        *("POST /oidc/exchange", "GET /.well-known/packyard/keys.json"),
        # The secret in the path is the credential.
        *(f"GET /f/{{secret}}/{path}" for path in ("{path+}", "api/{path+}", "mcp", "marketplace.json")),
        *("GET /f/{secret}/lock.json", "GET /f/{secret}/bundle.tar", "POST /f/{secret}/mcp"),
    }
    assert set(view["routes"].values()) == {"Authorize", "AuthorizePull", None}


def test_sam_runs_all_functions_on_this_machine_s_processor_with_the_wrapper_in_their_layer(
    view: dict[str, Any],
) -> None:
    for name, function in view["functions"].items():
        assert function["architecture"] == processor().on_lambda
        # Beside the layer of all functions, the scanner's has one of its own.
        layer, *more = function["layers"]
        assert len(more) == (name == "ScanContent")
        wrapper = PROJECT / layer / function["variables"][WRAPPER].removeprefix("/opt/")
        assert os.access(wrapper, os.X_OK)


def test_the_layer_is_for_this_machine_s_processor_and_the_runtime(built: Build) -> None:
    layer = built.template.parent / "PackyardLayer" / "python"
    named, machine = MACHINES[processor().on_lambda]
    native = list(layer.rglob("*.so"))
    tags = {path.name.split(".")[-2] for path in layer.rglob("*.pyc")}

    assert native
    # ELF-64 Object File Format: e_machine at offset 18, little-endian on both processors.
    assert {module.read_bytes()[18:20] for module in native} == {machine.to_bytes(2, "little")}
    assert all(f"cpython-313-{named}" in module.name or ".abi3." in module.name for module in native)
    # A machine without that Python builds the layer without bytecode, and says so.
    present = find_python(RUNTIME, environment=os.environ)
    assert tags == ({f"cpython-{RUNTIME.replace('.', '')}"} if present else set())


def test_the_template_for_aws_stays_as_it_is(built: Build) -> None:
    before = built.template.read_bytes()

    write_template(built)

    assert built.template.read_bytes() == before
    assert b"Authorize.Alias" in before


def test_no_placeholder_is_left_in_an_event(stack: StackDescription) -> None:
    for path in sample_events():
        assert "{{" not in json.dumps(rendered(path, stack["orgs"])), path


def test_a_stack_that_does_not_run_is_not_found_and_the_command_that_starts_it_is_said(
    stack: StackDescription, tmp_path: Path
) -> None:
    with pytest.raises(StackNotRunning, match="PORT=4999 make run"):
        standing_stack(4999, folder=tmp_path)

    # Another clone's, on the port that ours had.
    (tmp_path / "stack.json").write_text(json.dumps(stack | {"table": "packyard-Table-of-before"}))
    with pytest.raises(StackNotRunning, match="no stack of this folder"):
        standing_stack(port_of(stack), folder=tmp_path)


def test_without_an_engine_the_event_is_answered_all_the_same_and_this_is_said(
    stack: StackDescription,
) -> None:
    path = PROJECT / "events" / "authorize" / "key.json"
    state = PROJECT / ".local" / "state" / str(port_of(stack))
    state.mkdir(parents=True)
    try:
        (state / "stack.json").write_text(json.dumps(stack))
        ended = subprocess.run(  # noqa: S603 - our own code
            [
                *(PROJECT / ".venv" / "bin" / "python", "-m", "local.sam_local"),
                *("--port", str(port_of(stack)), "invoke", path),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=PROJECT,
            env=os.environ | {"DOCKER_HOST": "unix:///nowhere"},
        )
    finally:
        (state / "stack.json").unlink()
        state.rmdir()

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("· DOCKER_HOST=unix:///nowhere does not answer (unset it")
    assert "runtime interface emulator" in ended.stdout.splitlines()[0]
    assert ended.stdout.endswith("· events/authorize/key.json states this answer\n")
