"""How the operator's commands find a deployment."""

from typing import Any

import pytest
from tests.aws import template

from packyard_admin.deployment import WorkQueue, of_stack
from packyard_cli.failure import Failure

QUEUES = {
    "CleanupQueueUrl": "https://sqs.example/cleanup",
    "CleanupDeadLettersUrl": "https://sqs.example/cleanup-dead",
    "BuildQueueUrl": "https://sqs.example/build",
    "BuildDeadLettersUrl": "https://sqs.example/build-dead",
}


class CloudFormation:
    """Knows one stack."""

    def __init__(self, outputs: dict[str, str]) -> None:
        self._outputs = outputs

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self._outputs.items()]
        return {"Stacks": [{"Outputs": outputs}]}


def test_a_stack_s_outputs_say_where_everything_is() -> None:
    cloudformation: Any = CloudFormation({"TableName": "table", "ApiUrl": "https://api.example", **QUEUES})

    deployment = of_stack("packyard", cloudformation=cloudformation)

    assert deployment.table() == "table"
    assert deployment.queue("build") == WorkQueue(
        name="build", url="https://sqs.example/build", dead_letters_url="https://sqs.example/build-dead"
    )
    assert deployment.queue("cleanup").url == "https://sqs.example/cleanup"
    with pytest.raises(Failure, match="mail"):
        deployment.queue("mail")


def test_a_stack_of_something_else_is_left_alone() -> None:
    cloudformation: Any = CloudFormation({"BucketName": "somebody-s-website"})

    with pytest.raises(Failure, match="not a deployment"):
        of_stack("website", cloudformation=cloudformation)


def test_the_template_names_every_queue_beside_its_dead_letters() -> None:
    outputs = template()["Outputs"]
    dead_letters = [
        name.removesuffix("DeadLettersUrl") for name in outputs if name.endswith("DeadLettersUrl")
    ]

    assert dead_letters
    assert {f"{name}QueueUrl" for name in dead_letters} <= set(outputs)
