"""How the template lets S3 tell of archives, and for how long things that are being built wait."""

from typing import Any

import pytest
from tests.aws import template

TEMPLATE = template()
PROPERTIES: dict[str, Any] = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if "Properties" in resource
}
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
BUILDER = PROPERTIES["BuildUpload"]
LEASE_SECONDS = PARAMETERS["PublishDeadlineSeconds"]["Default"]


def test_a_lease_outlasts_the_function_that_holds_it() -> None:
    assert PARAMETERS["PublishDeadlineSeconds"]["MinValue"] > BUILDER["Timeout"]


def test_a_killed_build_s_message_comes_again_when_its_lease_has_run_out() -> None:
    assert PROPERTIES["BuildQueue"]["VisibilityTimeout"] > LEASE_SECONDS


def test_each_archive_has_a_function_to_itself() -> None:
    assert PROPERTIES["BuildUploadArrival"]["BatchSize"] == 1


@pytest.mark.parametrize("name", ["BuildUpload", "ChangePack", "PutFile"])
def test_every_allowed_archive_size_fits_on_the_disk_of_the_building_function(name: str) -> None:
    # A gzip member has 18 bytes around it and stored blocks add 5 for every 16 KiB (RFC 1951, RFC 1952). The smallest
    # member holds a header of 512 bytes, so what does not compress grows by less than a twentieth.
    disk = PROPERTIES[name]["EphemeralStorage"]["Size"] * 1_000_000
    largest = PARAMETERS["MaxUnpackedBytes"]["MaxValue"]

    assert largest >= PARAMETERS["MaxUnpackedBytes"]["Default"]
    assert largest * 21 // 20 < disk


def test_dead_letters_are_kept_longer_than_the_queue_keeps_messages() -> None:
    queue, dead_letters = PROPERTIES["BuildQueue"], PROPERTIES["BuildDeadLetters"]

    assert dead_letters["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_an_alarm_reports_dead_letters() -> None:
    alarm = PROPERTIES["BuildDeadLettersAlarm"]

    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "BuildDeadLetters.QueueName"}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_s3_tells_of_what_clients_send_and_of_nothing_else() -> None:
    (notification,) = PROPERTIES["StagingBucket"]["NotificationConfiguration"]["QueueConfigurations"]

    assert notification["Event"] == "s3:ObjectCreated:*"
    assert notification["Queue"] == "BuildQueue.Arn"
    assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "uploads/"}]
    assert TEMPLATE["Resources"]["StagingBucket"]["DependsOn"] == "BuildQueuePolicy"


def test_only_s3_and_only_from_this_account_may_send_to_the_build_queue() -> None:
    (statement,) = PROPERTIES["BuildQueuePolicy"]["PolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "AWS::AccountId"}}


def test_the_function_that_signs_forms_may_put_and_those_that_build_may_get() -> None:
    def on_the_bucket(name: str) -> list[tuple[str, str]]:
        statements = PROPERTIES[name]["Policies"][0]["Statement"]
        return [
            (it["Action"], it["Resource"])
            for it in statements
            if isinstance(it, dict) and "s3:" in str(it["Action"])
        ]

    assert on_the_bucket("StartUpload") == [("s3:PutObject", "${StagingBucket.Arn}/uploads/*")]
    assert ("s3:GetObject", "${StagingBucket.Arn}/uploads/*") in on_the_bucket("BuildUpload")
