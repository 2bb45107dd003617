"""The deployed template behind its own gateway, from a client's side of the wire."""

import io
import json
import socket
import tarfile
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from local.emulator import HOST
from local.environments import prepare
from local.stack import StackDescription, StackRunning, holding, running_stack
from tests.witnesses import run

HELLO_PACK = Path(__file__).parents[2] / "examples" / "hello-pack"
BOUNDARY = "e2e-boundary"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


def _call(
    stack: StackDescription, method: str, path: str, *, key: str | None = None, archive: bytes | None = None
) -> Answer:
    url = urlsplit(stack["api_url"])
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = None
    if archive is not None:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="archive"; filename="a.tar.gz"\r\n\r\n'
        body = head.encode() + archive + f"\r\n--{BOUNDARY}--\r\n".encode()
    with closing(HTTPConnection(str(url.hostname), url.port, timeout=60)) as connection:
        connection.request(method, url.path + path, body, headers)
        response = connection.getresponse()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lower, json.loads(response.read()))


def _key(stack: StackDescription, org: str = "acme", permission_set: str = "full_access") -> str:
    return stack["orgs"][org]["keys"][permission_set]


def _hello_archive() -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(HELLO_PACK, "hello-pack")
    return archive.getvalue()


def test_the_sample_pack_is_published_listed_read_and_pulled(stack: StackDescription) -> None:
    key = _key(stack)

    published = _call(stack, "POST", "/packs/upload", key=key, archive=_hello_archive())
    again = _call(stack, "POST", "/packs/upload", key=key, archive=_hello_archive())
    listed = _call(stack, "GET", "/packs", key=key)
    read = _call(stack, "GET", f"/packs/{published.body['id']}", key=key)
    repository = published.body["image_ref"].removesuffix(":1.0.0")
    pulled = run(
        "skopeo", "inspect", "--tls-verify=false", f"docker://{repository}@{published.body['image_digest']}"
    )

    assert published.status == 201
    assert (again.status, again.body) == (200, published.body)
    assert published.body in listed.body["packs"]
    assert (read.status, read.body) == (200, published.body)
    assert json.loads(pulled)["Digest"] == published.body["image_digest"]


def test_another_organisation_sees_nothing_of_it(stack: StackDescription) -> None:
    published = _call(stack, "POST", "/packs/upload", key=_key(stack, "globex"), archive=_hello_archive())

    listed = _call(stack, "GET", "/packs", key=_key(stack))
    read = _call(stack, "GET", f"/packs/{published.body['id']}", key=_key(stack))

    assert published.body["id"] not in {pack["id"] for pack in listed.body["packs"]}
    assert (read.status, read.body["error"]["code"]) == (404, "pack_not_found")


@pytest.mark.parametrize(
    ("org", "permission_set", "status", "code"),
    [
        ("acme", "submit_observe", 403, "permission_denied"),
        ("acme", "read_only", 403, "permission_denied"),
        ("lapsed", "full_access", 423, "billing_inactive"),
        ("trial-over", "full_access", 423, "billing_inactive"),
    ],
)
def test_who_may_not_publish_is_told_so(
    stack: StackDescription, org: str, permission_set: str, status: int, code: str
) -> None:
    answer = _call(
        stack, "POST", "/packs/upload", key=_key(stack, org, permission_set), archive=_hello_archive()
    )

    assert (answer.status, answer.body["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "key", "refusal"),
    [
        pytest.param("GET", "/packs", None, (401, "unauthenticated"), id="no credential"),
        pytest.param("GET", "/packs", "sk_unknown", (401, "unauthenticated"), id="an unknown credential"),
        pytest.param("GET", "/nothing/here", None, (404, "route_not_found"), id="no such route"),
        pytest.param("DELETE", "/packs", None, (404, "route_not_found"), id="no such method there"),
    ],
)
def test_what_the_gateway_refuses_wears_the_envelope(
    stack: StackDescription, method: str, path: str, key: str | None, refusal: tuple[int, str]
) -> None:
    answer = _call(stack, method, path, key=key)

    assert (answer.status, answer.body["error"]["code"]) == refusal
    assert answer.headers["x-request-id"] == answer.body["error"]["request_id"]


def test_what_a_stack_holds_survives_its_restart(tmp_path: Path) -> None:
    prepare()
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with running_stack(folder=tmp_path, port=port) as first:
        published = _call(first, "POST", "/packs/upload", key=_key(first), archive=_hello_archive())

    with running_stack(folder=tmp_path, port=port) as second:
        read = _call(second, "GET", f"/packs/{published.body['id']}", key=_key(first))

    assert second == first
    assert (read.status, read.body) == (200, published.body)


def test_one_state_is_for_one_stack(tmp_path: Path) -> None:
    with holding(tmp_path), pytest.raises(StackRunning), holding(tmp_path):
        pass
