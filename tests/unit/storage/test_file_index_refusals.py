"""What S3's refusals mean for file indexes and windows: they do not exist, or the function may not read them."""

import gzip
import logging
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from packyard.oci.digest import digest_of
from packyard.oci.read.checkpoints import Checkpoint
from packyard.oci.read.file_index import FileIndex
from packyard.storage.file_indexes import FileIndexes, windows_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WINDOW = b"what was put out before" * 10
KEPT = gzip.compress(WINDOW)
CHECKPOINT = Checkpoint(at=5000, offset=100, bits=0, kept_at=300, kept_size=len(KEPT))
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


def test_of_all_windows_only_the_one_that_is_wanted_is_asked_for(bucket: Bucket) -> None:
    body = StreamingBody(BytesIO(KEPT), len(KEPT))
    expected = {
        "Bucket": "staging",
        "Key": windows_key(DIGEST),
        "Range": f"bytes=300-{299 + len(KEPT)}",
    }
    bucket.stubber.add_response("get_object", {"Body": body}, expected)

    assert bucket.indexes.window(DIGEST, CHECKPOINT) == WINDOW


@pytest.mark.parametrize(
    ("code", "status", "warned"),
    [
        ("NoSuchKey", 404, []),
        ("AccessDenied", 403, []),
        ("InvalidRange", 416, ["no checkpoint"]),
        ("SlowDown", 503, ["no checkpoint"]),
    ],
)
def test_a_window_that_cannot_be_had_is_none(
    bucket: Bucket, caplog: pytest.LogCaptureFixture, code: str, status: int, warned: list[str]
) -> None:
    bucket.refuses_to_get(code, status)

    assert bucket.indexes.window(DIGEST, CHECKPOINT) is None

    assert warnings(caplog) == warned


def test_a_damaged_window_is_none(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    body = StreamingBody(BytesIO(KEPT[:-1]), len(KEPT) - 1)
    bucket.stubber.add_response("get_object", {"Body": body})

    assert bucket.indexes.window(DIGEST, CHECKPOINT) is None

    assert warnings(caplog) == ["checkpoint not read"]


def test_windows_that_cannot_be_kept_are_a_warning(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    bucket.stubber.add_client_error("put_object", "SlowDown", http_status_code=503)

    bucket.indexes.put_windows(KEPT)

    assert warnings(caplog) == ["checkpoints not kept"]
