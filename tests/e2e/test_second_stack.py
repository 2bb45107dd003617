"""What no test may do to the stack that all share: it ends and starts again, and then gets other parameters.

What it holds survives. Everything calls published versions: another parameter must reach them, and snapshots start them
just the same.
"""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from local.aws import Endpoint
from local.environments import PROJECT, prepare
from local.function import free_port
from local.sam_deployment import STACK
from local.stack import StackDescription, running_stack
from tests.e2e.client import Client, Reply, without_states

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef


@dataclass(frozen=True)
class Restarted:
    """A stack that has ended and started again, and what was published before."""

    first: StackDescription
    second: StackDescription
    published: Reply


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarted]:
    prepare()
    folder, port = tmp_path_factory.mktemp("second"), free_port()
    with running_stack(folder=folder, port=port) as first:
        published = Client.of(first, "acme").upload(_sample_pack())
    with running_stack(folder=folder, port=port) as second:
        yield Restarted(first, second, published)


@pytest.fixture
def endpoint(restarted: Restarted) -> Endpoint:
    return Endpoint(int(restarted.second["endpoint_url"].rpartition(":")[2]))


def _sample_pack() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(PROJECT / "examples" / "hello-pack", "hello-pack")
    return archive.getvalue()


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


def test_what_a_stack_holds_survives_its_restart(restarted: Restarted) -> None:
    published = restarted.published

    read = Client.of(restarted.first, "acme").call("GET", f"/packs/{published.body['id']}")
    stranger = Client.of(restarted.first).call("GET", "/packs")

    assert restarted.second == restarted.first
    assert (read.status, without_states(read.body)) == (200, without_states(published.body))
    assert (stranger.status, stranger.code) == (401, "unauthenticated")


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
