"""The page may send archives where the forms of staged uploads lead, and nowhere else."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from packyard.composition.clients import aws_client
from packyard.composition.deadline import Deadline
from packyard.composition.upload_origins import upload_origins
from packyard.storage.staging import Staging

BUCKET = "packyard-stagingbucket-1abc"


def origin_of_a_form(environment: dict[str, str]) -> str:
    """Return where the service's own form leads."""
    client = aws_client("s3", deadline=Deadline(), region=environment["AWS_REGION"])
    form = Staging(client=client, bucket=BUCKET).form(
        "uploads/u.tar.gz", max_bytes=1, lifetime=timedelta(minutes=1)
    )
    parts = urlsplit(form.url)
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("us-east-1", None),
        ("eu-central-1", None),
        ("ap-southeast-5", None),
        ("us-gov-west-1", None),
        ("cn-north-1", None),
        ("us-east-1", "http://127.0.0.1:4566"),
    ],
)
def test_the_origin_is_that_of_the_sdk_s_forms(
    region: str, endpoint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "PACKYARD_STAGING_BUCKET": BUCKET,
    } | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert upload_origins(environment) == (origin_of_a_form(environment),)


def test_without_a_bucket_there_is_none() -> None:
    assert upload_origins({"AWS_REGION": "eu-central-1"}) == ()
