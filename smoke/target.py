"""The deployment under trial: its API, its registry, and access for the operator's commands."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from local.sam_deployment import STACK
from local.standing_stack import standing_stack

from packyard_admin.admin import Admin
from packyard_admin.deployment import of_stack
from packyard_cli.failure import Exit, Failure

_ECR: Final = re.compile(r"https://\d+\.dkr[.-]ecr\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A deployment.

    Attributes:
        name: What it is called.
        api_url: The base URL of its API.
        registry_url: The base URL of the registry with its images.
        registry_headers: The headers with the registry's credential.
        admin: The operator's commands, for organisations and keys.
    """

    name: str
    api_url: str
    registry_url: str
    registry_headers: Mapping[str, str]
    admin: Admin


def local_target(port: int) -> Target:
    """Return the stack that `make run` runs on a port.

    Raises:
        StackNotRunning: There is none.
    """
    found = standing_stack(port).description
    return stack_target(
        STACK,
        # The emulator checks no credentials.
        session=boto3.Session("test", "test", region_name=found["region"]),
        endpoint_url=found["endpoint_url"],
        api_url=found["api_url"],
    )


def stack_target(
    name: str,
    *,
    session: boto3.Session,
    endpoint_url: str | None = None,
    api_url: str | None = None,
    registry_login: str | None = None,
) -> Target:
    """Return the deployment of a CloudFormation stack, from the stack's outputs.

    Args:
        name: The stack.
        session: The user's credentials and Region.
        endpoint_url: The URL of AWS; by default, AWS itself.
        api_url: Where the API is; by default, where the stack says.
        registry_login: `user:password` for a registry that is not ECR and wants Basic; by default it is read
            anonymously.

    Raises:
        Failure: There is no such stack, or its outputs are incomplete.
        ClientError, BotoCoreError: AWS refused or did not answer.
    """

    def client(service: Any) -> Any:
        return session.client(service, endpoint_url=endpoint_url)

    deployment = of_stack(name, cloudformation=client("cloudformation"))
    where = api_url or deployment.api_url
    registry = deployment.registry_url
    if where is None or registry is None:
        raise Failure(
            Exit.NOT_FOUND,
            f"The outputs of the stack {name!r} lack the address of its API or its registry.",
            "Deploy it again.",
        )
    return Target(
        name=name,
        api_url=where.rstrip("/"),
        registry_url=registry.rstrip("/"),
        registry_headers=_registry_headers(registry, client, registry_login),
        admin=Admin(client=client, deployment=deployment),
    )


def _registry_headers(
    registry_url: str, client: Callable[[Any], Any], login: str | None
) -> Mapping[str, str]:
    if _ECR.match(registry_url):
        # API_GetAuthorizationToken: the token is `AWS:password` in base64, as Basic requires (RFC 7617).
        token = client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return {"Authorization": f"Basic {token}"}
    if login:
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return {}
