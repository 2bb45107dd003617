"""The deployment that the commands work on: a stack by its name, or its parts one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from packyard.packs.usage import NO_QUOTAS, Quotas
from packyard_cli.failure import Exit, Failure

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# The template's own.
DEFAULT_PREFIX: Final = "packs"
DEFAULT_EVENT_DAYS: Final = 400
_QUEUE, _DEAD_LETTERS = "QueueUrl", "DeadLettersUrl"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkQueue:
    """A queue and its dead-letter queue.

    Attributes:
        name: What the operator calls it.
        url: The queue's URL.
        dead_letters_url: The URL of its dead-letter queue.
    """

    name: str
    url: str
    dead_letters_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the commands need to know of a deployment. A part that was not given is missing.

    Attributes:
        table_name: The table; None when not given.
        queues: Its queues, by name.
        repository_prefix: The prefix of the repositories of built packs.
        event_days: For how many days events are kept: the stack's parameter `EventDays`.
        quotas: What an organisation may use for which no limit is set: the stack's parameters `Quota...`; no limits
            where they are not known.
        api_url: The base URL of its API on the stage, without the custom domain; None if not known.
        registry_url: The base URL of the registry with the built images; None when not known.
    """

    table_name: str | None
    queues: Mapping[str, WorkQueue]
    repository_prefix: str = DEFAULT_PREFIX
    event_days: int = DEFAULT_EVENT_DAYS
    quotas: Quotas = NO_QUOTAS
    api_url: str | None = None
    registry_url: str | None = None

    def table(self) -> str:
        """Return the table's name.

        Raises:
            Failure: It was not given.
        """
        if self.table_name is None:
            raise Failure(Exit.USAGE, "The command line names no deployment.", "Give --stack, or --table.")
        return self.table_name

    def queue(self, name: str) -> WorkQueue:
        """Return a queue.

        Raises:
            Failure: It was not given.
        """
        if name not in self.queues:
            known = ", ".join(self.queues) or "none"
            raise Failure(
                Exit.USAGE,
                f"The {name} queue of the deployment is not known; known: {known}.",
                f"Give --stack, or --queue and --dead-letters of its {name} queue.",
            )
        return self.queues[name]


def of_stack(name: str, *, cloudformation: "CloudFormationClient") -> Deployment:
    """Return the deployment of a stack, from the stack's outputs.

    Raises:
        Failure: There is no such stack, or it is not one of ours.
    """
    try:
        stack: Any = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            raise Failure(
                Exit.NOT_FOUND,
                f"There is no stack {name!r} in this account and Region.",
                "Check the stack's name, the Region, and AWS_PROFILE.",
            ) from None
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    parameters = {
        each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", [])
    }
    if "TableName" not in outputs:
        raise Failure(
            Exit.NOT_FOUND, f"The stack {name!r} is not a deployment of Packyard.", "Name another stack."
        )
    return Deployment(
        table_name=outputs["TableName"],
        queues=_queues(outputs),
        repository_prefix=outputs.get("RepositoryPrefix", DEFAULT_PREFIX),
        event_days=int(parameters.get("EventDays", DEFAULT_EVENT_DAYS)),
        quotas=_quotas(parameters),
        api_url=outputs.get("ApiUrl"),
        registry_url=outputs.get("RegistryUrl"),
    )


def of_parts(
    *,
    table_name: str | None,
    queue_url: str | None,
    dead_letters_url: str | None,
    repository_prefix: str = DEFAULT_PREFIX,
) -> Deployment:
    """Return a deployment with the given parts. The queue is the cleanup queue."""
    queues = {}
    if queue_url and dead_letters_url:
        queues["cleanup"] = WorkQueue(name="cleanup", url=queue_url, dead_letters_url=dead_letters_url)
    return Deployment(table_name=table_name, queues=queues, repository_prefix=repository_prefix)


def _queues(outputs: Mapping[str, str]) -> Mapping[str, WorkQueue]:
    """Return every queue that has dead letters: outputs `<Name>QueueUrl` and `<Name>DeadLettersUrl`."""
    prefixes: Sequence[str] = [
        key.removesuffix(_DEAD_LETTERS) for key in outputs if key.endswith(_DEAD_LETTERS)
    ]
    return {
        prefix.lower(): WorkQueue(
            name=prefix.lower(),
            url=outputs[prefix + _QUEUE],
            dead_letters_url=outputs[prefix + _DEAD_LETTERS],
        )
        for prefix in sorted(prefixes)
    }


def _quotas(parameters: Mapping[str, str]) -> Quotas:
    return Quotas(
        packs=int(parameters.get("QuotaPacks", 0)) or None,
        stored_bytes=int(parameters.get("QuotaStoredBytes", 0)) or None,
        publishes_a_day=int(parameters.get("QuotaPublishesADay", 0)) or None,
        builds_at_once=int(parameters.get("QuotaBuildsAtOnce", 0)) or None,
    )
