"""The built template without what the emulator does not have. On AWS the template is deployed unchanged.

- Alarms on expressions of metrics: such an alarm becomes one on the first of its metrics, so that references to it
  still work. The emulator has none of these metrics in any case.
- Roles of functions: the emulator runs functions with the credentials of its account. So a role that a function may
  take trusts the account.
- Conditions on KMS encryption contexts: the emulator's policies do not see a context, so that nothing would be allowed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

_CONTEXT: Final = "kms:EncryptionContext:"
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
        case "AWS::Serverless::Function" if _CONTEXT in json.dumps(properties.get("Policies", [])):
            return {**properties, "Policies": _without_contexts(properties["Policies"])}
        case "AWS::CloudWatch::Alarm" if "Metrics" in properties:
            return _simplified(properties)
        case "AWS::IAM::Role":
            return {
                **properties,
                "AssumeRolePolicyDocument": _by_the_account(properties["AssumeRolePolicyDocument"]),
            }
    return properties


def _without_contexts(value: Any) -> Any:
    """Return a value without the conditions in it that are on an encryption context."""
    if isinstance(value, list):
        return [_without_contexts(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without_contexts(one)
        for name, one in value.items()
        if name != "Condition" or _CONTEXT not in json.dumps(one)
    }


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
