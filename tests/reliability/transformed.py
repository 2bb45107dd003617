"""The template as AWS gets to see it: what SAM makes of it, with what it adds, and every name in it resolved.

Run as a program, by the Python of SAM's own environment, this prints the transformed template; as a module it asks for
that and resolves it.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).parents[2]
_SAM: Final = PROJECT / ".local" / "tools" / "sam" / "bin" / "python"
TEMPLATE_PATH: Final = PROJECT / "template.yaml"

REGION: Final = "eu-central-1"
ACCOUNT: Final = "123456789012"
# An ECR repository of another account that the operator lets packs be made from.
FOREIGN_REGISTRY: Final = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
FOREIGN_REPOSITORY: Final = "arn:aws:ecr:eu-west-1:210987654321:repository/theirs/pack"
CREDENTIALS: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:registries"
# Our own login to a registry that is not ECR.
LOGIN: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:our-registry"
# The role whose sessions get logins at ECR.
REGISTRY_PULL_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/packyard-registry-pull"
# The key of the secrets of webhooks, and the operator's event bus.
WEBHOOK_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/packyard-webhooks"
# The key that signs statements.
SIGNING_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/packyard-statements"
EVENT_BUS: Final = "packyard-test-bus"
# The operator's key that everything is under.
KMS_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
_NAMES: Final[Mapping[str, Any]] = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "RepositoryPrefix": "packs",
    "PullableRepositories": [FOREIGN_REPOSITORY],
    "RegistryCredentialsArn": CREDENTIALS,
    "RegistryLoginArn": LOGIN,
    "KmsKeyArn": KMS_KEY,
    "CursorKey.Id": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:packyard-cursors",
    "PullTokenKey.Id": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:packyard-pull-tokens",
    "RegistryPullRole.Arn": REGISTRY_PULL_ROLE,
    "ScanContentAliaslive": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:scan-content:live",
    "Table.Arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/packyard-test",
    "Table.StreamArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/packyard-test/stream/2026-03-01T12:00:00.000",
    "StagingBucket.Arn": "arn:aws:s3:::packyard-test-staging",
    "CleanupQueue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-cleanup",
    "WebhookKey.Arn": WEBHOOK_KEY,
    "SigningKey.Arn": SIGNING_KEY,
    "AttestationQueue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-attestations",
    "PreparationQueue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-preparations",
    "EventBusName": EVENT_BUS,
    "DeliveryQueue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-deliveries.fifo",
    "DeliveryRetryQueue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-retries",
    "DeliveryDeadLetters.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-dead-letters",
    "AttestationDeadLetters.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-attestation-dead-letters",
    "BuildDeadLetters.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-build-dead-letters",
    "CleanupDeadLetters.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-cleanup-dead-letters",
    "PreparationDeadLetters.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-preparation-dead-letters",
    "BuildQueue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:packyard-test-build",
}


def arn_of(name: str) -> str:
    """Return what an attribute of a resource stands for, such as `Table.StreamArn`."""
    return str(_NAMES[name])


@cache
def resources(template: Path = TEMPLATE_PATH, parameters: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what SAM makes of a template's resources, with functions and conditions as they stand.

    Args:
        template: The template.
        parameters: Values of parameters, as `Name=value`: SAM puts some of them in while it transforms.
    """
    printed = subprocess.run(  # noqa: S603 - our own program
        [_SAM, __file__, template, *parameters],
        capture_output=True,
        check=True,
        env={**os.environ, "AWS_DEFAULT_REGION": REGION},
    ).stdout
    found: dict[str, Any] = json.loads(printed)["Resources"]
    return found


@cache
def roles() -> dict[str, dict[str, Any]]:
    """Return the properties of every function's role, by the function's name, every condition taken as true."""
    made = resources()
    functions = [name for name, resource in made.items() if resource["Type"] == "AWS::Lambda::Function"]
    return {name: made[f"{name}Role"]["Properties"] for name in functions}


def statements(name: str) -> list[dict[str, Any]]:
    """Return the statements of a function's own policies, resolved."""
    policies = [*roles()[name].get("Policies", []), *_attached(f"{name}Role")]
    found: list[dict[str, Any]] = resolved(
        [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    )
    return found


def _attached(role: str) -> list[dict[str, Any]]:
    """Return the policies of a role that are resources of their own."""
    made = [one["Properties"] for one in resources().values() if one["Type"] == "AWS::IAM::Policy"]
    return [policy for policy in made if {"Ref": role} in policy["Roles"]]


def resolved(value: Any) -> Any:
    """Return a value with CloudFormation's functions carried out."""
    if isinstance(value, list):
        return [resolved(part) for part in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            found = _NAMES[name]
        case {"Fn::GetAtt": [resource, attribute]}:
            found = _NAMES[f"{resource}.{attribute}"]
        case {"Fn::If": [_condition, then, _otherwise]}:
            found = resolved(then)
        case {"Fn::Sub": [text, stated]}:
            found = _filled(text, {**_NAMES, **resolved(stated)})
        case {"Fn::Sub": text}:
            found = _filled(text, _NAMES)
        case _:
            found = {name: resolved(part) for name, part in value.items()}
    return found


def _filled(text: str, names: Mapping[str, Any]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda named: str(names[named[1]]), text)


def _transform(path: Path, parameters: Mapping[str, str]) -> Any:
    # Of SAM's environment, which is not ours.
    from samtranslator.translator.transform import transform  # noqa: PLC0415
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415

    class NoManagedPolicies:
        @staticmethod
        def load() -> dict[str, str]:
            return {}

    template = yaml_parse(path.read_text())
    for resource in template["Resources"].values():
        for place in ("CodeUri", "ContentUri"):
            if place in resource.get("Properties", {}):
                # Where it is after packaging is of no concern here.
                resource["Properties"][place] = "s3://code/key"
    return transform(template, dict(parameters), NoManagedPolicies())


if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    json.dump(_transform(Path(sys.argv[1]), given), sys.stdout)
