"""The template as the emulator gets it."""

import json
from typing import Any

from local.emulated_template import emulated
from tests.aws import template

TEMPLATE = template()
EMULATED = emulated(TEMPLATE)
# Which functions use a key of ours, and the statement that lets them.
ON_A_CONTEXT = {
    "AttestImage": "Sign",
    "Deliver": "DecryptTheSecret",
    "RetryDelivery": "DecryptTheSecret",
    "Webhooks": "EncryptTheSecret",
}
SENDERS = {
    name
    for name, resource in TEMPLATE["Resources"].items()
    if '"sqs:SendMessage"' in json.dumps(resource.get("Properties", {}).get("Policies", []))
}


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


def test_a_statement_on_a_key_allows_it_in_every_context() -> None:
    for name, sid in ON_A_CONTEXT.items():
        before, after = (
            next(
                one
                for one in of["Resources"][name]["Properties"]["Policies"][0]["Statement"]
                if isinstance(one, dict) and one["Sid"] == sid
            )
            for of in (TEMPLATE, EMULATED)
        )
        assert before.keys() - after.keys() == {"Condition"}


def test_who_may_send_a_message_may_send_a_batch() -> None:
    for name in SENDERS:
        text = json.dumps(EMULATED["Resources"][name]["Properties"]["Policies"])
        assert text.count('"sqs:SendMessage"') == text.count('"sqs:SendMessageBatch"') > 0


def test_nothing_else_differs_from_what_aws_gets() -> None:
    on_expressions = {name for name, alarm in alarms(TEMPLATE).items() if "Metrics" in alarm}
    differing = {
        name for name, resource in TEMPLATE["Resources"].items() if EMULATED["Resources"][name] != resource
    }

    assert differing == on_expressions | {"RegistryPullRole"} | ON_A_CONTEXT.keys() | SENDERS
    assert EMULATED["Resources"].keys() == TEMPLATE["Resources"].keys()
    assert {name: value for name, value in EMULATED.items() if name != "Resources"} == {
        name: value for name, value in TEMPLATE.items() if name != "Resources"
    }
