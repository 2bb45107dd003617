"""Logins at Amazon ECR that open a list of repositories: of a role's session that a policy of its own narrows.

The session can do what both its role and its policy allow (IAM user guide, "Session policies"). So the policy need not
repeat the account and the Region, which leaves room for more repositories.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError

from packyard.aws.outages import error_code, outages_translated

# STS API Reference, AssumeRole, `Policy`: the longest text of a session policy, in characters.
MAX_POLICY: Final = 2048
# As in AWS's managed policy AmazonEC2ContainerRegistryPullOnly.
PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")

# The longest session that temporary credentials, as those of a function, can get (AssumeRole, "role chaining"). AWS
# does not say whether ECR's login ends with the session that asked for it. If it does, the login lasts for an hour.
_SESSION_SECONDS: Final = 3600
# AssumeRole, `RoleSessionName`.
_MAX_SESSION_NAME: Final = 64


class EcrLogin(NamedTuple):
    """A login at ECR.

    Attributes:
        expires_at: As ECR says; 12 hours from now (ECR API Reference, GetAuthorizationToken).
    """

    username: str
    password: str
    expires_at: datetime


class PolicyTooLarge(Exception):
    """The repositories do not fit into a session policy.

    Args:
        room: For how many of them, from the first, there is room; None if only STS knows.
    """

    def __init__(self, room: int | None) -> None:
        super().__init__("the repositories do not fit into a session policy")
        self.room = room


@dataclass(frozen=True, slots=True, kw_only=True)
class EcrLogins:
    """Gets logins at ECR.

    Attributes:
        sts: Returns STS's client.
        ecr: Makes ECR's client with the credentials of a session, as AssumeRole returns them.
        role_arn: The role whose sessions may pull from all of our repositories.
    """

    sts: Callable[[], Any]
    ecr: Callable[[Mapping[str, Any]], Any]
    role_arn: str

    def issue(self, repositories: Sequence[str], *, session: str) -> EcrLogin:
        """Return a login with which the repositories can be pulled from, and nothing else can be done.

        Args:
            repositories: Their names, each once; at least one.
            session: What AWS's own log (CloudTrail) calls the session: letters, digits and `_=,.@-`. It is cut off
                after 64 characters.

        Raises:
            PolicyTooLarge: They are too many. Nothing was asked of AWS, or STS has refused it.
            ServiceUnavailable: STS or ECR did not answer.
        """
        policy = session_policy(repositories, partition=self.role_arn.split(":")[1])
        with outages_translated():
            granted = self.ecr(self._session(policy, session)).get_authorization_token()
        (login,) = granted["authorizationData"]
        username, _, password = b64decode(login["authorizationToken"]).decode().partition(":")
        return EcrLogin(username, password, login["expiresAt"])

    def _session(self, policy: str, name: str) -> Mapping[str, Any]:
        try:
            assumed = self.sts().assume_role(
                RoleArn=self.role_arn,
                RoleSessionName=name[:_MAX_SESSION_NAME],
                Policy=policy,
                DurationSeconds=_SESSION_SECONDS,
            )
        except ClientError as error:
            # The limit on the policy in its packed form, which AWS does not describe (AssumeRole, "Errors").
            if error_code(error) == "PackedPolicyTooLarge":
                raise PolicyTooLarge(None) from error
            raise
        credentials: Mapping[str, Any] = assumed["Credentials"]
        return credentials


def session_policy(repositories: Sequence[str], *, partition: str) -> str:
    """Return a session policy that lets one log in and pull from repositories, as JSON.

    Args:
        repositories: Their names.
        partition: The first part of ARNs after `arn`, such as `aws`.

    Raises:
        PolicyTooLarge: It has more than 2,048 characters.
    """
    resources = [f"arn:{partition}:ecr:*:*:repository/{name}" for name in repositories]
    policy = _policy(resources)
    if len(policy) > MAX_POLICY:
        # Each takes its quotes and a comma, but the last has no comma.
        taken = accumulate((len(resource) + 3 for resource in resources), initial=len(_policy([])) - 1)
        raise PolicyTooLarge(sum(characters <= MAX_POLICY for characters in taken) - 1)
    return policy


def _policy(resources: Sequence[str]) -> str:
    statements = [
        # The action knows no resource.
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": PULL, "Resource": resources},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
