"""The local stack: emulator, template and organisations, ready for requests."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from local.aws import Endpoint
from local.door import Door, open_door
from local.emulator import HOST, REGION, running_emulator
from local.locks import holding
from local.sam_deployment import build, deploy, outputs
from local.seeds import SeededOrg, seed, seeding_events
from local.shortfalls import (
    DOOR_STAGE,
    STAGE,
    DeployedApi,
    allow_plain_http,
    has_gateway_responses,
    set_gateway_responses,
)
from packyard.store.table import Table
from packyard.store.tenants import TenantStore


class StackDescription(TypedDict):
    """The addresses and keys of a running local stack, as in `stack.json`."""

    api_url: str
    endpoint_url: str
    region: str
    registry: str
    door: str
    table: str
    bucket: str
    cleanup_queue_url: str
    orgs: dict[str, SeededOrg]


@contextmanager
def running_stack(
    *, folder: Path, port: int, functions_call: str | None = None
) -> Iterator[StackDescription]:
    """Run the stack while the block lasts.

    Args:
        folder: Its state. A state that exists is used again.
        port: The port of the whole stack, on 127.0.0.1 only.
        functions_call: The URL of a proxy between the functions and AWS, the registry included; by default none.

    Raises:
        StackRunning: The state is in use.
        EmulatorFailed, CommandFailed: It did not start.
    """
    with holding(folder):
        built = build()
        with (
            running_emulator(folder=folder, port=port, functions_call=functions_call),
            open_door(folder=folder, emulator_port=port) as door,
        ):
            endpoint = Endpoint(port)
            deploy(built, endpoint=endpoint, door_host=door.host, registry_url=functions_call)
            yield _describe(folder, endpoint, door)


def _describe(folder: Path, endpoint: Endpoint, door: Door) -> StackDescription:
    deployed = outputs(endpoint=endpoint)
    door.api_id = deployed["DoorId"]
    _make_up_for_shortfalls(deployed, endpoint, door)
    dynamodb = endpoint.session().client("dynamodb", endpoint_url=endpoint.url)
    table = Table(client=dynamodb, name=deployed["TableName"], sleep=time.sleep)
    description: StackDescription = {
        "api_url": f"{endpoint.url}/restapis/{deployed['ApiId']}/{STAGE}/_user_request_",
        "endpoint_url": endpoint.url,
        "region": REGION,
        "registry": f"{HOST}:{endpoint.port}",
        "door": door.host,
        "table": deployed["TableName"],
        "bucket": deployed["StagingBucketName"],
        "cleanup_queue_url": deployed["CleanupQueueUrl"],
        "orgs": seed(
            tenants=TenantStore(table=table, events=seeding_events()),
            remembered=folder / "tenants.json",
            clock=lambda: datetime.now(UTC),
        ),
    }
    (folder / "stack.json").write_text(json.dumps(description, indent=2))
    return description


def _make_up_for_shortfalls(deployed: Mapping[str, str], endpoint: Endpoint, door: Door) -> None:
    session = endpoint.session()
    apigateway = session.client("apigateway", endpoint_url=endpoint.url)
    apis = (
        DeployedApi(api_id=deployed["ApiId"], resource="Api", stage=STAGE),
        DeployedApi(
            api_id=deployed["DoorId"],
            resource="Door",
            stage=DOOR_STAGE,
            context={"challenge": door.challenge},
        ),
    )
    for api in apis:
        # The error answers may be missing after any deployment, which makes a changed API anew.
        if not has_gateway_responses(api.api_id, apigateway=apigateway):
            cloudformation = session.client("cloudformation", endpoint_url=endpoint.url)
            set_gateway_responses(api, cloudformation=cloudformation, apigateway=apigateway)
    allow_plain_http(deployed["StagingBucketName"], s3=session.client("s3", endpoint_url=endpoint.url))
