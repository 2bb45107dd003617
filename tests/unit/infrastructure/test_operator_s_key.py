"""The operator's KMS key and the bounds on concurrency, as the template states them."""

import re
from typing import Any

import pytest
from tests.aws import template

RESOURCES: dict[str, Any] = template()["Resources"]
PARAMETERS: dict[str, Any] = template()["Parameters"]
# `!If [HasKmsKey, !Ref KmsKeyArn, !Ref AWS::NoValue]`.
THE_KEY = ["HasKmsKey", "KmsKeyArn", "AWS::NoValue"]
NOT_WITH_THE_KEY = ["HasKmsKey", "AWS::NoValue", True]


def of_type(kind: str) -> list[str]:
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


@pytest.mark.parametrize("name", of_type("AWS::DynamoDB::Table"))
def test_a_table_is_under_the_key(name: str) -> None:
    stated = RESOURCES[name]["Properties"]["SSESpecification"]

    assert stated == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": THE_KEY}


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_under_the_key_by_a_key_of_its_own(name: str) -> None:
    (rule,) = RESOURCES[name]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": ["HasKmsKey", "aws:kms", "AES256"],
        "KMSMasterKeyID": THE_KEY,
    }
    assert rule["BucketKeyEnabled"] == ["HasKmsKey", True, "AWS::NoValue"]


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_a_queue_is_under_the_key_or_else_under_sqs_s_and_never_both(name: str) -> None:
    """AWS::SQS::Queue, `SqsManagedSseEnabled`: one kind of encryption for each queue."""
    properties = RESOURCES[name]["Properties"]

    assert properties["KmsMasterKeyId"] == THE_KEY
    assert properties["SqsManagedSseEnabled"] == NOT_WITH_THE_KEY


@pytest.mark.parametrize("name", of_type("AWS::SecretsManager::Secret"))
def test_a_secret_is_under_the_key(name: str) -> None:
    assert RESOURCES[name]["Properties"]["KmsKeyId"] == THE_KEY


@pytest.mark.parametrize(
    ("arn", "allowed"),
    [
        ("", True),
        ("arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555", True),
        ("arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab", True),
        # IAM knows keys by their ARN only, and a policy on an alias allows nothing.
        ("arn:aws:kms:eu-central-1:123456789012:alias/packyard", False),
        ("alias/packyard", False),
        ("11111111-2222-3333-4444-555555555555", False),
        ("arn:aws:kms:*:123456789012:key/*", False),
    ],
)
def test_the_key_is_named_by_its_arn(arn: str, allowed: bool) -> None:
    assert (re.fullmatch(PARAMETERS["KmsKeyArn"]["AllowedPattern"], arn) is not None) == allowed
    assert PARAMETERS["KmsKeyArn"]["Default"] == ""


def test_no_secret_is_written_into_a_function_s_environment() -> None:
    assert "resolve:secretsmanager" not in str(template())


def test_nothing_is_reserved_unless_the_operator_asks_for_it() -> None:
    """Lambda developer guide, "Reserved concurrency": 100 must stay unreserved, and new accounts may have 10."""
    reserved = {
        name: resource["Properties"]["ReservedConcurrentExecutions"]
        for name, resource in RESOURCES.items()
        if "ReservedConcurrentExecutions" in resource["Properties"]
    }

    assert reserved == {"Authorize": ["ReservesForAuthorizer", "AuthorizerConcurrency", "AWS::NoValue"]}
    assert PARAMETERS["AuthorizerConcurrency"]["Default"] == 0
    assert template()["Conditions"]["ReservesForAuthorizer"] == [["AuthorizerConcurrency", 0]]


def test_builds_are_bounded_where_their_messages_wait_and_not_by_refusing_them() -> None:
    """Lambda developer guide, "Configuring maximum concurrency for SQS event sources": from 2 to 1,000.

    A bound on the function itself would have Lambda take messages that it cannot pass on, and count that as a try.
    """
    assert RESOURCES["BuildUploadArrival"]["Properties"]["ScalingConfig"] == {
        "MaximumConcurrency": ["BuildsByDefault", 10, "BuildConcurrency"]
    }
    assert PARAMETERS["BuildConcurrency"]["Default"] == 10
    assert (PARAMETERS["BuildConcurrency"]["MinValue"], PARAMETERS["BuildConcurrency"]["MaxValue"]) == (
        2,
        1000,
    )
