"""The built template without what the emulator does not have. On AWS the template is deployed unchanged.

- Alarms on expressions of metrics: such an alarm becomes one on the first of its metrics, so that references to it
  still work. The emulator has none of these metrics in any case.
- Roles of functions: the emulator runs functions with the credentials of its account. So a role that a function may
  take trusts the account.
- Conditions on KMS encryption contexts and on how KMS signs: the emulator's policies do not see these, so that nothing
  would be allowed.
- The right to send a message: the emulator asks for `sqs:SendMessageBatch` too, an action that IAM does not have.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

_UNSEEN: Final = ("kms:EncryptionContext:", "kms:MessageType")
_SEND: Final = "sqs:SendMessage"
_ACCOUNT: Final = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


def emulated(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template that the emulator can deploy.

    Args:
        template: The built template, with its intrinsic functions in their long form.
    """
    resources = {
        name: {**resource, "Properties": _emulated_properties(resource)}
        if "Properties" in resource
        else resource
        for name, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}


def write_emulated(built: Path) -> Path:
    """Write that template beside the built one, because it has the same relative paths. Return its path."""
    path = built.with_name("emulated.json")
    template = yaml.safe_load(built.read_text(encoding="utf-8"))
    path.write_text(json.dumps(emulated(template), indent=1), encoding="utf-8")
    return path


def _emulated_properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = resource["Properties"]
    match resource["Type"]:
        case "AWS::Serverless::Function" if "Policies" in properties:
            return {**properties, "Policies": _emulated_policies(properties["Policies"])}
        case "AWS::CloudWatch::Alarm" if "Metrics" in properties:
            return _simplified(properties)
        case "AWS::IAM::Role":
            return {
                **properties,
                "AssumeRolePolicyDocument": _by_the_account(properties["AssumeRolePolicyDocument"]),
            }
    return properties


def _emulated_policies(value: Any) -> Any:
    """Return policies without conditions that the emulator does not see, and with the action that sends a batch."""
    if isinstance(value, list):
        return [_emulated_policies(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    kept = {
        name: _emulated_policies(one)
        for name, one in value.items()
        if name != "Condition" or not any(unseen in json.dumps(one) for unseen in _UNSEEN)
    }
    allowed = kept.get("Action")
    actions = [allowed] if isinstance(allowed, str) else allowed or []
    return kept | ({"Action": [*actions, f"{_SEND}Batch"]} if _SEND in actions else {})


def _by_the_account(trust: Mapping[str, Any]) -> dict[str, Any]:
    statements = [
        {**statement, "Principal": _ACCOUNT} if "AWS" in statement["Principal"] else statement
        for statement in trust["Statement"]
    ]
    return {**trust, "Statement": statements}


def _simplified(alarm: Mapping[str, Any]) -> dict[str, Any]:
    read = next(metric["MetricStat"] for metric in alarm["Metrics"] if "MetricStat" in metric)
    kept = {name: value for name, value in alarm.items() if name != "Metrics"}
    return {**kept, **read["Metric"], "Statistic": read["Stat"], "Period": read["Period"]}
