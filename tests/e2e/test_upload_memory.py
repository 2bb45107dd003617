"""How much memory the built upload function takes for the worst that one request can carry."""

import io
import os
import tarfile
from pathlib import Path

from local.aws import Endpoint
from local.function import running_function
from local.sam_deployment import function_environment
from local.stack import StackDescription
from tests.gateway import Request, multipart
from tests.service import ACME

MIB = 1 << 20
INCOMPRESSIBLE_BYTES = 3_400_000
ZEROS_BYTES = 1010 * MIB


class Zeros(io.BytesIO):
    """As many zeros as are asked for, without holding them."""

    def read(self, size: int | None = -1, /) -> bytes:
        return bytes(size or 0)


def archive_of_a_gibibyte() -> bytes:
    """Return an archive of 4.4 MB that unpacks to just under 1 GiB, which the limits let in."""
    out = io.BytesIO()
    manifest = b"name: vast\nversion: 1.0.0\n"
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, size, content in (
            ("pack.yaml", len(manifest), io.BytesIO(manifest)),
            ("data/random", INCOMPRESSIBLE_BYTES, io.BytesIO(os.urandom(INCOMPRESSIBLE_BYTES))),
            ("data/zeros", ZEROS_BYTES, Zeros()),
        ):
            member = tarfile.TarInfo(name)
            member.size = size
            archive.addfile(member, content)
    return out.getvalue()


def test_an_archive_that_unpacks_to_a_gibibyte_is_built_in_less_than_256_mb(
    stack: StackDescription, tmp_path: Path
) -> None:
    body, headers = multipart({"archive": archive_of_a_gibibyte()})
    request = Request(method="POST", resource="/packs/upload", headers=headers, body=body, caller=ACME)
    port = int(stack["endpoint_url"].rpartition(":")[2])
    environment = function_environment("upload_pack", endpoint=Endpoint(port)) | {
        "AWS_ENDPOINT_URL": stack["endpoint_url"]
    }

    with running_function("upload_pack", environment=environment, log_path=tmp_path / "log") as function:
        answer = function.invoke(request.event())

        assert answer["statusCode"] == 201, answer
        assert function.peak_memory_bytes() < 256 * 10**6
