"""Every rule of checkov that the template breaks has its reason, in `.checkov.yaml` or in the resource's metadata."""

from typing import Any

import pytest
import yaml
from tests.aws import template
from tests.reliability.transformed import PROJECT

_LINES = (PROJECT / ".checkov.yaml").read_text().splitlines()


def test_every_rule_that_is_left_out_for_all_comes_under_a_reason() -> None:
    left_out = yaml.safe_load("\n".join(_LINES))["skip-check"]
    start = _LINES.index("skip-check:")

    assert _LINES[start + 1].strip().startswith("# ")
    assert len(left_out) == len(set(left_out))


@pytest.mark.parametrize(
    "name", [name for name, made in template()["Resources"].items() if "checkov" in made.get("Metadata", {})]
)
def test_every_rule_that_one_resource_breaks_has_a_comment(name: str) -> None:
    excused: list[dict[str, Any]] = template()["Resources"][name]["Metadata"]["checkov"]["skip"]

    assert excused
    assert all(rule["id"].startswith("CKV") and len(rule["comment"].split()) > 5 for rule in excused)


def test_checkov_asks_nothing_of_the_network() -> None:
    assert yaml.safe_load("\n".join(_LINES))["skip-download"] is True
