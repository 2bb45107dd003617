"""No secret in the log of any deployed function: everything that the emulator has kept of all of them so far.

Other tests of this run have filled it before; what is planted here comes on top.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.aws import Endpoint
from local.function import running_function
from local.sam_deployment import function_environment
from local.stack import StackDescription
from tests.e2e.client import Client
from tests.gateway import Request, multipart
from tests.reliability import tally
from tests.service import ACME, PackArchive

MARK = "m4rk-e2e"
# The forms of all credentials, ours and others'.
FORMS = {
    "a key": re.compile(r"sk_[A-Za-z0-9_-]{20,}"),
    "a token": re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\."),
    "a header": re.compile(r"(?:Bearer|Basic) [A-Za-z0-9+/=_-]{8,}"),
    "a signed URL or form": re.compile(r"X-Amz-Signature|x-amz-signature|X-Amz-Credential", re.IGNORECASE),
    "a signature": re.compile(r"AWS4-HMAC-SHA256"),
}


def plant(client: Client) -> None:
    """Bring what is secret to every function that could write it down."""
    files = {"guides/a.md": f"{MARK} in a file".encode()}
    made = client.upload(
        PackArchive(name="marked", files=files, fields={"description": f"{MARK} in pack.yaml"}).build()
    )
    assert made.status == 201
    pack = f"/packs/{made.body['id']}"
    client.upload(PackArchive(name="marked", fields={f"{MARK}-key": f"{MARK}-value"}).build())
    client.upload(MARK.encode())
    client.call("PUT", f"{pack}/files/guides/b.md", body=f"{MARK} in another".encode())
    client.call("GET", f"{pack}/files/guides/a.md", headers={"Accept": "*/*"})
    client.call("GET", f"/packs?cursor={MARK}")
    client.call("POST", "/packs/uploads", json={}, headers={"Idempotency-Key": f"{MARK}-key"})
    for credential in (f"Bearer sk_{MARK}", f"Bearer eyJ{MARK}.{MARK}.{MARK}", f"Basic {MARK}"):
        client.call("GET", "/packs", headers={"Authorization": credential})


def lines(stack: StackDescription) -> Iterator[tuple[str, str]]:
    """Yield every line of every log group, with the group's name."""
    endpoint = Endpoint(int(stack["endpoint_url"].rpartition(":")[2]))
    logs = endpoint.session().client("logs", endpoint_url=endpoint.url)
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            for page in pages:
                for event in page["events"]:
                    yield group["logGroupName"], event["message"]


def telling(line: str, secrets: list[str]) -> list[str]:
    found = [kind for kind, form in FORMS.items() if form.search(line)]
    return [*found, *(secret for secret in secrets if secret in line)]


def test_no_line_of_any_function_s_log_tells_a_secret(stack: StackDescription) -> None:
    plant(Client.of(stack, "acme"))
    keys = [key for org in stack["orgs"].values() for key in org["keys"].values()]

    seen = list(lines(stack))

    tally.count("log lines searched", len(seen))
    assert any("answered" in line for _, line in seen)
    assert [(group, line) for group, line in seen if telling(line, [MARK, *keys])] == []


def test_nor_does_one_at_level_debug_under_lambda_s_own_runtime(
    stack: StackDescription, tmp_path: Path
) -> None:
    archive = PackArchive(name="debugged", files={"guides/a.md": MARK.encode()}).build()
    body, headers = multipart({"archive": archive})
    headers["Idempotency-Key"] = f"{MARK}-debug"
    request = Request(method="POST", resource="/packs/upload", headers=headers, body=body, caller=ACME)
    port = int(stack["endpoint_url"].rpartition(":")[2])
    environment = function_environment("upload_pack", endpoint=Endpoint(port)) | {
        "AWS_ENDPOINT_URL": stack["endpoint_url"],
        # What LoggingConfig comes to in a function's process.
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    }
    log = tmp_path / "log"

    with running_function("upload_pack", environment=environment, log_path=log) as function:
        answer: Any = function.invoke(request.event())

    written = log.read_text().splitlines()
    assert answer["statusCode"] == 201, answer
    assert any("answered" in line for line in written)
    assert [line for line in written if telling(line, [MARK])] == []
