"""The built template without what the emulator cannot deploy: alarms on expressions of metrics.

Such an alarm becomes one on the first of its metrics, so that references to it still work. The emulator has none of
these metrics in any case. On AWS the template is deployed unchanged.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def emulated(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template that the emulator can deploy.

    Args:
        template: The built template, with its intrinsic functions in their long form.
    """
    resources = {
        name: {**resource, "Properties": _simplified(resource["Properties"])}
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
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


def _simplified(alarm: Mapping[str, Any]) -> dict[str, Any]:
    read = next(metric["MetricStat"] for metric in alarm["Metrics"] if "MetricStat" in metric)
    kept = {name: value for name, value in alarm.items() if name != "Metrics"}
    return {**kept, **read["Metric"], "Statistic": read["Stat"], "Period": read["Period"]}
