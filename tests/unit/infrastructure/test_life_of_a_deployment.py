"""What the template does when a deployment begins, changes and ends (decision 71)."""

import json
import re
from typing import Any, Final

import pytest
from tests.aws import template
from tests.reliability.transformed import TEMPLATE_PATH, resources

PARAMETERS: Final[dict[str, Any]] = template()["Parameters"]
RESOURCES: Final[dict[str, Any]] = template()["Resources"]
FUNCTIONS: Final = sorted(
    name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::Serverless::Function"
)
TABLE_NAME: Final = ["OwnsTable", "Table", "ExistingTableName"]
PACES: Final[list[str]] = PARAMETERS["ReleasePace"]["AllowedValues"]
# Not the one that the template chooses by itself.
PACE: Final = "Linear10PercentEvery3Minutes"


def gradual() -> dict[str, Any]:
    """Return what SAM makes of the template when releases are gradual."""
    return resources(TEMPLATE_PATH, ("ReleaseGradually=true", f"ReleasePace={PACE}"))


def test_a_table_that_is_there_already_is_used_instead_of_a_new_one() -> None:
    made = resources()
    texts = {name: json.dumps(resource) for name, resource in made.items() if name != "Table"}
    refers = {name: text for name, text in texts.items() if '"Table"' in text or "${Table" in text}
    told = template()["Globals"]["Function"]["Environment"]["Variables"]["PACKYARD_TABLE"]

    assert made["Table"]["Condition"] == "OwnsTable"
    assert PARAMETERS["ExistingTableName"]["Default"] == ""
    assert told == template()["Outputs"]["TableName"]["Value"] == TABLE_NAME
    # A resource that refers to the table without the condition would fail to deploy where the stack makes no table.
    assert len(refers) > len(FUNCTIONS)
    for name, text in refers.items():
        assert text.count('"Table"') == text.count('{"Fn::If": ["OwnsTable", '), name
        assert not re.search(r"\$\{Table[.}]", text), name


def test_the_stack_stays_far_below_the_500_resources_that_cloudformation_takes() -> None:
    # The exact number, so that each addition shows how close the quota is: a function adds four or five resources
    # (AWS CloudFormation quotas).
    assert (len(resources()), len(gradual())) == (427, 493)


def test_the_table_cannot_be_deleted_by_mistake_unless_the_operator_says_so() -> None:
    assert RESOURCES["Table"]["Properties"]["DeletionProtectionEnabled"] == ["ProtectsTable", True, False]
    assert PARAMETERS["DeletionProtection"]["Default"] == "on"


def test_releases_take_effect_at_once_and_need_no_codedeploy_unless_asked_for() -> None:
    types = {resource["Type"] for resource in resources().values()}

    assert PARAMETERS["ReleaseGradually"]["Default"] == "false"
    assert not [kind for kind in types if kind.startswith("AWS::CodeDeploy")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gradual_release_moves_every_alias_and_goes_back_when_an_alarm_fires(name: str) -> None:
    made = gradual()
    group = made[f"{name}DeploymentGroup"]["Properties"]
    update = made[f"{name}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]

    assert update["DeploymentGroupName"] == {"Ref": f"{name}DeploymentGroup"}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    watched = [alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]]
    assert "ServerErrorsAlarm" in watched
    # CodeDeploy's quota: ten alarms for one deployment group.
    assert len(watched) <= 10
    assert all(RESOURCES[alarm]["Type"] == "AWS::CloudWatch::Alarm" for alarm in watched)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what SAM makes of a template with one function for each pace."""
    code = {"Runtime": "python3.13", "Handler": "app.handler", "CodeUri": "code", "AutoPublishAlias": "live"}
    functions = {
        pace: {
            "Type": "AWS::Serverless::Function",
            "Properties": {**code, "DeploymentPreference": {"Enabled": True, "Type": pace}},
        }
        for pace in PACES
    }
    path = tmp_path_factory.mktemp("paces") / "template.json"
    path.write_text(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": functions}))
    return resources(path)


@pytest.mark.parametrize("pace", PACES)
def test_every_pace_is_one_of_codedeploy_s_own(pace: str, released: dict[str, Any]) -> None:
    name = released[f"{pace}DeploymentGroup"]["Properties"]["DeploymentConfigName"]

    # SAM adds the prefix to those that it knows, and takes all others for configurations of the user's.
    assert name == {"Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": pace}]}


def test_a_gradual_release_goes_at_the_pace_that_the_operator_chose() -> None:
    name = gradual()["GetPackDeploymentGroup"]["Properties"]["DeploymentConfigName"]

    assert name == {"Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": PACE}]}


def test_images_are_replicated_with_their_deletions_where_the_operator_names_a_region() -> None:
    replication = RESOURCES["ImageReplication"]
    (rule,) = replication["Properties"]["ReplicationConfiguration"]["Rules"]

    assert replication["Condition"] == "ReplicatesImages"
    assert PARAMETERS["ReplicateImagesTo"]["Default"] == ""
    assert rule["RepositoryFilters"] == [{"Filter": "${RepositoryPrefix}/", "FilterType": "PREFIX_MATCH"}]
    assert rule["DeleteReplication"] == {"Enabled": True}
