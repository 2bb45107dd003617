"""The template as the emulator gets it."""

from typing import Any

from local.emulated_template import emulated
from tests.aws import template

TEMPLATE = template()
EMULATED = emulated(TEMPLATE)


def alarms(of: dict[str, Any]) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in of["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def test_an_alarm_on_an_expression_becomes_one_on_its_first_metric() -> None:
    before, after = alarms(TEMPLATE)["ServerErrorsAlarm"], alarms(EMULATED)["ServerErrorsAlarm"]

    assert "Metrics" in before
    assert (after["Namespace"], after["MetricName"], after["Statistic"], after["Period"]) == (
        "AWS/ApiGateway",
        "5XXError",
        "Sum",
        300,
    )
    assert "Metrics" not in after
    assert after["AlarmDescription"] == before["AlarmDescription"]


def test_a_role_that_a_function_may_take_trusts_the_account_whose_credentials_functions_have() -> None:
    role = EMULATED["Resources"]["RegistryPullRole"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Principal"]["AWS"]["Fn::Sub"].endswith("::${AWS::AccountId}:root")
    assert role["Policies"] == TEMPLATE["Resources"]["RegistryPullRole"]["Properties"]["Policies"]


def test_nothing_else_differs_from_what_aws_gets() -> None:
    on_expressions = {name for name, alarm in alarms(TEMPLATE).items() if "Metrics" in alarm}
    differing = {
        name for name, resource in TEMPLATE["Resources"].items() if EMULATED["Resources"][name] != resource
    }

    assert differing == on_expressions | {"RegistryPullRole"}
    assert EMULATED["Resources"].keys() == TEMPLATE["Resources"].keys()
    assert {name: value for name, value in EMULATED.items() if name != "Resources"} == {
        name: value for name, value in TEMPLATE.items() if name != "Resources"
    }
