"""Everything calls published versions: another parameter must reach them, and snapshots start them just the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from local.aws import Endpoint
from local.emulator import running_emulator
from local.environments import prepare
from local.function import free_port
from local.sam_deployment import STACK, build, deploy

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    prepare()
    port = free_port()
    with running_emulator(folder=tmp_path, port=port):
        endpoint = Endpoint(port)
        deploy(build(), endpoint=endpoint)
        yield endpoint


def published(endpoint: Endpoint, resource: str) -> "FunctionConfigurationResponseTypeDef":
    """Return the configuration that the API's calls of a function meet."""
    session = endpoint.session()
    cloudformation = session.client("cloudformation", endpoint_url=endpoint.url)
    found = cloudformation.describe_stack_resource(StackName=STACK, LogicalResourceId=resource)
    functions = session.client("lambda", endpoint_url=endpoint.url)
    return functions.get_function_configuration(
        FunctionName=found["StackResourceDetail"]["PhysicalResourceId"], Qualifier="live"
    )


def update(endpoint: Endpoint, **changed: str) -> None:
    """Give the stack other values for some parameters, and leave the rest."""
    cloudformation = endpoint.session().client("cloudformation", endpoint_url=endpoint.url)
    standing = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]
    cloudformation.update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"],
        Parameters=[
            {
                "ParameterKey": parameter["ParameterKey"],
                "ParameterValue": changed.get(parameter["ParameterKey"], parameter["ParameterValue"]),
            }
            for parameter in standing
        ],
    )
    cloudformation.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def test_another_parameter_reaches_what_is_called(endpoint: Endpoint) -> None:
    before = published(endpoint, "GetPack")

    update(endpoint, SnapStart="on", RepositoryPrefix="others")

    after = published(endpoint, "GetPack")
    assert before["Environment"]["Variables"]["PACKYARD_REPOSITORY_PREFIX"] == "packs"
    assert after["Environment"]["Variables"]["PACKYARD_REPOSITORY_PREFIX"] == "others"
    assert int(after["Version"]) > int(before["Version"])
    assert before["SnapStart"]["OptimizationStatus"] == "Off"
    assert after["SnapStart"]["OptimizationStatus"] == "On"
    assert published(endpoint, "BuildUpload")["SnapStart"]["OptimizationStatus"] == "Off"
