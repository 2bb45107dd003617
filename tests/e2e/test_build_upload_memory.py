"""How much memory the built function takes for a large staged archive: as much as for a small one."""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from local.aws import Endpoint
from local.function import running_function
from local.sam_deployment import function_environment
from local.stack import StackDescription
from tests.e2e.client import Client

MIB = 1 << 20


class Noise(io.RawIOBase):
    """Random bytes, made as they are asked for."""

    def read(self, size: int = -1, /) -> bytes:
        return os.urandom(size)


def write_archive(path: Path, *, name: str, size: int) -> None:
    """Write an archive of `size` bytes that no compressor makes smaller."""
    manifest = f"name: {name}\nversion: 1.0.0\n".encode()
    with tarfile.open(path, mode="w:gz", compresslevel=1) as archive:
        for member_name, member_size, content in (
            ("pack.yaml", len(manifest), io.BytesIO(manifest)),
            ("data/noise", size, Noise()),
        ):
            member = tarfile.TarInfo(member_name)
            member.size = member_size
            archive.addfile(member, content)


@contextmanager
def unnoticed(s3: Any, bucket: str) -> Iterator[None]:
    """Keep the news of arrivals from the stack's own builder, which would be first."""
    switched_on = s3.get_bucket_notification_configuration(Bucket=bucket)
    switched_on.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=switched_on)


@pytest.mark.parametrize("size_mib", [20, 200])
def test_an_archive_is_built_in_less_than_160_mb_whatever_its_size(
    stack: StackDescription, tmp_path: Path, size_mib: int
) -> None:
    endpoint = Endpoint(int(stack["endpoint_url"].rpartition(":")[2]))
    s3 = endpoint.session().client("s3", endpoint_url=endpoint.url)
    client = Client.of(stack, "acme")
    upload_id = client.call("POST", "/packs/uploads", json={}).body["upload_id"]
    key = f"uploads/{upload_id}.tar.gz"
    write_archive(tmp_path / "archive", name=f"noise-{size_mib}", size=size_mib * MIB)
    message = {"Records": [{"s3": {"object": {"key": key}}}]}
    event = {"Records": [{"messageId": "1", "body": json.dumps(message), "eventSource": "aws:sqs"}]}
    environment = function_environment("build_upload", endpoint=endpoint) | {"AWS_ENDPOINT_URL": endpoint.url}

    with unnoticed(s3, stack["bucket"]), (tmp_path / "archive").open("rb") as archive:
        s3.put_object(Bucket=stack["bucket"], Key=key, Body=archive)
    log = tmp_path / "log"
    with running_function(
        "build_upload", environment=environment, log_path=log, timeout_seconds=300
    ) as function:
        answer = function.invoke(event)
        peak = function.peak_memory_bytes()

    assert answer == {"batchItemFailures": []}, log.read_text()
    assert client.call("GET", f"/packs/uploads/{upload_id}").body["status"] == "done"
    assert peak < 160 * 10**6
