import io

import pytest
from botocore.exceptions import ClientError
from tests.aws import BUCKET, Aws

from packyard.storage.staging import Staging, inline_key

KEY = inline_key("01HZZZZZZZZZZZZZZZZZZZZZZZ")


@pytest.mark.parametrize(
    "body", [pytest.param(b"archive", id="bytes"), pytest.param(io.BytesIO(b"archive"), id="stream")]
)
def test_an_archive_is_staged_under_its_key(aws: Aws, body: bytes | io.BytesIO) -> None:
    aws.staging.put(KEY, body)

    assert aws.staged() == ["inline/01HZZZZZZZZZZZZZZZZZZZZZZZ.tar.gz"]
    assert aws.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"archive"


def test_a_repeat_whose_answer_was_lost_neither_fails_nor_overwrites(aws: Aws) -> None:
    aws.staging.put(KEY, b"first")

    aws.staging.put(KEY, b"second")

    assert aws.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"first"


def test_an_archive_is_removed_however_often_one_asks(aws: Aws) -> None:
    aws.staging.put(KEY, b"archive")

    aws.staging.delete(KEY)
    aws.staging.delete(KEY)

    assert aws.staged() == []


def test_an_error_that_is_not_an_outage_is_raised_unchanged(aws: Aws) -> None:
    elsewhere = Staging(client=aws.s3, bucket="no-such-bucket")

    with pytest.raises(ClientError, match="NoSuchBucket"):
        elsewhere.put(KEY, b"archive")
