"""What S3's refusals mean for a file index: it does not exist, or the function may not read it."""

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from packyard.oci.digest import digest_of
from packyard.oci.read.file_index import FileIndex
from packyard.storage.file_indexes import FileIndexes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DIGEST = digest_of(b"a layer")
INDEX = FileIndex(files=(), directories=(), layers=())


class Bucket:
    """S3, as it answers one request after another."""

    def __init__(self) -> None:
        client: S3Client = boto3.client(
            "s3", region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        self.stubber = Stubber(client)
        self.indexes = FileIndexes(client=client, bucket="staging")

    def refuses_to_get(self, code: str, status: int) -> None:
        self.stubber.add_client_error("get_object", code, http_status_code=status)

    def gives(self, content: bytes) -> None:
        body = StreamingBody(BytesIO(content), len(content))
        self.stubber.add_response("get_object", {"Body": body}, {"Bucket": ANY, "Key": ANY})

    def takes(self) -> None:
        self.stubber.add_response("put_object", {}, {"Bucket": ANY, "Key": ANY, "Body": ANY})


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    made = Bucket()
    with made.stubber:
        yield made
        made.stubber.assert_no_pending_responses()


@pytest.fixture(autouse=True)
def all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(("code", "status"), [("NoSuchKey", 404), ("AccessDenied", 403)])
def test_a_missing_index_is_no_cause_for_a_warning(
    bucket: Bucket, caplog: pytest.LogCaptureFixture, code: str, status: int
) -> None:
    bucket.refuses_to_get(code, status)
    bucket.takes()
    if status == 403:
        bucket.gives(INDEX.to_bytes())

    assert bucket.indexes.get(DIGEST) is None
    bucket.indexes.put(DIGEST, INDEX)

    assert warnings(caplog) == []


def test_a_policy_that_lets_nothing_be_read_is_warned_of(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.refuses_to_get("AccessDenied", 403)
    bucket.takes()
    bucket.refuses_to_get("AccessDenied", 403)

    assert bucket.indexes.get(DIGEST) is None
    bucket.indexes.put(DIGEST, INDEX)

    (warning,) = warnings(caplog)
    assert "s3:GetObject on indexes/*" in warning


def test_once_an_index_could_be_read_no_refusal_is_looked_into(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.gives(INDEX.to_bytes())
    bucket.refuses_to_get("AccessDenied", 403)
    bucket.takes()

    bucket.indexes.get(DIGEST)
    bucket.indexes.get(DIGEST)
    bucket.indexes.put(DIGEST, INDEX)

    assert warnings(caplog) == []


def test_an_outage_is_a_warning_and_nothing_is_looked_into(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.refuses_to_get("SlowDown", 503)
    bucket.takes()

    assert bucket.indexes.get(DIGEST) is None
    bucket.indexes.put(DIGEST, INDEX)

    assert warnings(caplog) == ["file index not read"]
