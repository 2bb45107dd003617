"""The files of packs through the deployed template: what the gateway lets through, and in what shape."""

import os
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3
from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client
from tests.service import PackArchive

BYTES = bytes(range(256)) * 4
FILES = {"guides/a b/ü.md": "# Grüße\n".encode(), "data/bytes.bin": BYTES}


@dataclass(frozen=True)
class Raw:
    """An answer as it came off the wire."""

    status: int
    headers: Any
    body: bytes


def raw(client: Client, method: str, path: str, **more: Any) -> Raw:
    headers = {"Accept": "*/*", "Authorization": f"Bearer {client.key}"} | more.pop("headers", {})
    url = client.stack["api_url"] + path
    answer = client.http.request(method, url, headers=headers, redirect=False, **more)
    return Raw(answer.status, answer.headers, answer.data)


@pytest.fixture(scope="module")
def pack(acme: Client) -> dict[str, Any]:
    reply = acme.upload(PackArchive(name="with-files", files=FILES).build())
    assert reply.status == 201, reply.body
    body: dict[str, Any] = reply.body
    return body


def test_the_list_names_every_file(acme: Client, pack: dict[str, Any]) -> None:
    reply = acme.call("GET", f"/packs/{pack['id']}/files")

    assert reply.status == 200
    assert [file["path"] for file in reply.body["files"]] == [
        "data/bytes.bin",
        "guides/a b/ü.md",
        "pack.yaml",
    ]


def test_text_and_bytes_come_through_unharmed(acme: Client, pack: dict[str, Any]) -> None:
    text = raw(acme, "GET", f"/packs/{pack['id']}/files/guides/a%20b/%C3%BC.md")
    data = raw(acme, "GET", f"/packs/{pack['id']}/files/data/bytes.bin")

    assert (text.status, text.body) == (200, "# Grüße\n".encode())
    assert text.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert (data.status, data.body) == (200, BYTES)
    assert data.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "image/png", "application/json"]
)
def test_whatever_a_client_accepts_the_bytes_are_the_same(
    acme: Client, pack: dict[str, Any], accept: str
) -> None:
    path = f"/packs/{pack['id']}/files/data/bytes.bin"

    assert raw(acme, "GET", path, headers={"Accept": accept}).body == BYTES


def test_a_client_without_an_accept_header_is_redirected_to_the_file_s_bytes(
    acme: Client, pack: dict[str, Any]
) -> None:
    url = f"{acme.stack['api_url']}/packs/{pack['id']}/files/data/bytes.bin"
    answer = acme.http.request("GET", url, headers={"Authorization": f"Bearer {acme.key}"}, redirect=False)

    assert answer.status == 302
    assert acme.http.request("GET", answer.headers["Location"]).data == BYTES


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "image/png", "text/markdown", "application/json"]
)
def test_any_bytes_under_any_type_are_written_as_they_are(
    acme: Client, pack: dict[str, Any], content_type: str
) -> None:
    path = f"/packs/{pack['id']}/files/data/{content_type.replace('/', '-')}.bin"

    written = raw(acme, "PUT", path, body=BYTES, headers={"Content-Type": content_type})

    assert written.status == 200, written.body
    assert raw(acme, "GET", path).body == BYTES


def test_a_large_file_is_where_the_redirect_says(acme: Client) -> None:
    # It repeats itself, so that its archive is small enough to be sent.
    content = os.urandom(2_000) * 2_400
    pack = acme.upload(PackArchive(name="with-large", files={"data/large.html": content}).build()).body

    answer = raw(acme, "GET", f"/packs/{pack['id']}/files/data/large.html")
    fetched = urllib3.PoolManager().request("GET", answer.headers["Location"])

    assert (answer.status, fetched.status) == (302, 200)
    assert fetched.data == content
    assert fetched.headers["Content-Type"] == "application/octet-stream"


def test_a_file_is_changed_on_the_revision_that_was_seen(acme: Client) -> None:
    pack = acme.upload(PackArchive(name="edited").build()).body
    path = f"/packs/{pack['id']}/files/README.md"

    first = acme.call("PUT", path, body=b"# One\n", headers={"If-Match": '"1"'})
    again = acme.call("PUT", path, body=b"# One\n")
    stale = acme.call("PUT", path, body=b"# Two\n", headers={"If-Match": '"1"'})

    assert (first.status, first.headers["ETag"]) == (200, '"2"')
    assert (again.status, again.revision) == (200, 2)
    assert (stale.status, stale.code) == (412, "precondition_failed")
    assert first.body["version"] == pack["version"]


def test_refusals_have_their_codes(stack: StackDescription, acme: Client, pack: dict[str, Any]) -> None:
    shared = acme.upload(PackArchive(name="shared-files").build(), visibility="community").body
    globex, reader = Client.of(stack, "globex"), Client.of(stack, "acme", "read_only")
    lapsed, stranger = Client.of(stack, "lapsed"), Client.of(stack)
    own, theirs = f"/packs/{pack['id']}/files", f"/packs/{shared['id']}/files"

    answers = {
        "no credential": stranger.call("GET", own),
        "another's": globex.call("GET", own),
        "another's file": globex.call("GET", f"{own}/pack.yaml"),
        "no pack": acme.call("GET", f"/packs/{UNKNOWN}/files"),
        "no file": acme.call("GET", f"{own}/none"),
        "no path": acme.call("GET", f"{own}/a/%2e%2e/b"),
        "no scope": reader.call("PUT", f"{own}/README.md", body=b"x"),
        "lapsed": lapsed.call("PUT", f"{own}/README.md", body=b"x"),
        "another's to write": globex.call("PUT", f"{theirs}/README.md", body=b"x"),
        "hidden to write": globex.call("PUT", f"{own}/README.md", body=b"x"),
        "nowhere to write": acme.call("PUT", f"{own}/bin/tool", body=b"x"),
        "too large": acme.call("PUT", f"{own}/README.md", body=b"x" * 4_718_593),
    }

    assert {name: (answer.status, answer.code) for name, answer in answers.items()} == {
        "no credential": (401, "unauthenticated"),
        "another's": (404, "pack_not_found"),
        "another's file": (404, "pack_not_found"),
        "no pack": (404, "pack_not_found"),
        "no file": (404, "file_not_found"),
        "no path": (400, "validation_error"),
        "no scope": (403, "permission_denied"),
        "lapsed": (423, "billing_inactive"),
        "another's to write": (403, "permission_denied"),
        "hidden to write": (404, "pack_not_found"),
        "nowhere to write": (400, "validation_error"),
        "too large": (413, "payload_too_large"),
    }
