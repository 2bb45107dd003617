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


def gradual(pace: str = "Canary10Percent10Minutes") -> dict[str, Any]:
    """Return what SAM makes of the template when releases are gradual."""
    return resources(TEMPLATE_PATH, ("ReleaseGradually=true", f"ReleasePace={pace}"))


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
    # The exact number, so that each addition shows how close the quota is: a function adds about six resources
    # (AWS CloudFormation quotas).
    assert (len(resources()), len(gradual())) == (149, 173)


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


@pytest.mark.parametrize("pace", PARAMETERS["ReleasePace"]["AllowedValues"])
def test_every_pace_is_one_of_codedeploy_s_own(pace: str) -> None:
    name = gradual(pace)["GetPackDeploymentGroup"]["Properties"]["DeploymentConfigName"]

    # SAM adds the prefix to those that it knows, and takes all others for configurations of the user's.
    assert name == {"Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": pace}]}


def test_images_are_replicated_with_their_deletions_where_the_operator_names_a_region() -> None:
    replication = RESOURCES["ImageReplication"]
    (rule,) = replication["Properties"]["ReplicationConfiguration"]["Rules"]

    assert replication["Condition"] == "ReplicatesImages"
    assert PARAMETERS["ReplicateImagesTo"]["Default"] == ""
    assert rule["RepositoryFilters"] == [{"Filter": "${RepositoryPrefix}/", "FilterType": "PREFIX_MATCH"}]
    assert rule["DeleteReplication"] == {"Enabled": True}
