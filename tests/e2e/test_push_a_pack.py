"""The deployed template, from outside: HTTP in, images out, and every refusal in the contract's envelope."""

import json
import os
from pathlib import Path

import pytest
from local.stack import StackDescription
from tests.e2e.client import Client, assert_refused, without_states
from tests.service import PackArchive
from tests.witnesses import run


@pytest.fixture(scope="module")
def pushed(acme: Client) -> dict[str, str]:
    reply = acme.upload(PackArchive(name="pushed", files={"scripts/run.sh": b"#!/bin/sh\n"}).build())
    assert reply.status == 201, reply.body
    pack: dict[str, str] = reply.body
    return pack


def test_a_pushed_pack_reads_back_by_id_and_appears_in_the_list(acme: Client, pushed: dict[str, str]) -> None:
    read = acme.call("GET", f"/packs/{pushed['id']}")

    listed = acme.call("GET", "/packs?owned=true&q=pushed").body["packs"]
    assert (read.status, without_states(read.body), read.revision) == (200, without_states(pushed), 1)
    assert without_states(pushed) in map(without_states, listed)


def test_skopeo_and_umoci_get_the_pack_out_of_the_registry_by_its_pinned_digest(
    pushed: dict[str, str], tmp_path: Path
) -> None:
    repository = pushed["image_ref"].rpartition(":")[0]
    source = f"docker://{repository}@{pushed['image_digest']}"
    index = json.loads(run("skopeo", "inspect", "--raw", "--tls-verify=false", source))
    run(
        "skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", source, f"oci:{tmp_path}/layout:pack"
    )
    run("umoci", "unpack", "--rootless", "--image", f"{tmp_path}/layout:pack", f"{tmp_path}/bundle")

    platforms = [manifest["platform"]["architecture"] for manifest in index["manifests"]]
    assert platforms == ["amd64", "arm64"]
    root = tmp_path / "bundle" / "rootfs"
    files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert files.keys() == {"pack.yaml", "scripts/run.sh"}
    assert files["scripts/run.sh"] == b"#!/bin/sh\n"
    assert not os.access(root / "scripts/run.sh", os.X_OK)


def test_the_tag_names_the_pinned_digest(pushed: dict[str, str]) -> None:
    tagged = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"docker://{pushed['image_ref']}"))
    by_digest = pushed["image_ref"].rpartition(":")[0] + "@" + pushed["image_digest"]
    pinned = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"docker://{by_digest}"))

    assert tagged["Layers"] == pinned["Layers"]


def test_a_repeat_answers_200_with_the_existing_pack(acme: Client, pushed: dict[str, str]) -> None:
    archive = PackArchive(
        name="pushed", files={"scripts/run.sh": b"#!/bin/sh\n"}, wrapper="w/", backwards=True
    )

    repeated = acme.upload(archive.build(), visibility="org")

    assert (repeated.status, without_states(repeated.body)) == (200, without_states(pushed))


def test_a_taken_name_is_409_with_its_holder(acme: Client, pushed: dict[str, str]) -> None:
    refused = acme.upload(PackArchive(name="pushed", version="2.0.0").build())

    assert_refused(refused, 409, "pack_name_taken")
    assert refused.body["error"]["details"] == {"pack_id": pushed["id"]}


def test_other_organisations_see_a_pack_only_when_it_is_shared(
    stack: StackDescription, acme: Client, pushed: dict[str, str]
) -> None:
    globex = Client.of(stack, "globex")
    shared = acme.upload(PackArchive(name="shared").build(), visibility="community").body

    assert_refused(globex.call("GET", f"/packs/{pushed['id']}"), 404, "pack_not_found")
    seen = globex.call("GET", f"/packs/{shared['id']}").body
    theirs = {name: value for name, value in shared.items() if name != "org_id"} | {"owned": False}
    assert without_states(seen) == without_states(theirs)


@pytest.mark.parametrize("org", ["lapsed", "trial-over"])
def test_a_lapsed_tenant_may_read_but_not_create(stack: StackDescription, org: str) -> None:
    lapsed = Client.of(stack, org)

    assert_refused(lapsed.upload(PackArchive().build()), 423, "billing_inactive")
    assert lapsed.call("GET", "/packs").status == 200


@pytest.mark.parametrize("permission_set", ["submit_observe", "read_only"])
def test_a_key_that_may_not_write_may_read(stack: StackDescription, permission_set: str) -> None:
    client = Client.of(stack, "acme", permission_set)

    assert_refused(client.upload(PackArchive().build()), 403, "permission_denied")
    assert client.call("GET", "/packs").status == 200


@pytest.mark.parametrize("key", [None, "sk_unknown", "nonsense", "eyJhbGciOiJub25lIn0.e30."])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/packs"), ("GET", "/packs/x"), ("POST", "/packs/upload")]
)
def test_without_a_valid_credential_everything_is_401(
    stack: StackDescription, key: str | None, method: str, path: str
) -> None:
    stranger = Client(stack, Client.of(stack).http, key)

    assert_refused(stranger.call(method, path), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        pytest.param(b"{}", "application/json", 415, "unsupported_media_type", id="JSON"),
        pytest.param(b"", "", 415, "unsupported_media_type", id="nothing"),
        pytest.param(b"\x1f\x8b", "application/gzip", 415, "unsupported_media_type", id="a bare archive"),
        pytest.param(b"junk", "multipart/form-data; boundary=b", 400, "validation_error", id="a broken form"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(
    acme: Client, body: bytes, content_type: str, status: int, code: str
) -> None:
    reply = acme.call("POST", "/packs/upload", body=body, headers={"Content-Type": content_type})

    assert_refused(reply, status, code)


def test_every_fault_of_a_form_and_of_an_archive_is_named(acme: Client) -> None:
    no_archive = acme.call("POST", "/packs/upload", fields={"visibility": "public"})
    hostile = acme.upload(PackArchive(version="1.0", files={"../x": b"", "bin/y": b""}).build())

    assert_refused(no_archive, 400, "validation_error")
    assert no_archive.body["error"]["details"]["fields"].keys() == {"archive", "visibility"}
    assert_refused(hostile, 400, "validation_error")
    assert hostile.body["error"]["details"]["fields"].keys() == {
        "archive:../x",
        "archive:bin",
        "pack.yaml:version",
    }


def test_a_body_over_the_gateways_limit_is_413_and_says_what_the_limit_is(acme: Client) -> None:
    reply = acme.upload(os.urandom(4_718_592))

    assert_refused(reply, 413, "payload_too_large")
    assert "4718592 bytes" in reply.body["error"]["message"]
    assert "POST /packs/uploads" in reply.body["error"]["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/packs/upload"), ("GET", "/")])
def test_an_unknown_route_is_404_in_the_same_envelope(acme: Client, method: str, path: str) -> None:
    assert_refused(acme.call(method, path), 404, "route_not_found")


@pytest.mark.parametrize(
    "query", ["limit=0", "owned=maybe", "tier=gold", "category=A", "q=%23", "cursor=AAAA"]
)
def test_a_wrong_query_parameter_is_400_by_name(acme: Client, query: str) -> None:
    reply = acme.call("GET", f"/packs?{query}")

    assert_refused(reply, 400, "validation_error")
    assert list(reply.body["error"]["details"]["fields"]) == [query.partition("=")[0]]
