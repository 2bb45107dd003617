"""Deploys the template to the emulator: `sam build` with the layer for this machine, then `sam deploy`."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from local.aws import Endpoint
from local.command import Command, run
from local.console import build_console
from local.emulated_template import write_emulated
from local.environments import LOCAL, PROJECT, fingerprint, tool
from local.locks import exclusively
from local.progress import step

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

STACK = "packyard"
BUILT = LOCAL / "build"

_FOR = {"local": "", "container": " for a container on this machine"}
_SOURCES = ("template.yaml", "samconfig.toml", "uv.lock", "functions", "layers", "local")
_CODE_BUCKET = "packyard-code"
_VERSION_TAG = "packyard:version"
_STANDING = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The result of `sam build`.

    Attributes:
        template: The template whose code locations are the built folders.
        version: Changes whenever any of its sources changes.
    """

    template: Path
    version: str


def build(*, target: str = "local") -> Build:
    """Build layer and functions, unless nothing has changed since the last build.

    Args:
        target: What the layer is for (`layers/packyard/assemble.py`): `local`, the interpreter of this machine, or
            `container`, Lambda's runtime in a container on this machine.

    Raises:
        CommandFailed: They do not build.
    """
    build_console()
    version = fingerprint(*_source_contents())
    built = BUILT if target == "local" else LOCAL / target / "build"
    stamp = built.with_name("build.version")
    with exclusively(built.with_name("build.lock")):
        if not stamp.exists() or stamp.read_text() != version:
            stamp.unlink(missing_ok=True)
            with step(f"building the layer and the functions{_FOR[target]}"):
                run(
                    [tool("sam", "sam"), "build", "--build-dir", built],
                    folder=PROJECT,
                    environment=Endpoint(0).environment()
                    | {
                        "SAM_CLI_TELEMETRY": "0",
                        "PACKYARD_LAYER_TARGET": target,
                        "PYTHON": str(PROJECT / ".venv" / "bin" / "python"),
                    },
                )
            stamp.write_text(version)
    return Build(template=built / "template.yaml", version=version)


def deploy(build: Build, *, endpoint: Endpoint, door_host: str = "", registry_url: str | None = None) -> bool:
    """Deploy a build, unless it is deployed already. Return whether it was deployed now.

    Args:
        build: The build.
        endpoint: The emulator.
        door_host: The address and port of the distribution door; by default that of its API.
        registry_url: Where functions find the registry; by default the emulator itself.

    Raises:
        CommandFailed: The template does not deploy.
    """
    session = endpoint.session()
    cloudformation = session.client("cloudformation", endpoint_url=endpoint.url)
    version = f"{build.version}@{door_host}"
    if _standing_version(cloudformation) == version:
        return False
    session.client("s3", endpoint_url=endpoint.url).create_bucket(Bucket=_CODE_BUCKET)
    what: Command = ["--template-file", write_emulated(build.template), "--s3-bucket", _CODE_BUCKET]
    tags = ["--tags", f"{_VERSION_TAG}={version}"]
    # SAM does not find it beside the built template.
    config: Command = ["--config-file", PROJECT / "samconfig.toml", "--config-env", "local"]
    # Overrides on the command line replace those of the file.
    addresses = [f"RegistryUrl={registry_url or endpoint.url}"]
    if door_host:
        addresses.append(f"DoorHost={door_host}")
    parameters = ["--parameter-overrides", *addresses, *_local_overrides()]
    with step("deploying the template"):
        run(
            # SAM and the emulator write and read JSON many times as fast as YAML.
            [tool("sam", "sam"), "deploy", "--use-json", *config, *what, *tags, *parameters],
            folder=PROJECT,
            environment=endpoint.environment() | {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.5"},
        )
    return True


def outputs(*, endpoint: Endpoint) -> dict[str, str]:
    """Return the deployed stack's outputs."""
    cloudformation = endpoint.session().client("cloudformation", endpoint_url=endpoint.url)
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def logical_id(name: str) -> str:
    """Return the logical id of a function, from the name of its folder in `functions/`."""
    return name.title().replace("_", "")


def function_environment(name: str, *, endpoint: Endpoint) -> dict[str, str]:
    """Return the variables that the deployed stack gives a function.

    Args:
        name: Its folder in `functions/`.
        endpoint: The emulator that has the stack.
    """
    return function_environments(endpoint=endpoint)[logical_id(name)]


def function_environments(*, endpoint: Endpoint) -> dict[str, dict[str, str]]:
    """Return the variables that the deployed stack gives its functions, by logical id.

    Args:
        endpoint: The emulator that has the stack.
    """
    session = endpoint.session()
    functions = session.client("lambda", endpoint_url=endpoint.url)
    stated = {
        function["FunctionName"]: function["Environment"]["Variables"]
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if "Environment" in function
    }
    cloudformation = session.client("cloudformation", endpoint_url=endpoint.url)
    return {
        resource["LogicalResourceId"]: stated[resource["PhysicalResourceId"]]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


def _local_overrides() -> list[str]:
    with (PROJECT / "samconfig.toml").open("rb") as file:
        overrides: list[str] = tomllib.load(file)["local"]["deploy"]["parameters"]["parameter_overrides"]
    return overrides


def _source_contents() -> Iterator[bytes]:
    for source in _SOURCES:
        path = PROJECT / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield str(file.relative_to(PROJECT)).encode()
                yield file.read_bytes()


def _standing_version(cloudformation: "CloudFormationClient") -> str | None:
    try:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    if stack["StackStatus"] not in _STANDING:
        return None
    return next((tag["Value"] for tag in stack.get("Tags", []) if tag["Key"] == _VERSION_TAG), None)
