"""What SAM makes of the template: everything calls published versions, and those are never behind (decision 22)."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from tests.aws import template
from tests.reliability.transformed import PROJECT, resources

RESOURCES: Final = resources()
FUNCTIONS: Final = sorted(
    name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Lambda::Function"
)
ALIASES: Final = {f"{name}Aliaslive" for name in FUNCTIONS}
# SnapStart's own limit ("Improving startup performance with Lambda SnapStart", supported features).
MOST_STORAGE_MB: Final = 512


def of_type(kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in RESOURCES.values() if resource["Type"] == kind]


def version(name: str, made: dict[str, Any] = RESOURCES) -> str:
    """Return the logical id of the version that the alias of a function is for."""
    logical_id: str = made[f"{name}Aliaslive"]["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
    return logical_id


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_that_may_start_from_a_snapshot_does_so_when_the_parameter_says(name: str) -> None:
    function = RESOURCES[name]["Properties"]
    storage = function.get("EphemeralStorage", {"Size": MOST_STORAGE_MB})["Size"]
    switched = {"Fn::If": ["StartsFromSnapshots", "PublishedVersions", "None"]}

    assert function["SnapStart"] == {"ApplyOn": switched if storage <= MOST_STORAGE_MB else "None"}


def test_snapshots_are_off_unless_they_are_asked_for() -> None:
    assert template()["Parameters"]["SnapStart"]["Default"] == "off"


def test_routes_and_the_authorizer_call_the_alias() -> None:
    bodies = {name: json.dumps(RESOURCES[name]["Properties"]["Body"]) for name in ("Api", "Door")}
    called = {name: re.findall(r"functions/\$\{(\w+)\}/invocations", body) for name, body in bodies.items()}

    # The authorizers are named by what the text stands for.
    for name, authorizer in (("Api", "AuthorizeAliaslive"), ("Door", "AuthorizePullAliaslive")):
        assert called[name].count("__FunctionArn__") == 1
        assert f'"__FunctionArn__": {{"Ref": "{authorizer}"}}' in bodies[name]
    assert {*called["Api"], *called["Door"]} - {"__FunctionArn__"} == ALIASES - {
        "AuthorizeAliaslive",
        "AuthorizePullAliaslive",
        "AttestImageAliaslive",
        "BuildUploadAliaslive",
        "CleanUpAliaslive",
        "DeliverAliaslive",
        "FanOutAliaslive",
        "FollowPacksAliaslive",
        "MeasureBacklogAliaslive",
        "PrepareArtifactsAliaslive",
        "RescanPacksAliaslive",
        "RetryDeliveryAliaslive",
        "ScanContentAliaslive",
    }


def test_the_gateway_and_the_schedule_may_call_the_aliases_and_nothing_else() -> None:
    allowed = {permission["FunctionName"]["Ref"] for permission in of_type("AWS::Lambda::Permission")}

    assert allowed == ALIASES - {
        "AttestImageAliaslive",
        "BuildUploadAliaslive",
        "CleanUpAliaslive",
        "DeliverAliaslive",
        "FanOutAliaslive",
        "FollowPacksAliaslive",
        "PrepareArtifactsAliaslive",
        "RetryDeliveryAliaslive",
        # Those that publish invoke it by their own rights.
        "ScanContentAliaslive",
    }


def test_the_schedules_call_the_aliases() -> None:
    rules = of_type("AWS::Events::Rule")

    assert sorted(target["Arn"]["Ref"] for rule in rules for target in rule["Targets"]) == [
        "MeasureBacklogAliaslive",
        "RescanPacksAliaslive",
    ]


def test_the_queues_and_the_stream_call_the_aliases() -> None:
    called = [mapping["FunctionName"] for mapping in of_type("AWS::Lambda::EventSourceMapping")]

    assert sorted(name["Ref"] for name in called) == [
        "AttestImageAliaslive",
        "BuildUploadAliaslive",
        "CleanUpAliaslive",
        "DeliverAliaslive",
        "FanOutAliaslive",
        "FollowPacksAliaslive",
        "PrepareArtifactsAliaslive",
        "RetryDeliveryAliaslive",
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_version_is_replaced_when_what_functions_are_told_changes(name: str) -> None:
    # AWS::Lambda::Version, Description: "Update requires: Replacement".
    assert RESOURCES[version(name)]["Properties"]["Description"] == {"Fn::Sub": "settings ${Settings}"}
    # Lambda publishes no version of a function that has not changed since the last one.
    variables = RESOURCES[name]["Properties"]["Environment"]["Variables"]
    assert variables["SETTINGS_VERSION"] == {"Ref": "Settings"}


def test_settings_name_all_that_functions_are_told() -> None:
    function = template()["Globals"]["Function"]
    told = json.dumps([function["Environment"], function["LoggingConfig"], function["SnapStart"]])
    parameters = set(template()["Parameters"]) | set(template()["Resources"])
    settings = template()["Resources"]["Settings"]["Properties"]
    listed = set(re.findall(r"\$\{(\w+)\}", settings["Content"]))
    # The table and the key depend on conditions, which only the description's list of values can state.
    listed |= set(re.findall(r"\w+", json.dumps(settings["Description"][1])))

    assert {name for name in re.findall(r"\w+", told) if name in parameters} - {"Settings"} <= listed
    assert "SnapStart" in listed


def test_another_layer_makes_another_version_of_every_function(tmp_path: Path) -> None:
    text = (PROJECT / "template.yaml").read_text()
    changed = tmp_path / "template.yaml"
    changed.write_text(
        text.replace("Description: The packyard package", "Description: Another packyard package")
    )

    after = resources(changed)

    assert all(version(name) != version(name, after) for name in FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_version_that_nothing_calls_is_removed_and_with_it_its_snapshot(name: str) -> None:
    assert RESOURCES[version(name)]["DeletionPolicy"] == "Delete"
